"""Random networks, compiled and held against the interpreter of the documents.

`case` and `case_on_lava` take a seed and say "answered", or "refused" and why. A wrong answer is an
AssertionError; whatever else is raised is a fault of the compiler too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from support.onnx_models import Graph
from support.spiking_networks import DRAWS, calibrating, random_network

import snnc
from snnc.backends.netx.writer import write
from snnc.compiler.errors import SnncError
from snnc.compiler.spiking import SpikingNetwork
from tests.fuzz.agreement import golden_agrees, lava_agrees
from tests.fuzz.neurons import Whole

ACCUMULATING = ("bit-serial", "graded", "delta")
"""Codes in which a population may sum a window of an average pool."""
COUNTING = ("rate", "offset-spike", "one-spike")
"""Codes whose time steps anybody may choose."""
SPIKING = 0.25
"""The share of networks that are drawn as populations, and not as a model to compile."""


def case(seed: int, folder: Path) -> str:
    """Draw a network, and hold the golden model against the interpreter."""
    path = folder / "network.h5"
    if refusal := _written(seed, path):
        return refusal
    network = snnc.load(path)
    golden_agrees(path, network, images_for(network, seed, 4))
    return "answered"


def case_on_lava(seed: int, folder: Path) -> str:
    """The same, and every spike of the simulator besides."""
    path = folder / "network.h5"
    if refusal := _written(seed, path):
        return refusal
    network = snnc.load(path)
    levels = images_for(network, seed, 1)
    lava_agrees(network, levels, golden_agrees(path, network, levels))
    return "answered"


def images_for(network: SpikingNetwork, seed: int, count: int) -> Whole:
    """Levels of pixels: all at the least, all at the most, and random ones."""
    highest, shape = network.input.pixel_levels, network.input.pixel_shape
    levels = np.random.default_rng(seed).integers(0, highest + 1, (count + 2, *shape))
    levels[0], levels[1] = 0, highest
    return levels


def _written(seed: int, path: Path) -> str:
    """Write the network of a seed; the refusal, if the compiler has one."""
    rng = np.random.default_rng(seed)
    if rng.random() < SPIKING:
        write(_spiking(seed, rng), path)
        return ""
    drawing = Drawing(rng)
    model = drawing.model()
    try:
        snnc.compile(model.save(path.parent), path, **draw_options(rng, drawing))
    except SnncError as error:
        return f"refused: {re.sub(r'-?[0-9.]+(e[-+]?[0-9]+)?', '#', error.problems[0].what)}"
    return ""


def _spiking(seed: int, rng: np.random.Generator) -> SpikingNetwork:
    if rng.random() < 0.1:
        return calibrating(seed)
    return random_network(seed, str(rng.choice(list(DRAWS))))


def draw_options(rng: np.random.Generator, model: Drawing) -> dict[str, Any]:
    """Options of a compilation, most of which fit together."""
    code = str(rng.choice([*DRAWS, "bit-serial"]))
    options: dict[str, Any] = {
        "code": code,
        "schedule": str(rng.choice(["pipelined", "sequential"])),
        "weight_bits": int(rng.choice([2, 3, 4, 5, 6, 7, 8, 8, 8, 16])),
        "average_pool": str(rng.choice(["auto", "compose", *["sum"] * (code in ACCUMULATING)])),
        "input_bits": int(rng.choice([8, 8, 8, *range(1, 13)])),
        "input_range": [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)][rng.integers(3)],
    }
    if code in ("rate", "offset-spike", "one-spike") or (
        code == "bit-serial" and rng.random() < 0.2
    ):
        options["timesteps"] = int(rng.integers(1, 9))
    if code == "offset-spike":
        options["rho"] = int(rng.integers(1, 9))
        light = options["light"] = bool(rng.random() < 0.25)
        options["iterations"] = 1 if light else int(rng.integers(1, 4))
    if code == "one-spike" and rng.random() < 0.3:
        options["target"] = "loihi1"
    if code in ("bit-serial", "one-spike") and rng.random() < 0.4:
        options["input_code"] = "bits"
    if rng.random() < 0.3:
        channels = model.pixels[0]
        options["mean"] = tuple(rng.uniform(-1, 1, channels))
        options["std"] = tuple(rng.uniform(0.1, 2, channels))
    if model.plain:
        options["levels"] = int(rng.integers(1, 16))
    if model.plain or rng.random() < 0.2:
        low, high = options["input_range"]
        x = rng.uniform(low, high, (16, *model.pixels))
        options["calibration"] = snnc.Data(x.astype(np.float32), None)
    return options


class Drawing:
    """A model that grows layer by layer, and knows the shape of what it has."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        axes = int(rng.choice([0, 1, 2, 2, 2, 2]))
        self.pixels = (self.integer(1, 4), *(self.integer(4, 9) for _ in range(axes)))
        self.shape = self.pixels
        self.plain = self.chance(0.08)
        """Whether its activations are ReLUs, for calibration images to make staircases of."""
        self.graph = Graph("batch", *self.shape, seed=self.integer(0, 2**31))

    def model(self) -> Graph:
        """One to four blocks, and logits, which sometimes have places."""
        if self.chance(0.8):
            self.layer()
        for _ in range(self.integer(1, 3)):
            self.block()
        if self.space and self.chance(0.9):
            if self.chance(0.2):
                self.pool_everything()
            self.graph.node("Flatten")
            self.shape = (int(np.prod(self.shape)),)
        self.weigh()
        return self.graph

    def block(self) -> None:
        """A layer, or several with branches; behind a matrix there are matrices alone."""
        blocks: list[Callable[[], None]] = [self.layer]
        if self.space:
            blocks += [self.layer, self.residual, self.residual, self.concatenated]
            blocks += [self.max_pool, self.average_pool]
        else:
            blocks += [self.residual, self.concatenated]
        blocks[self.integer(0, len(blocks) - 1)]()

    def layer(self) -> None:
        """Weights, sometimes a norm, a staircase."""
        self.weigh()
        if self.chance(0.3):
            self.norm()
        self.activate()

    def residual(self) -> None:
        """A sum of what there is, or of a projection of it, and one or two layers."""
        start, shape = self.graph.last, self.shape
        if self.chance(0.5):
            self.layer()
        self.weigh(keeps_space=True, out=shape[0])
        if self.shape != shape:
            changed, self.shape = self.shape, shape
            main, self.graph.last = self.graph.last, start
            self.match(changed)
            ends = (main, self.graph.last)
        else:
            ends = (self.graph.last, start)
        self.graph.node("Add", *ends)
        if self.chance(0.3):
            self.norm()
        self.activate()

    def match(self, shape: tuple[int, ...]) -> None:
        """A convolution to some shape: a wide kernel, or pads, leave so many places."""
        more = [wanted - size for size, wanted in zip(self.space, shape[1:], strict=True)]
        kernel = [1 + max(0, -each) for each in more]
        pads = [0] * len(more) + [max(0, each) for each in more]
        self.linear(shape[0], 1, kernel, {"pads": pads})
        self.shape = shape

    def concatenated(self) -> None:
        """Branches of one source beside each other, and often the source too."""
        start, shape = self.graph.last, self.shape
        ends, channels = [], 0
        for _ in range(self.integer(1, 2)):
            self.graph.last, self.shape = start, shape
            self.weigh(keeps_space=True)
            if self.chance(0.8):
                self.activate()
            ends.append(self.graph.last)
            channels += self.shape[0]
        if self.chance(0.6):
            ends.append(start)
            channels += shape[0]
        self.graph.node("Concat", *ends, axis=1)
        self.shape = (channels, *shape[1:])
        if self.chance(0.5):
            self.norm()
        self.activate()

    def max_pool(self) -> None:
        """Behind an activation, or between the sums and theirs."""
        self.weigh()
        before = self.chance(0.5)
        if before:
            self.activate()
        kernel, stride = self.integer(2, 3), self.integer(1, 2)
        if min(self.space) >= kernel:
            self.pool("MaxPool", kernel, stride, self.integer(0, 1))
        if not before:
            self.activate()

    def average_pool(self) -> None:
        """Behind an activation."""
        self.layer()
        if self.space and min(self.space) >= 3:
            pad = self.integer(0, 1)
            self.pool("AveragePool", 2, self.integer(1, 2), pad, count_include_pad=1)

    def pool(self, kind: str, kernel: int, stride: int, pad: int, **more: int) -> None:
        axes = len(self.space)
        self.graph.node(
            kind,
            kernel_shape=[kernel] * axes,
            strides=[stride] * axes,
            pads=[pad] * axes + [0] * axes,
            **more,
        )
        space = ((size + pad - kernel) // stride + 1 for size in self.space)
        self.shape = (self.shape[0], *space)

    def pool_everything(self) -> None:
        self.graph.node(str(self.rng.choice(["GlobalAveragePool", "GlobalMaxPool"])))
        self.shape = (self.shape[0], *(1 for _ in self.space))

    def weigh(self, *, keeps_space: bool = False, out: int = 0) -> None:
        """A matrix, or a convolution of any kind."""
        if not self.space:
            self.linear(out or self.integer(1, 6), 1, [], {})
            self.shape = (out or self.last_rows,)
            return
        groups = self.shape[0] if self.chance(0.25) else 1
        if not groups > 1 and self.shape[0] % 2 == 0 and self.chance(0.2):
            groups = 2
        if out and out % groups:
            groups = 1
        channels = out or groups * self.integer(1, 3)
        kernel, pads, strides, gaps, space = [], [], [], [], []
        for size in self.space:
            width = self.integer(1, 3)
            gap = self.integer(1, 2) if width > 1 and size > 4 else 1
            span = (width - 1) * gap + 1
            stride = 1 if keeps_space else self.integer(1, 2)
            ends = [self.integer(0, span - 1), 0]
            ends[1] = span - 1 - ends[0] if keeps_space else self.integer(0, span - 1)
            if size + sum(ends) < span:
                ends[1] += span - size - sum(ends)
            kernel.append(width)
            gaps.append(gap)
            strides.append(stride)
            pads.append(ends)
            space.append((size + sum(ends) - span) // stride + 1)
        attributes = {
            "pads": [e[0] for e in pads] + [e[1] for e in pads],
            "strides": strides,
            "dilations": gaps,
            "group": groups,
        }
        self.linear(channels, groups, kernel, attributes)
        self.shape = (channels, *space)

    def linear(self, out: int, groups: int, kernel: list[int], attributes: dict[str, Any]) -> None:
        """The node, with weights and biases of any kind."""
        self.last_rows = out
        weights = self.weights((out, self.shape[0] // groups, *kernel))
        values = [weights, self.bias(weights)] if self.chance(0.8) else [weights]
        if self.space:
            self.graph.with_constants("Conv", *values, **attributes)
        else:
            self.graph.with_constants("Gemm", *values, transB=1)

    def weights(self, shape: tuple[int, ...]) -> np.ndarray:
        """Random, whole numbers times a factor, very unequal or with rows of zeros."""
        fan_in = int(np.prod(shape[1:]))
        weights = self.rng.normal(size=shape) / np.sqrt(fan_in)
        rows = (shape[0], *(1,) * (len(shape) - 1))
        kind = self.integer(0, 5)
        if kind == 0:
            most = int(self.rng.choice([1, 3, 7, 127]))
            whole = self.rng.integers(-most, most + 1, shape)
            whole.flat[0] = most
            factor = self.rng.uniform(0.01, 0.2, rows if self.chance(0.5) else 1)
            return whole * factor
        if kind == 1:
            return weights * 10.0 ** self.rng.uniform(-4, 4, rows)
        if kind == 2:
            return weights * (self.rng.random(rows) < 0.7)
        if kind == 3:
            return weights * 10.0 ** self.rng.uniform(-3, 1, shape)
        return weights

    def bias(self, weights: np.ndarray) -> np.ndarray:
        """Small, nothing, or far beyond what could ever arrive."""
        rows = len(weights)
        bias = self.rng.normal(size=rows) / 4
        if self.chance(0.2):
            bias *= 10.0 ** self.rng.uniform(0, 8, rows)
        return np.zeros(rows) if self.chance(0.1) else bias

    def norm(self) -> None:
        """A batch norm; some scales are negative, some nearly or wholly 0."""
        channels = self.shape[0]
        scale = self.rng.normal(size=channels)
        if self.chance(0.2):
            scale[self.integer(0, channels - 1)] = 0.0 if self.chance(0.1) else 1e-8
        numbers = [scale, *self.rng.uniform(0.5, 1.5, (3, channels))]
        self.graph.with_constants("BatchNormalization", *numbers)

    def activate(self) -> None:
        """A staircase in one of the forms in which exporters and people write it."""
        if self.plain:
            self.graph.node("Relu")
            return
        levels = int(self.rng.choice([1, 2, 3, 4, 7, 8, 15, self.integer(1, 31)]))
        threshold = self.threshold()
        form = self.integer(0, 4)
        if form == 0:
            self.graph.node("Relu")
            self.graph.with_constants("Div", threshold / levels)
            self.graph.node("Round")
            self.graph.with_constants("Clip", 0.0, float(levels))
            self.graph.with_constants("Mul", threshold / levels)
        elif form == 1:
            self.graph.with_constants("Div", threshold)
            self.graph.with_constants("Clip", 0.0, 1.0)
            self.graph.with_constants("Mul", float(levels))
            self.graph.with_constants("Add", 0.5)
            self.graph.node("Floor")
            self.graph.with_constants("Mul", threshold / levels)
        elif form == 2:
            scale = np.float32(np.mean(threshold) / levels)
            zero = np.uint8(self.integer(0, 3))
            if levels < 8:
                self.graph.with_constants("Clip", 0.0, float(scale * levels))
            reads = [self.graph.last, *map(self.graph.constant, (scale, zero))]
            self.graph.node("QuantizeLinear", *reads)
            self.graph.node("DequantizeLinear", self.graph.last, *reads[1:])
        else:
            self.graph.qcfs(levels, threshold, 0.3 if form == 3 and self.chance(0.5) else 0.0)

    def threshold(self) -> Any:
        """One for all, or one for each channel."""
        if self.chance(0.7):
            return float(self.rng.uniform(0.3, 3))
        return self.rng.uniform(0.3, 3, (self.shape[0], *(1 for _ in self.space)))

    @property
    def space(self) -> tuple[int, ...]:
        return self.shape[1:]

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)
