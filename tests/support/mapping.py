"""Layers as plain shapes, and published networks made of them, for the tests of the mapper."""

from __future__ import annotations

from dataclasses import dataclass, replace

from snnc.compiler.mapping.axes import Grouped, Sliding
from snnc.compiler.mapping.layers import Extents, Layer, Reading, dense
from snnc.compiler.target import LOIHI1_CORE, LOIHI2_CORE, CoreModel

EARLY_LOIHI2 = replace(LOIHI2_CORE, synaptic_words=12_000)
"""As Lava-Loihi 0.3 and 0.4 had it."""


def conv(
    name: str,
    source: Layer,
    shape: Extents,
    *,
    kernel: int = 3,
    strides: tuple[int, int] = (1, 1),
    pad: int = 0,
    groups: int = 1,
    bits: int = 8,
) -> Layer:
    """A convolution."""
    rows, columns = (
        Sliding(source.shape[i], shape[i], kernel, strides[i - 1], pad) for i in (1, 2)
    )
    channels = Grouped(source.shape[0], shape[0], groups)
    reading = Reading(source.name, (channels, rows, columns), False, source.copies)
    return Layer(name, shape, (reading,), weight_bits=bits)


def full(name: str, source: Layer, neurons: int, bits: int = 8) -> Layer:
    """A dense layer."""
    shape = (neurons, 1, 1)
    reading = dense(source.name, source.shape, shape, source.copies)
    return Layer(name, shape, (reading,), weight_bits=bits)


@dataclass(frozen=True)
class Published:
    """A network, and the cores that it took."""

    layers: tuple[Layer, ...]
    core: CoreModel
    cores: tuple[int, ...]
    """Of each layer."""
    most: int
    """That we may take."""


def pilot_net(bits_of_fourth: int = 4) -> tuple[Layer, ...]:
    """An image of 66×200, five convolutions and five dense layers."""
    layers = [Layer("input", (3, 66, 200))]
    for index, (shape, strides, bits) in enumerate(
        (
            ((24, 32, 99), (2, 2), 6),
            ((36, 15, 49), (2, 2), 6),
            ((48, 7, 24), (2, 2), 6),
            ((64, 4, 22), (2, 1), bits_of_fourth),
            ((64, 2, 20), (1, 1), 4),
        )
    ):
        pad = int(index == 3)
        layer = conv(f"conv{index}", layers[-1], shape, strides=strides, pad=pad, bits=bits)
        layers.append(layer)
    for neurons in (100, 50, 10, 1):
        layers.append(full(f"fc{neurons}", layers[-1], neurons))
    return tuple(layers)


def mlp(sizes: tuple[int, ...], bits: int) -> tuple[Layer, ...]:
    """Dense layers."""
    layers = [Layer("input", (sizes[0], 1, 1))]
    for index, neurons in enumerate(sizes[1:]):
        layers.append(full(f"fc{index}", layers[-1], neurons, bits))
    return tuple(layers)


def yolo() -> tuple[Layer, ...]:
    """An image of 448×448 and ten convolutions."""
    layers = [Layer("input", (3, 448, 448))]
    for index, (channels, size, kernel, bits) in enumerate(
        (
            (16, 224, 3, 6),
            (32, 112, 3, 6),
            (64, 56, 3, 5),
            (128, 28, 3, 5),
            (256, 28, 3, 5),
            (256, 14, 3, 4),
            (512, 14, 3, 5),
            (256, 14, 1, 5),
            (512, 14, 3, 5),
            (48, 14, 1, 7),
        )
    ):
        source, shape, pad = layers[-1], (channels, size, size), kernel // 2
        strides = (source.shape[1] // size,) * 2
        name = f"conv{index}"
        layers.append(conv(name, source, shape, kernel=kernel, strides=strides, pad=pad, bits=bits))
    return tuple(layers)


def dvs_gesture() -> tuple[Layer, ...]:
    """Four convolutions and a dense layer on Loihi 1."""
    layers = [Layer("input", (1, 32, 32))]
    for index, (channels, size, stride) in enumerate(
        ((16, 15, 2), (32, 13, 1), (64, 11, 1), (11, 9, 1))
    ):
        shape = (channels, size, size)
        layers.append(conv(f"conv{index}", layers[-1], shape, strides=(stride, stride)))
    return (*layers, full("fc", layers[-1], 11))


PUBLISHED = {
    "PilotNet LIF": Published(
        pilot_net(), EARLY_LOIHI2, (13, 25, 13, 3, 3, 2, 12, 1, 1, 1), most=54
    ),
    "PilotNet SDNN": Published(
        pilot_net(5), EARLY_LOIHI2, (0, 25, 13, 3, 3, 2, 12, 1, 1, 1), most=44
    ),
    "MNIST MLP": Published(mlp((784, 128, 64, 10), 8), LOIHI2_CORE, (0, 3, 1, 1), most=5),
    "Oxford": Published(mlp((200, 256, 200), 7), EARLY_LOIHI2, (0, 3, 2), most=4),
    "YOLO-KP": Published(
        yolo(), LOIHI2_CORE, (0, 224, 112, 56, 28, 56, 16, 32, 14, 32, 4), most=512
    ),
    "DVS gesture": Published(dvs_gesture(), LOIHI1_CORE, (1, 8, 8, 22, 9, 1), most=49),
}
"""Intel's notebooks for Loihi 2, and the mapping in SANA-FE's repository for Loihi 1. 0 stands
where the input was not on a core."""
