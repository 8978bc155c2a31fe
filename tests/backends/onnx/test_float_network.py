from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from support.onnx_models import Graph, chains

from snnc.backends.onnx.float_network import WRITERS
from snnc.compiler import operators
from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import (
    FUNCTIONS,
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Clip,
    Conv,
    Curve,
    Floor,
    Function,
    MatMul,
    Maximum,
    MaxPool,
    Operator,
    Pad,
    Product,
    Reshape,
    Round,
    Select,
    Shape,
    Source,
    Spread,
    Staircase,
    Tile,
    Transpose,
)
from snnc.compiler.options import CompileOptions
from snnc.compiler.pipeline import PIPELINE, FloatPass, job_of
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model
from snnc.runtime.engines.float_network import FloatNetwork

RNG = np.random.default_rng(0)
IMAGE, LINE, ROW = (3, 6, 5), (4, 9), (7,)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def conv(out: int, width: int, bias: Shape, pads: Shape, groups: int = 1) -> Conv:
    kernel = (3, 2)[: len(pads) // 2]
    strides, dilations = (2, 1)[: len(kernel)], (1, 2)[: len(kernel)]
    return Conv(normal(out, width, *kernel), normal(*bias), strides, pads, dilations, groups)


NORM = BatchNorm(normal(3), normal(3), normal(3), normal(3) ** 2, 1e-5)
OPERATORS: dict[str, tuple[Operator, Shape]] = {
    "conv": (conv(4, 3, (4,), (1, 0, 2, 1)), IMAGE),
    "conv that crops": (conv(4, 3, (4,), (-1, 2, 1, -1)), IMAGE),
    "conv in groups": (conv(6, 1, (6,), (1, 1, 1, 1), groups=3), IMAGE),
    "conv with a bias map": (conv(2, 3, (2, 3, 3), (1, 0, 1, 0)), IMAGE),
    "conv that crops, with a bias map": (conv(2, 3, (2, 2, 1), (0, -1, -1, -1)), IMAGE),
    "conv over a line": (conv(2, 4, (2,), (1, 1)), LINE),
    "matrix": (MatMul(normal(5, 7), normal(5)), ROW),
    "matrix over an image": (MatMul(normal(5, 90), normal(5)), IMAGE),
    "matrix to an image": (MatMul(normal(8, 7), normal(2), (2, 2, 2)), ROW),
    "matrix with a bias map": (MatMul(normal(8, 7), normal(2, 2, 2), (2, 2, 2)), ROW),
    "average pool": (AveragePool((2, 3), (1, 2), (0, 0, 0, 0)), IMAGE),
    "average pool at the border": (AveragePool((3, 2), (2, 1), (1, 1, 1, 0)), IMAGE),
    "average pool with zeros": (AveragePool((3, 2), (2, 1), (1, 1, 1, 0), True), IMAGE),
    "max pool": (MaxPool((3, 2), (2, 1), (1, 0, 1, 1), (1, 2)), IMAGE),
    "max pool over a line": (MaxPool((2,), (2,), (0, 1), (1,)), LINE),
    "pad": (Pad((1, 0, 2, 1), -1.5), IMAGE),
    "pad and crop": (Pad((2, -1, -1, 1), 0.5), IMAGE),
    "reshape": (Reshape((5, 18)), IMAGE),
    "place": (Select.placed(3, 2, 7), IMAGE),
    "place in a row": (Select.placed(7, 0, 9), ROW),
    "select": (Select(np.array([2, 0, 2])), IMAGE),
    "select with zeros": (Select(np.array([-1, 1, -1, 0])), LINE),
    "spread": (Spread((2, 3)), IMAGE),
    "spread a line": (Spread((2,)), LINE),
    "tile": (Tile((1, 2, 3)), IMAGE),
    "transpose": (Transpose((1, 2, 0)), IMAGE),
    "affine": (Affine(np.array(2.0), np.array(-1.0)), IMAGE),
    "affine for each channel": (Affine(normal(3, 1, 1), normal(3, 1, 1)), IMAGE),
    "affine for each element": (Affine(normal(*IMAGE), normal(*IMAGE)), IMAGE),
    "batch norm": (NORM, IMAGE),
    "add": (Add(), IMAGE),
    "relu": (Clip(np.array(0.0), np.array(np.inf)), IMAGE),
    "clip": (Clip(np.array(-0.5), np.array(0.25)), IMAGE),
    "clip for each channel": (Clip(-(normal(3, 1, 1) ** 2), np.array(np.inf)), IMAGE),
    "floor": (Floor(), IMAGE),
    "round": (Round(), IMAGE),
    "staircase": (Staircase(2), IMAGE),
    "staircase with thresholds": (Staircase(3, thresholds=np.array([-1.0, 0.5, 0.75])), IMAGE),
    "staircase with thresholds of each channel": (
        Staircase(2, np.array(0.5), np.sort(normal(2, 3, 1, 1), axis=0)),
        IMAGE,
    ),
    "product": (Product(), IMAGE),
    "maximum": (Maximum(), IMAGE),
    "curve": (Curve(((Function("tanh"), (0,)), (Product(), (1, 0)), (Add(), (2, 0)))), IMAGE),
    **{kind: (Function(kind), IMAGE) for kind in FUNCTIONS},
}


def single(operator: Operator, shape: Shape) -> Network:
    builder = Builder()
    source = builder.add("x", Source(shape))
    sources = (source,) * (2 if isinstance(operator, Add | Product | Maximum) else 1)
    return Network(builder.nodes(builder.add("y", operator, *sources)))


@pytest.mark.parametrize(("dtype", "within"), [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("name", OPERATORS)
def test_an_operator_is_what_numpy_says(name: str, dtype: type, within: float) -> None:
    operator, shape = OPERATORS[name]
    network, x = single(operator, shape), 2 * normal(3, *shape)
    found = FloatNetwork(network, dtype=dtype, threads=1).run(x)["y"]
    assert found.dtype == dtype
    within = max(within, 1e-6 if name == "erf" else 0.0)  # ONNX Runtime has no other
    np.testing.assert_allclose(found, evaluate(network, x)["y"], atol=within, rtol=within)


def test_every_operator_is_written_and_tried() -> None:
    named = (getattr(operators, each) for each in operators.__all__)
    kinds = {each for each in named if inspect.isclass(each) and "apply" in vars(each)}
    tried = {type(operator) for operator, _ in OPERATORS.values()}
    assert kinds - {Operator, Source} == set(WRITERS) == tried


def test_ties_go_to_the_even_neighbour() -> None:
    x = np.array([[0.5, 1.5, -2.5, -0.5, 2.5, 0.0, 3.5]])
    network = single(Round(), ROW)
    found = FloatNetwork(network, threads=1).run(x)["y"]
    np.testing.assert_array_equal(found, evaluate(network, x)["y"])


@given(chains())
@settings(max_examples=15, deadline=None)
def test_every_node_of_every_stage_is_what_numpy_says(graph: Graph) -> None:
    network = read_model(Model(graph.model(), "", ()))
    x = graph.rng.normal(size=(3, 2, 9, 8))
    job = job_of(network, CompileOptions(), None)
    passes = [each.run for each in PIPELINE if isinstance(each.run, FloatPass)]
    for each in (FloatPass(lambda whole, job: whole), *passes):
        network = each.run(network, job)
        names = [node.name for node in network]
        found = FloatNetwork(network, names, dtype=np.float64, threads=1).run(x)
        expected = evaluate(network, x)
        for name in names:
            np.testing.assert_allclose(found[name], expected[name], atol=1e-9, err_msg=name)


def branched() -> Network:
    builder = Builder()
    x = builder.add("x", Source(IMAGE))
    left = builder.add("left", conv(3, 3, (3,), (1, 1, 1, 1)), x)
    right = builder.add("right", conv(3, 3, (3,), (1, 1, 1, 1)), x)
    joined = builder.add("joined", Add(), left, right, left)
    return Network(builder.nodes(builder.add("y", Clip(np.array(0.0), np.array(1.0)), joined)))


def test_a_sum_of_branches_and_a_cut_through_them() -> None:
    network, x = branched(), normal(4, *IMAGE)
    expected = evaluate(network, x)
    engine = FloatNetwork(
        network, ("right", "y", "joined"), inputs=("left", "right"), dtype=np.float64
    )
    found = engine.run(expected["left"], expected["right"])
    assert list(found) == ["right", "y", "joined"]
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], atol=1e-12)


def test_inputs_alone_come_back() -> None:
    x = normal(2, *IMAGE)
    found = FloatNetwork(branched(), ("x",), dtype=np.float64).run(x)
    np.testing.assert_array_equal(found["x"], x)


@pytest.mark.parametrize("size", [1, 3, 5, 64])
def test_batches_of_any_size_give_the_same(size: int) -> None:
    network, x = branched(), normal(5, *IMAGE)
    engine = FloatNetwork(network, threads=1)
    found = [each["y"] for each in engine.batches(x, size=size)]
    assert [len(each) for each in found[:-1]] == [size] * (len(found) - 1)
    np.testing.assert_allclose(np.concatenate(found), engine.run(x)["y"], atol=1e-6)
