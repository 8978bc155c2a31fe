"""Max pools behind activations without levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from support.onnx_models import Graph, run_onnx

from snnc.calibration.staircases import calibrate
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import MaxPool
from snnc.compiler.options import CompileOptions
from snnc.compiler.passes.join_curves import join_curves
from snnc.compiler.passes.lower_max_pools import lower_max_pools
from snnc.compiler.passes.recognize_staircases import recognize_staircases
from snnc.compiler.passes.split_max_pools import split_max_pools
from snnc.compiler.pipeline import lower
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.result import logits_of

SLOPES = np.array([0.25, -0.5, 0.0, 1.5])[:, None, None]
RISING: dict[str, Callable[[Graph], str]] = {
    "leaky relu": lambda g: g.node("LeakyRelu", alpha=0.3),
    "elu": lambda g: g.node("Elu"),
    "sigmoid": lambda g: g.node("Sigmoid"),
}
FALLING: dict[str, Callable[[Graph], str]] = {
    "hard swish": lambda g: g.node("HardSwish"),
    "abs": lambda g: g.node("Abs"),
    "prelu": lambda g: g.with_constants("PRelu", SLOPES),
}


def model(activation: Callable[[Graph], str], pads: int, pools: int = 1) -> Graph:
    graph = Graph("batch", 2, 8, 8, seed=2)
    graph.conv(4, 2, 3, 3, pads=[1] * 4)
    activation(graph)
    for _ in range(pools):
        graph.node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[pads] * 4)
    graph.node("Flatten")
    graph.dense(3, 4 * ((8 + 2 * pads - 3) // 2 + 1) ** 2 if pools == 1 else 16)
    return graph


def read(graph: Graph) -> Network:
    return join_curves(read_model(Model(graph.model(), "", ())))


def images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(count, 2, 8, 8)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "pads"), [("hard swish", 0), ("hard swish", 1), ("abs", 1), ("prelu", 0)]
)
def test_a_split_pool_is_the_pool(name: str, pads: int) -> None:
    graph = model(FALLING[name], pads)
    network = split_max_pools(read(graph))
    x = 4 * images(5).astype(float) - 2
    found = evaluate(network, x)[network.output.name]
    np.testing.assert_allclose(found, run_onnx(graph.model(), x), atol=1e-5)
    assert not any(isinstance(node.operator, MaxPool) for node in network)


def test_a_pool_of_a_split_pool_is_split_too() -> None:
    graph = model(FALLING["hard swish"], 1, pools=2)
    network = split_max_pools(read(graph))
    x = 4 * images(5).astype(float) - 2
    found = evaluate(network, x)[network.output.name]
    np.testing.assert_allclose(found, run_onnx(graph.model(), x), atol=1e-5)
    assert not any(isinstance(node.operator, MaxPool) for node in network)


def test_what_is_unbounded_below_is_left_alone_where_there_are_pads() -> None:
    network = read(model(FALLING["prelu"], 1))
    assert split_max_pools(network) is network


@pytest.mark.parametrize("name", RISING)
def test_what_never_falls_is_left_alone(name: str) -> None:
    network = read(model(RISING[name], 1))
    assert split_max_pools(network) is network


@pytest.mark.parametrize("pools", [1, 2])
@pytest.mark.parametrize("name", [*RISING, "a channel without a slope"])
def test_staircases_that_rise_together_are_pooled_exactly(name: str, pools: int) -> None:
    flat = np.array([0.25, 0.0, 0.5, 1.5])[:, None, None]
    make = RISING.get(name, lambda g: g.with_constants("PRelu", flat))
    network = read(model(make, 1, pools))
    calibrated = calibrate(network, images(40), 7).network
    staircases = recognize_staircases(calibrated)
    lowered = lower_max_pools(staircases, 255)
    x = 4 * images(20, seed=1).astype(float) - 2
    found, wanted = (evaluate(each, x)[each.output.name] for each in (lowered, staircases))
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    lower(calibrated, CompileOptions())


@pytest.mark.parametrize("code", ["bit-serial", "one-spike"])
@pytest.mark.parametrize(("name", "pads"), [("hard swish", 1), ("prelu", 0)])
def test_what_falls_somewhere_compiles(name: str, pads: int, code: str) -> None:
    graph = model(FALLING[name], pads)
    network = split_max_pools(read(graph))
    uneven = code == "one-spike"
    calibrated = calibrate(network, images(40), 15, uneven=uneven).network
    x = images(30, seed=1)
    spiking = lower(calibrated, CompileOptions(code=code))
    logits = logits_of(Golden(spiking).run(np.round(x * 255).astype(np.uint8)).potential, spiking)
    wanted = run_onnx(graph.model(), x)
    assert np.std(logits - wanted) < 0.3 * np.std(wanted)


@pytest.mark.filterwarnings("error")
def test_a_curve_that_leaves_all_bounds_is_left_alone() -> None:
    def activation(graph: Graph) -> str:
        for _ in range(9):
            graph.node("Mul", graph.last, graph.last)
        return graph.with_constants("Mul", 1e30)

    network = read(model(activation, 1))
    assert split_max_pools(network) is network
