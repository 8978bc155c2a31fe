"""Channels last, as Keras, tf2onnx and QONNX write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import helper
from support.onnx_models import Graph, run_onnx

import snnc
from snnc.compiler.errors import SnncError
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Reshape, Select, Source, Transpose
from snnc.compiler.passes.sink_reshapes import sink_reshapes
from snnc.compiler.spiking import SpikingNetwork
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model
from snnc.runtime.data import Data

CHANNELS_LAST = "qonnx.custom_op.channels_last"


class Layout(Graph):
    """One network in two layouts: last, its tensors have their channels last between operators."""

    def __init__(self, *shape: int, last: bool) -> None:
        super().__init__("batch", *((*shape[1:], shape[0]) if last else shape))
        self.is_last = last

    def planes(self, kind: str, *constants: Any, **attributes: Any) -> str:
        """An operator that has its channels first, between transposes if they are last."""
        if self.is_last:
            self.node("Transpose", perm=[0, 3, 1, 2])
        self.with_constants(kind, *constants, **attributes)
        return self.node("Transpose", perm=[0, 2, 3, 1]) if self.is_last else self.last

    def kernel(self, out: int, width: int, **attributes: Any) -> str:
        weights = self.rng.normal(size=(out, width, 3, 3)) / 4
        return self.planes("Conv", weights, self.rng.normal(size=out), **attributes)

    def scaled(self, channels: int) -> str:
        scale = self.rng.uniform(0.5, 1.5, channels)
        return self.with_constants("Mul", scale if self.is_last else scale.reshape(-1, 1, 1))

    def bordered(self) -> str:
        pads = [0, 1, 1, 0, 0, 1, 1, 0] if self.is_last else [0, 0, 1, 1, 0, 0, 1, 1]
        return self.with_constants("Pad", np.array(pads))

    def flat(self, out: int, *shape: int) -> str:
        self.with_constants("Reshape", np.array([-1, int(np.prod(shape))]))
        weights = self.rng.normal(size=(out, *shape))
        ordered = np.moveaxis(weights, 1, 3) if self.is_last else weights
        return self.with_constants("MatMul", ordered.reshape(out, -1).T)


def network(*, last: bool) -> Layout:
    """A sum, a concatenation, a border before a max pool, and a matrix behind it."""
    graph = Layout(3, 8, 8, last=last)
    graph.scaled(3)
    graph.kernel(4, 3, pads=[1] * 4)
    graph.scaled(4)
    start = graph.qcfs(7)
    graph.kernel(4, 4, pads=[1] * 4)
    graph.node("Add", graph.last, start)
    graph.qcfs(7)
    graph.node("Concat", graph.last, start, axis=3 if last else 1)
    graph.bordered()
    graph.planes("MaxPool", kernel_shape=[3, 3], strides=[2, 2])
    graph.kernel(5, 8)
    graph.qcfs(7)
    graph.flat(6, 5, 2, 2)
    return graph


def as_network(graph: Graph) -> Network:
    return read_model(Model(graph.model(), "", ()))


def same_weights(one: SpikingNetwork, other: SpikingNetwork) -> None:
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours.bias, theirs.bias)
        for mine, its in zip(ours.projections, theirs.projections, strict=True):
            np.testing.assert_array_equal(mine.connection.weights, its.connection.weights)


def test_a_layout_changes_no_integer(tmp_path: Path) -> None:
    first, last = (
        snnc.compile(network(last=each).save(tmp_path, f"{each}.onnx")).network
        for each in (False, True)
    )
    same_weights(first, last)
    assert last.input.shape == (3, 8, 8)
    assert last.input.image_shape == (8, 8, 3)
    assert snnc.load(tmp_path / "True.h5").input.channels_last


def test_images_have_the_layout_of_the_model(tmp_path: Path) -> None:
    graph = network(last=True)
    path = graph.save(tmp_path)
    x = np.random.default_rng(0).integers(0, 256, (9, 8, 8, 3)).astype(np.uint8)
    y = run_onnx(graph.model(), x / 255).argmax(1)
    calibrated = snnc.compile(path, weight_bits=16, calibration=Data(x)).network
    assert calibrated.input.shape == (3, 8, 8)
    found, moved = (
        snnc.run(path.with_suffix(".h5"), Data(each, y), engine="golden").result
        for each in (x, np.moveaxis(x, 3, 1))
    )
    np.testing.assert_array_equal(found.logits, moved.logits)
    assert found.accuracy(y) >= 8 / 9
    swept = snnc.sweep(path, Data(x, y), snnc.SweepGrid(("bit-serial",)), weight_bits=16)
    assert swept.models[0].accuracy == 1


def test_images_of_neither_layout_are_refused(tmp_path: Path) -> None:
    path = network(last=True).save(tmp_path)
    snnc.compile(path)
    with pytest.raises(SnncError, match=r"allowed: \(images, 8, 8, 3\)"):
        snnc.run(path.with_suffix(".h5"), Data(np.zeros((2, 8, 3, 8))), engine="golden")


@pytest.mark.lava
def test_lava_is_golden(tmp_path: Path) -> None:
    pytest.importorskip("lava.magma")
    path = network(last=True).save(tmp_path)
    snnc.compile(path)
    x = np.random.default_rng(0).uniform(size=(3, 8, 8, 3)).astype(np.float32)
    assert snnc.compare(path, path.with_suffix(".h5"), Data(x)).is_exact


NHWC = (7, 6, 4)
FIRST, BACK = {"perm": [0, 3, 1, 2]}, {"perm": [0, 2, 3, 1]}
Build = Callable[[Graph], object]


def shuffled(graph: Graph) -> None:
    """The channel shuffle of ShuffleNet, and what a matrix makes of it."""
    graph.with_constants("Reshape", np.array([-1, 2, 2, 7, 6]))
    graph.node("Transpose", perm=[0, 2, 1, 3, 4])
    graph.with_constants("Reshape", np.array([-1, 4, 7, 6]))


CASES: dict[str, tuple[tuple[int, ...], Build, set[type]]] = {
    "back and forth": (
        NHWC,
        lambda g: g.node("Transpose", g.node("Transpose", **FIRST), **BACK),
        {Transpose},
    ),
    "a map for each channel": (
        NHWC,
        lambda g: g.node("Transpose", g.node("Mul", "x", g.constant(np.arange(1.0, 5.0))), **FIRST),
        set(),
    ),
    "reduced": (
        NHWC,
        lambda g: (
            g.node("Transpose", **FIRST),
            g.node("Transpose", **BACK),
            g.node("ReduceMean", axes=[1, 2], keepdims=0),
        ),
        {Reshape},
    ),
    "pooled, with its axes": (
        NHWC,
        lambda g: (
            g.node("GlobalAveragePool", g.node("Transpose", **FIRST)),
            g.node("Transpose", **BACK),
            g.with_constants("Reshape", np.array([0, -1])),
        ),
        {Reshape},
    ),
    "flat": (
        NHWC,
        lambda g: (
            g.node("Transpose", g.node("Transpose", **FIRST), **BACK),
            g.node("Flatten"),
        ),
        {Transpose, Reshape},
    ),
    "one channel needs no transpose": (
        (7, 6, 1),
        lambda g: (g.with_constants("Reshape", np.array([-1, 1, 7, 6])), g.conv(2, 1, 3, 3)),
        set(),
    ),
    "a line": (
        (9, 2),
        lambda g: (g.node("Transpose", perm=[0, 2, 1]), g.conv(3, 2, 3)),
        set(),
    ),
    "a line as tf2onnx has it": (
        (9, 2),
        lambda g: (
            g.with_constants("Unsqueeze", np.array([1])),
            g.node("Transpose", **FIRST),
            g.conv(3, 2, 1, 3),
            g.with_constants("Squeeze", np.array([2])),
            g.with_constants("Add", np.arange(3.0).reshape(1, 3, 1)),
            g.node("Relu"),
            g.with_constants("Unsqueeze", np.array([2])),
        ),
        set(),
    ),
    "quantised by channel": (
        NHWC,
        lambda g: (
            g.node("Transpose", **FIRST),
            g.node("Transpose", **BACK),
            g.with_constants(
                "QuantizeLinear", np.arange(1.0, 5.0) / 8, np.zeros(4, np.int8), axis=3
            ),
            g.with_constants(
                "DequantizeLinear", np.arange(1.0, 5.0) / 8, np.zeros(4, np.int8), axis=-1
            ),
            g.node("Transpose", **FIRST),
        ),
        set(),
    ),
    "shuffled channels": ((4, 7, 6), shuffled, {Select}),
    "a transpose that moves pixels": (
        (4, 7, 6),
        lambda g: g.node("Transpose", perm=[0, 1, 3, 2]),
        {Transpose},
    ),
    "sums of two orders": (
        (4, 6, 6),
        lambda g: g.node("Add", "x", g.node("Transpose", perm=[0, 1, 3, 2])),
        {Transpose},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_an_order_of_axes_means_what_onnx_runtime_makes_of_it(name: str) -> None:
    shape, build, kinds = CASES[name]
    graph = Graph("batch", *shape)
    build(graph)
    found = as_network(graph)
    settled = sink_reshapes(found)
    x = graph.rng.normal(size=(3, *shape))
    assert isinstance(found.input.operator, Source)
    planes = np.moveaxis(x, -1, 1) if found.input.operator.channels_last else x
    expected = run_onnx(graph.model(), x)
    for each in (found, settled):
        values = evaluate(each, planes.reshape(3, *each.input.shape))[each.output.name]
        np.testing.assert_allclose(values, expected, atol=1e-5)
    moves = {type(node.operator) for node in settled} & {Reshape, Transpose, Select}
    assert moves == kinds


def qonnx(graph: Graph, kind: str, *constants: Any, **attributes: Any) -> None:
    graph.with_constants(kind, *constants, domain=CHANNELS_LAST, **attributes)


def test_channels_last_operators_of_qonnx_are_those_of_onnx_between_transposes() -> None:
    drawn = np.random.default_rng(0)
    weights, norm = drawn.normal(size=(5, 4, 3, 2)), drawn.uniform(0.5, 1.5, (4, 5))
    pool = {"kernel_shape": [2, 2], "strides": [2, 1]}
    wrapped, plain = Graph("batch", *NHWC), Graph("batch", *NHWC)
    qonnx(wrapped, "Conv", np.moveaxis(weights, 1, 3), pads=[1, 0, 1, 0])
    qonnx(wrapped, "BatchNormalization", *norm)
    wrapped.node("Relu")
    qonnx(wrapped, "MaxPool", **pool)
    plain.node("Transpose", **FIRST)
    plain.with_constants("Conv", weights, pads=[1, 0, 1, 0])
    plain.with_constants("BatchNormalization", *norm)
    plain.node("Relu")
    plain.node("MaxPool", **pool)
    plain.node("Transpose", **BACK)
    model = wrapped.model()
    model.opset_import.append(helper.make_opsetid(CHANNELS_LAST, 1))
    found = read_model(Model(model, "", ()))
    x = drawn.normal(size=(3, *NHWC))
    values = evaluate(found, np.moveaxis(x, 3, 1))[found.output.name]
    np.testing.assert_allclose(values, run_onnx(plain.model(), x), atol=1e-5)
