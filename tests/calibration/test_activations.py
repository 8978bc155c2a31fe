"""Activations other than ReLU, from the file of a model to spikes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.lava_check import assert_lava_is_golden
from support.onnx_models import Graph, run_onnx

import snnc
from snnc.calibration.staircases import calibrate
from snnc.compiler.errors import SnncError
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Staircase
from snnc.compiler.passes.fold_batch_norms import fold_batch_norms
from snnc.compiler.passes.join_curves import join_curves
from snnc.compiler.passes.recognize_staircases import recognize_staircases
from snnc.compiler.passes.sink_reshapes import sink_reshapes
from snnc.compiler.rules.legality import require_legal
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model
from snnc.runtime.data import Data, encode
from snnc.runtime.engines.golden import Golden

SLOPES = np.array([0.25, -0.5, 0.0, 1.5])[:, None, None]
CODES = ("bit-serial", "graded", "delta", "rate", "offset-spike", "one-spike")


def silu(graph: Graph) -> str:
    x = graph.last
    return graph.node("Mul", x, graph.node("Sigmoid"))


def own_beta(graph: Graph) -> str:
    """X·sigmoid(βx), with another β for each channel."""
    x = graph.last
    graph.with_constants("Mul", np.array([0.5, 1, 2, 4])[:, None, None])
    return graph.node("Mul", x, graph.node("Sigmoid"))


ACTIVATIONS: dict[str, Callable[[Graph], str]] = {
    "leaky relu": lambda g: g.node("LeakyRelu", alpha=0.2),
    "prelu": lambda g: g.with_constants("PRelu", SLOPES),
    "abs": lambda g: g.node("Abs"),
    "hard tanh": lambda g: g.with_constants("Clip", -1.0, 1.0),
    "hard sigmoid": lambda g: g.node("HardSigmoid", alpha=0.5),
    "hard swish": lambda g: g.node("HardSwish"),
    "silu": silu,
    "own beta": own_beta,
    "sigmoid": lambda g: g.node("Sigmoid"),
    "tanh": lambda g: g.node("Tanh"),
    "elu": lambda g: g.node("Elu"),
    "softplus": lambda g: g.node("Softplus"),
    "thresholded relu": lambda g: g.node("ThresholdedRelu", alpha=0.3),
}


def model(name: str) -> Graph:
    """Two convolutions with activations, an average pool, and a matrix."""
    graph = Graph("batch", 2, 6, 6, seed=3)
    graph.conv(4, 2, 3, 3, pads=[1] * 4)
    graph.batch_norm(4)
    ACTIVATIONS[name](graph)
    graph.conv(4, 4, 3, 3, pads=[1] * 4)
    ACTIVATIONS[name](graph)
    graph.node("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
    graph.node("Flatten")
    graph.dense(3, 36)
    return graph


def images(count: int, seed: int = 5) -> np.ndarray:
    x = np.random.default_rng(seed).uniform(size=(count, 2, 6, 6))
    return (np.cumsum(x, axis=-1) / np.arange(1, 7)).astype(np.float32)


def prepared(graph: Graph) -> Network:
    return join_curves(sink_reshapes(fold_batch_norms(read_model(Model(graph.model(), "", ())))))


def relative(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.std(found - wanted) / np.std(wanted))


@pytest.mark.parametrize(
    ("name", "uneven"),
    [*((name, False) for name in ACTIVATIONS), ("own beta", True), ("tanh", True)],
)
def test_more_levels_come_nearer_to_onnx_runtime(name: str, uneven: bool) -> None:
    graph = model(name)
    network, x = prepared(graph), images(60)
    fresh = images(40, seed=6)
    wanted, found = run_onnx(graph.model(), fresh), []
    for levels in (3, 15):
        result = calibrate(network, x, levels, uneven=uneven)
        assert all(each.populations <= 4 for each in result.layers)
        for each in result.layers:
            assert each.errors.corrected <= each.errors.calibrated <= each.errors.uncalibrated
        logits = evaluate(result.network, fresh.astype(float))[result.network.output.name]
        found.append(relative(logits, wanted))
    assert found[1] < 0.5 * found[0]
    assert found[1] < 0.2


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", ["leaky relu", "silu"])
def test_every_code_sends_them(tmp_path: Path, name: str, code: str) -> None:
    graph = model(name)
    path = graph.save(tmp_path)
    result = snnc.compile(path, code=code, calibration=Data(images(60)), levels=15)
    require_legal(result.network)
    logits = snnc.run(result.path, Data(images(40, seed=6)), engine="golden").result.logits
    wanted = run_onnx(graph.model(), images(40, seed=6))
    assert relative(logits, wanted) < (0.5 if code in ("rate", "offset-spike") else 0.2)


@pytest.mark.parametrize("code", ["bit-serial", "one-spike"])
@pytest.mark.parametrize("name", ["silu", "own beta"])
def test_golden_is_the_float_graph_of_the_calibrated_network(
    tmp_path: Path, name: str, code: str
) -> None:
    graph = model(name)
    data = Data(images(60))
    result = snnc.compile(graph.save(tmp_path), code=code, calibration=data, levels=7)
    network = result.network
    x = encode(data.x, network.input) / np.float64(255)
    calibrated = recognize_staircases(result.calibration.network)
    sent = evaluate(calibrated, x.reshape(len(x), 2, 6, 6))
    golden = Golden(network, every_population=True).run(encode(data.x, network.input))
    fired = [sent[node.name] for node in calibrated if isinstance(node.operator, Staircase)]
    assert len(fired) == len(network.populations) - 1
    for population, expected in zip(network.populations[:-1], fired, strict=True):
        found = golden.sent[population.name].reshape(expected.shape)
        assert np.mean(found != expected) < 0.08


@pytest.mark.parametrize("levels", [3, 15])
def test_a_leaky_relu_is_off_by_half_a_level_of_each_part(levels: int) -> None:
    graph = Graph("batch", 40, seed=1)
    graph.node("LeakyRelu", alpha=0.3)
    graph.dense(2, 40)
    network = prepared(graph)
    x = np.random.default_rng(0).uniform(-1, 1, (200, 40)).astype(np.float32)
    result = calibrate(network, x, levels)
    above, below = (each.fits.calibrated for each in result.layers)
    for fit, sign in ((above, 1), (below, -1)):
        sums = np.where(sign * x < fit.threshold, sign * x, 0)
        off = np.abs(fit.apply(sums) - np.maximum(sums, 0))
        assert off.max() <= fit.threshold / levels / 2 + 1e-6
    assert above.threshold != below.threshold or levels == 1


def test_one_spike_sends_what_rises_by_one_population(tmp_path: Path) -> None:
    path = model("tanh").save(tmp_path)
    uneven = snnc.compile(path, code="one-spike", calibration=Data(images(60)), levels=15)
    assert [each.populations for each in uneven.calibration.layers] == [1, 1]
    first = uneven.network.populations[0]
    assert first.neuron.staircase(first.bias, first.shape) is None
    rises = np.diff(first.neuron.thresholds[:, 0])
    assert rises.min() < 0.8 * rises.max()


def test_fewer_copies_than_levels_share_them(tmp_path: Path) -> None:
    path = model("tanh").save(tmp_path)
    logits = [
        snnc.run(
            snnc.compile(
                path, code="one-spike", calibration=Data(images(60)), levels=15, timesteps=copies
            ).path,
            Data(images(40, seed=6)),
            engine="golden",
        ).result.logits
        for copies in (15, 8)
    ]
    assert relative(logits[1], logits[0]) < 0.25


def test_a_curve_that_differs_within_a_channel_is_refused() -> None:
    graph = Graph("batch", 2, 3, 3)
    x = graph.conv(4, 2, 1, 1)
    graph.with_constants("Mul", np.arange(1.0, 37.0).reshape(4, 3, 3))
    graph.node("Mul", x, graph.node("Sigmoid"), name="odd")
    graph.conv(2, 4, 3, 3)
    with pytest.raises(SnncError, match=r"^odd: is a curve whose constants have shapes"):
        calibrate(prepared(graph), images(8)[:, :, :3, :3], 7)


def test_a_curve_with_a_pole_among_the_images_is_refused() -> None:
    graph = Graph("batch", 2, 6, 6)
    graph.conv(4, 2, 1, 1)
    graph.node("Log", name="log")
    graph.conv(2, 4, 3, 3)
    with pytest.raises(SnncError, match=r"^log: is no finite number at -"):
        calibrate(prepared(graph), images(8), 7)


@pytest.mark.lava
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("leaky relu", "bit-serial"),
        ("hard tanh", "bit-serial"),
        ("own beta", "bit-serial"),
        ("elu", "rate"),
        ("sigmoid", "bit-serial"),
        ("sigmoid", "one-spike"),
        ("silu", "bit-serial"),
        ("silu", "one-spike"),
    ],
)
def test_lava_sends_the_same_spikes(tmp_path: Path, name: str, code: str) -> None:
    path = model(name).save(tmp_path)
    data = Data(images(30))
    network = snnc.compile(path, code=code, calibration=data, levels=7).network
    assert_lava_is_golden(network, encode(data.x[:5], network.input))
