"""Sound ONNX models, which between them use every operator that snnc reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import helper
from support.onnx_models import Graph, random_chain, random_graph

from tests.fuzz.draws import Rng, of
from tests.fuzz.random_models import Drawing

QONNX = "qonnx.custom_op.general"
EXPORTS = Path(__file__).parents[1] / "data"
WHEEL = Path(onnx.__file__).parent / "backend" / "test" / "data"
MOST_BYTES = 100_000
"""Of a model of the wheel: larger ones only take longer."""


def any_model(rng: Rng) -> onnx.ModelProto:
    """A copy of a sound model, or of one that ONNX tests itself with."""
    form = rng.uniform(0, 10)
    if form < 4:
        found = of(WRITTEN, rng)()
    elif form < 6:
        found = random_graph(int(rng.integers(1000))).model()
    elif form < 7.5:
        found = random_chain(int(rng.integers(1000))).model()
    elif form < 8.5:
        found = Drawing(rng).model().model()
    else:
        found = of((exported, of_the_wheel)[int(form >= 9.2)](), rng)
    return copy_of(found)


def copy_of(found: onnx.ModelProto) -> onnx.ModelProto:
    """A model that may be changed."""
    model = onnx.ModelProto()
    model.CopyFrom(found)
    return model


@cache
def exported() -> list[onnx.ModelProto]:
    """What PyTorch's exporters wrote."""
    return [onnx.load(each) for each in sorted(EXPORTS.glob("*.onnx"))]


@cache
def of_the_wheel() -> list[onnx.ModelProto]:
    """Models of one operator or a few."""
    folders = ("pytorch-converted", "pytorch-operator", "simple")
    paths = sorted(each for name in folders for each in (WHEEL / name).rglob("*.onnx"))
    return [onnx.load(each) for each in paths if each.stat().st_size < MOST_BYTES]


def spelled() -> onnx.ModelProto:
    """Operators that the random networks lack, with sizes that are computed."""
    graph = Graph("batch", 2, 8, 8)
    graph.with_constants("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), 0.0)
    graph.conv(4, 2, 3, 3, auto_pad="SAME_LOWER", strides=[2, 2])
    graph.with_constants("Clip", 0.0, 6.0)
    grid = [graph.constant(0.1), graph.constant(np.uint8(0))]
    graph.node("QuantizeLinear", graph.last, *grid)
    graph.node("DequantizeLinear", graph.last, *grid)
    graph.node("MaxPool", kernel_shape=[2, 2], strides=[1, 1], dilations=[1, 1])
    pool = graph.node("AveragePool", kernel_shape=[3, 3], strides=[2, 2])
    first = graph.node("Gather", graph.node("Shape", pool), graph.constant(np.array([0])), axis=0)
    ones = graph.node("ConstantOfShape", graph.constant(np.array([1])))
    rest = graph.node("Sub", graph.node("Cast", ones, to=7), graph.constant(np.array([1])))
    rest = graph.node("Where", graph.node("Equal", rest, rest), graph.constant(-1), rest)
    sizes = graph.node("Concat", first, rest, axis=0)
    graph.node("Reshape", pool, sizes)
    width = 4
    last = graph.last
    weights = graph.node("Transpose", graph.constant(graph.rng.normal(size=(3, width))))
    graph.node("Gemm", last, weights, graph.constant(np.ones(3)), alpha=0.5)
    graph.node("Softmax", axis=1)
    return graph.model()


def pooled() -> onnx.ModelProto:
    """Means, and axes that come and go."""
    graph = Graph("batch", 3, 6, 6)
    graph.conv(4, 3, 3, 3, group=1, dilations=[1, 1])
    graph.batch_norm(4)
    graph.qcfs(7)
    graph.node("ReduceMean", axes=[2, 3], keepdims=1)
    graph.with_constants("Squeeze", np.array([2, 3]))
    graph.with_constants("Unsqueeze", np.array([2]))
    graph.node("Transpose", perm=[0, 2, 1])
    graph.node("Flatten", axis=1)
    graph.with_constants("Mul", 4.0)
    graph.node("Floor")
    graph.with_constants("Min", 3.0)
    graph.with_constants("Max", 0.0)
    graph.with_constants("MatMul", graph.rng.normal(size=(4, 3)))
    graph.node("Cast", to=1)
    return graph.model()


def whole_numbers() -> onnx.ModelProto:
    """QOperators, and a Quant of QONNX."""
    graph = Graph("batch", 2, 6, 6)
    grid = [graph.constant(0.05), graph.constant(np.uint8(0))]
    source = [graph.node("QuantizeLinear", "x", *grid), *grid]
    weights = graph.rng.integers(-20, 20, (4, 2, 3, 3)).astype(np.int8)
    rows = graph.rng.integers(-20, 20, (64, 3)).astype(np.int8)
    kernel = [graph.constant(each) for each in (weights, 0.02, np.int8(0))]
    bias = graph.constant(np.arange(4, dtype=np.int32))
    graph.node("QLinearConv", *source, *kernel, *grid, bias, strides=[1, 1])
    both = [graph.last, *grid, graph.last, *grid, *grid]
    graph.node("QLinearAdd", *both, domain="com.microsoft")
    graph.node("DequantizeLinear", graph.last, *grid)
    numbers = map(graph.constant, (np.float32(0.1), np.float32(0), np.float32(4)))
    graph.node("Quant", graph.last, *numbers, domain=QONNX, signed=0, narrow=0)
    graph.node("Flatten")
    graph.node("QuantizeLinear", graph.last, *grid)
    matrix = [graph.constant(each) for each in (rows, 0.02, np.int8(0))]
    graph.node("QGemm", graph.last, *grid, *matrix, domain="com.microsoft")
    model = graph.model()
    model.opset_import.append(helper.make_opsetid(QONNX, 2))
    return model


def with_functions() -> onnx.ModelProto:
    """A function of a function."""
    graph = Graph("batch", 4)
    graph.dense(4, 4)
    graph.node("Outer", domain="local")
    graph.with_constants("Clip", -3.0, 4.0)
    graph.dense(3, 4)
    model = graph.model()
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    inner = [helper.make_node("Floor", ["a"], ["b"])]
    outer = [helper.make_node("Inner", ["a"], ["c"], domain="local")]
    outer += [helper.make_node("Neg", ["c"], ["b"])]
    for name, nodes in (("Inner", inner), ("Outer", outer)):
        model.functions.append(helper.make_function("local", name, ["a"], ["b"], nodes, opset))
    model.opset_import.append(opset[1])
    return model


WRITTEN: tuple[Callable[[], onnx.ModelProto], ...] = (
    spelled,
    pooled,
    whole_numbers,
    with_functions,
)
