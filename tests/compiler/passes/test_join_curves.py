from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from support.onnx_models import Graph, random_graph, run_onnx

from snnc.compiler.errors import SnncError
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Curve
from snnc.compiler.passes.fold_batch_norms import fold_batch_norms
from snnc.compiler.passes.join_curves import join_curves
from snnc.compiler.passes.recognize_staircases import recognize_staircases
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model


def silu(g: Graph, x: str) -> str:
    return g.node("Mul", x, g.node("Sigmoid", x))


def hard_swish(g: Graph, x: str) -> str:
    clipped = g.node("Clip", g.node("Add", x, g.constant(3.0)), g.constant(0.0), g.constant(6.0))
    return g.node("Div", g.node("Mul", x, clipped), g.constant(6.0))


def gelu(g: Graph, x: str) -> str:
    erf = g.node("Erf", g.node("Div", x, g.constant(2**0.5)))
    twice = g.node("Mul", x, g.node("Add", erf, g.constant(1.0)))
    return g.node("Mul", twice, g.constant(0.5))


def gelu_by_tanh(g: Graph, x: str) -> str:
    cube = g.node("Mul", g.node("Mul", g.node("Mul", x, x), x), g.constant(0.044715))
    tanh = g.node("Tanh", g.node("Mul", g.node("Add", x, cube), g.constant(0.7978845608)))
    return g.node("Mul", g.node("Mul", x, g.constant(0.5)), g.node("Add", tanh, g.constant(1.0)))


def mish(g: Graph, x: str) -> str:
    return g.node("Mul", x, g.node("Tanh", g.node("Softplus", x)))


def softsign(g: Graph, x: str) -> str:
    return g.node("Div", x, g.node("Add", g.node("Abs", x), g.constant(1.0)))


def elu(g: Graph, x: str) -> str:
    below = g.node("Sub", g.node("Exp", g.node("Min", x, g.constant(0.0))), g.constant(1.0))
    return g.node("Add", g.node("Relu", x), below)


def leaky(g: Graph, x: str) -> str:
    return g.node("Max", x, g.node("Mul", x, g.constant(0.1)))


def square(g: Graph, x: str) -> str:
    return g.node("Pow", g.node("Relu", x), g.constant(2.0))


def bounded_above(g: Graph, x: str) -> str:
    return g.node("Min", x, g.constant(0.5))


WRITTEN: dict[str, Callable[[Graph, str], str]] = {
    each.__name__: each
    for each in (
        silu,
        hard_swish,
        gelu,
        gelu_by_tanh,
        mish,
        softsign,
        elu,
        leaky,
        square,
        bounded_above,
    )
}


def read(graph: Graph) -> Network:
    return fold_batch_norms(read_model(Model(graph.model(), "", ())))


def curves(network: Network) -> list[str]:
    return [node.name for node in network if isinstance(node.operator, Curve)]


@pytest.mark.parametrize("name", WRITTEN)
def test_what_exporters_write_is_one_curve_of_the_sums(name: str) -> None:
    graph = Graph("batch", 2, 5, 5, seed=1)
    graph.conv(3, 2, 3, 3)
    graph.batch_norm(3)
    activation = WRITTEN[name](graph, graph.last)
    graph.conv(2, 3, 3, 3, name="out")
    network = join_curves(read(graph))
    assert curves(network) == [activation]
    kinds = [type(node.operator).__name__ for node in network]
    assert kinds == ["Source", "Conv", "Affine", "Curve", "Conv"]
    x = 2 * graph.rng.normal(size=(3, 2, 5, 5))
    found = evaluate(network, x)[network.output.name]
    np.testing.assert_allclose(found, run_onnx(graph.model(), x), atol=1e-5)


@pytest.mark.parametrize("kind", ["LeakyRelu", "Abs", "HardSigmoid", "Relu"])
def test_sums_of_clips_stay_clips(kind: str) -> None:
    graph = Graph("batch", 4)
    graph.dense(3, 4)
    graph.node(kind)
    network = read(graph)
    assert join_curves(network) is network


@pytest.mark.parametrize("seed", range(4))
def test_staircases_are_left_the_same_object(seed: int) -> None:
    network = read(random_graph(seed))
    assert join_curves(network) is network


def test_a_residual_sum_ends_one_curve_and_begins_another() -> None:
    graph = Graph("batch", 4)
    start = silu(graph, graph.dense(4, 4))
    end = silu(graph, graph.node("Add", graph.dense(4, 4), start))
    network = join_curves(read(graph))
    assert curves(network) == [start, end]
    x = graph.rng.normal(size=(5, 4))
    np.testing.assert_allclose(
        evaluate(network, x)[network.output.name], run_onnx(graph.model(), x), atol=1e-5
    )


def test_all_products_of_two_tensors_are_refused_by_name() -> None:
    graph = Graph("batch", 4)
    value = graph.dense(4, 4)
    gate = graph.node("Sigmoid", graph.dense(4, 4))
    graph.node("Mul", value, gate, name="gate")
    graph.node("Max", graph.dense(4, 4), "gate", name="maxout")
    with pytest.raises(SnncError) as caught:
        join_curves(read(graph))
    assert [(each.where, each.what) for each in caught.value.problems] == [
        ("gate", "multiplies two activations"),
        ("maxout", "compares two activations"),
    ]
    assert caught.value.problems[0].mend.startswith("leave the gate out")


def test_without_calibration_each_kind_is_named_once() -> None:
    graph = Graph("batch", 4)
    names = [graph.node("Sigmoid", graph.dense(4, 4)), graph.node("Tanh", graph.dense(4, 4))]
    names.append(graph.node("Sigmoid", graph.dense(4, 4)))
    graph.dense(2, 4)
    with pytest.raises(SnncError) as caught:
        recognize_staircases(join_curves(read(graph)))
    assert [each.where for each in caught.value.problems] == [f"{names[0]}, {names[2]}", names[1]]
    assert caught.value.problems[0].what.startswith("2 x curve of sigmoid")
    assert "calibration" in caught.value.problems[0].mend


def test_a_function_of_too_many_operators_is_refused() -> None:
    graph = Graph("batch", 4)
    for _ in range(300):
        graph.node("Tanh")
    with pytest.raises(SnncError, match="is a function of more than 256 operators"):
        join_curves(read(graph))
