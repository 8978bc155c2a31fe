"""The codes from an ONNX file to whole numbers, and which settings do not go together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.integer_law import evaluate
from support.lava_check import assert_lava_is_golden
from support.onnx_models import Graph, chains, graphs, random_chain, random_graph

import snnc
from snnc.backends.netx.stock import runs_in_stock_netx
from snnc.compiler.codes import CODES
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import Integers, OffsetSpike, Rate
from snnc.compiler.rules.bounds import potential_bounds
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.golden import Golden, GoldenResult
from snnc.runtime.engines.source_model import SourceModel

NORMALISED = {"mean": (0.4, 0.5), "std": (0.25, 0.3)}
CODINGS: dict[str, dict[str, Any]] = {
    "rate": {"code": "rate"},
    "rate, few steps": {"code": "rate", "timesteps": 2},
    "offset-spike": {"code": "offset-spike", "rho": 2, "iterations": 2},
    "offset-spike, light": {"code": "offset-spike", "timesteps": 3, "light": True},
    "one-spike": {"code": "one-spike"},
    "one-spike, one step": {"code": "one-spike", "timesteps": 1},
    "one-spike of bits": {"code": "one-spike", "input_code": "bits", "input_bits": 3},
    "graded": {"code": "graded"},
    "graded after bits": {"code": "graded", "input_code": "bits"},
}


def compiled(graph: Graph, folder: Path, **options: Any) -> SpikingNetwork:
    return snnc.load(snnc.compile(graph.save(folder), **options).path)


def images_for(network: SpikingNetwork, count: int = 3) -> Integers:
    shape = (count, *network.input.shape)
    return np.random.default_rng(0).integers(0, network.input.levels + 1, shape)


def golden(network: SpikingNetwork, images: Integers) -> GoldenResult:
    return Golden(network, every_population=True, threads=1).run(images)


@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
@given(
    graph=st.one_of(chains(), graphs()),
    schedule=st.sampled_from(["pipelined", "sequential"]),
    normalised=st.booleans(),
)
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_golden_is_the_integer_law(
    tmp_path: Path, coding: dict[str, Any], graph: Graph, schedule: str, normalised: bool
) -> None:
    options = {**coding, **(NORMALISED if normalised else {})}
    network = compiled(graph, tmp_path, schedule=schedule, **options)
    images = images_for(network)
    expected, found = evaluate(network, images), golden(network, images)
    for name, sent in found.sent.items():
        np.testing.assert_array_equal(sent, expected[name], err_msg=name)
    np.testing.assert_array_equal(found.potential, expected[network.readout.name])


@pytest.mark.lava
@pytest.mark.parametrize("coding", CODINGS.values(), ids=CODINGS)
def test_lava_is_golden(tmp_path: Path, coding: dict[str, Any]) -> None:
    network = compiled(random_graph(3), tmp_path, **coding, **NORMALISED)
    assert_lava_is_golden(network, images_for(network, 4))


@given(graph=st.one_of(chains(), graphs()))
@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_graded_is_bit_serial_in_one_step(tmp_path: Path, graph: Graph) -> None:
    serial, graded = (
        compiled(graph, tmp_path, code=code, average_pool="compose")
        for code in ("bit-serial", "graded")
    )
    images = images_for(serial)
    expected, found = golden(serial, images), golden(graded, images)
    np.testing.assert_array_equal(found.potential, expected.potential)
    assert all(each.neuron.turn == 1 for each in graded)


def whole(levels: int, parts: int) -> Graph:
    """Weights that are whole numbers of parts of a level; biases are whole levels.

    Of an odd number of parts no sum is halfway between two levels.
    """
    graph = Graph("batch", 3, 6, 6, seed=levels)

    def numbers(*shape: int) -> np.ndarray:
        return graph.rng.integers(-parts, parts + 1, shape) / parts

    def biases(count: int) -> np.ndarray:
        return graph.rng.integers(-1, 3, count).astype(float)

    graph.with_constants("Conv", numbers(4, 3, 3, 3) / 16, biases(4), pads=[1] * 4)
    graph.qcfs(levels, float(levels))
    graph.with_constants("Conv", numbers(5, 4, 3, 3), biases(5), strides=[2, 2])
    graph.qcfs(levels, float(levels))
    graph.node("Flatten")
    graph.with_constants("Gemm", numbers(4, 20), biases(4), transB=1)
    return graph


@pytest.mark.parametrize("parts", [1, 3, 5])
@pytest.mark.parametrize("levels", [1, 3, 6, 7])
def test_with_whole_weights_one_spike_gives_the_levels_of_bit_serial(
    tmp_path: Path, levels: int, parts: int
) -> None:
    options = {"input_range": (0, 15), "input_bits": 4}
    serial, at_once = (
        compiled(whole(levels, parts), tmp_path, code=code, **options)
        for code in ("bit-serial", "one-spike")
    )
    images = images_for(serial, 8)
    expected, found = golden(serial, images), golden(at_once, images)
    for name, sent in expected.sent.items():
        assert len(np.unique(sent)) > levels / 2
        np.testing.assert_array_equal(found.sent[name], sent, err_msg=name)


def test_whole_weights_give_way_to_a_bias_of_13_bits(tmp_path: Path) -> None:
    """Their own threshold would take a bias beyond what a stock neuron holds."""
    network = compiled(random_chain(3), tmp_path, code="one-spike", timesteps=4, **NORMALISED)
    assert np.abs(network.populations[0].bias).max() > 2000


def test_copies_of_whole_weights_have_the_real_thresholds(tmp_path: Path) -> None:
    """One weight a neuron is whole whatever it is; no θ is, whose multiples 22 thresholds are."""
    network = compiled(random_chain(10), tmp_path, code="one-spike")
    assert np.abs(network.populations[0].projections[0].connection.weights).max() == 1
    assert np.abs(network.populations[0].bias).max() == network.input.levels + 1


@pytest.mark.parametrize("light", [False, True])
def test_calibration_leaves_room_in_the_state(tmp_path: Path, light: bool) -> None:
    graph = Graph("batch", 600, seed=1)
    graph.with_constants("Gemm", np.abs(graph.rng.normal(size=(8, 600))), np.zeros(8), transB=1)
    graph.qcfs(7, 20.0)
    graph.dense(4, 8)
    network = compiled(graph, tmp_path, code="offset-spike", rho=8, light=light)
    bounds = potential_bounds(network.populations[0], network.nodes)
    assert 2**22 < max(bounds.high.max(), -bounds.low.min()) < 2**23


def test_time_steps_are_the_levels_unless_chosen(tmp_path: Path) -> None:
    graph = whole(5, 1)
    for code in ("rate", "offset-spike", "one-spike"):
        network = compiled(graph, tmp_path, code=code)
        assert {each.neuron.levels for each in network.populations[:-1]} == {5}
        network = compiled(graph, tmp_path, code=code, timesteps=9)
        assert {each.neuron.levels for each in network.populations[:-1]} == {9}


def test_rate_neurons_start_at_half_a_threshold(tmp_path: Path) -> None:
    network = compiled(whole(5, 1), tmp_path, code="offset-spike")
    for each in network.populations[:-1]:
        assert isinstance(each.neuron, Rate | OffsetSpike)
        np.testing.assert_array_equal(each.neuron.initial, each.neuron.threshold // 2)


def test_what_loihi_1_gets_runs_in_stock_netx(tmp_path: Path) -> None:
    network = compiled(whole(3, 1), tmp_path, code="one-spike", target="loihi1", input_code="bits")
    assert runs_in_stock_netx(network)
    assert network.input.levels == 1


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown": (
        {"code": "morse"},
        "`code`: 'morse' is not a code; allowed: bit-serial, rate, offset-spike, one-spike, "
        "graded, delta",
    ),
    "rho": (
        {"code": "rate", "rho": 4},
        "`rho`: calibrates offset spikes, and the code is 'rate'",
    ),
    "all": (
        {"rho": 4, "iterations": 2, "light": True},
        "`rho`, `iterations`, `light`: calibrates offset spikes, and the code is 'bit-serial'",
    ),
    "light": (
        {"code": "graded", "light": True},
        "`light`: calibrates offset spikes, and the code is 'graded'",
    ),
    "iterations": (
        {"code": "one-spike", "iterations": 1},
        "`iterations`: calibrates offset spikes, and the code is 'one-spike'",
    ),
    "light twice": (
        {"code": "offset-spike", "light": True, "iterations": 2},
        "`iterations`: 2 with `light`, which keeps the residual once",
    ),
    "rho 0": ({"code": "offset-spike", "rho": 0}, "`rho`: 0; allowed: 1 to 4096"),
    "iterations 0": (
        {"code": "offset-spike", "iterations": 0},
        "`iterations`: 0; allowed: 1 to 4096",
    ),
    "no time steps": (
        {"code": "rate", "timesteps": 0},
        "`timesteps`: 0 time steps; allowed: 1 to 4096",
    ),
    "many time steps": (
        {"code": "rate", "timesteps": 5000},
        "`timesteps`: 5000 time steps; allowed: 1 to 4096",
    ),
    "time steps": (
        {"code": "graded", "timesteps": 4},
        "`timesteps`: 4 with the code 'graded', which takes one time step a layer",
    ),
    "rate of bits": (
        {"code": "rate", "input_code": "bits"},
        "`input_code`: 'bits' with the code 'rate', whose input is a current; allowed: graded",
    ),
    "offset of bits": (
        {"code": "offset-spike", "input_code": "bits"},
        "`input_code`: 'bits' with the code 'offset-spike', whose input is a current; allowed: "
        "graded",
    ),
    "sums of spikes": (
        {"code": "rate", "average_pool": "sum"},
        "`average_pool`: 'sum' with the code 'rate', in which a sum would be coarser than its "
        "parts",
    ),
    "target": (
        {"target": "loihi3"},
        "`target`: 'loihi3' is not a target; allowed: loihi1, loihi2",
    ),
    "graded pixels": (
        {"code": "one-spike", "target": "loihi1", "input_code": "graded"},
        "`input_code`: 'graded' on loihi1, which has no graded spikes; allowed: bits",
    ),
    **{
        f"{code} on loihi1": (
            {"code": code, "target": "loihi1"},
            f"`code`: '{code}' on loihi1, which has no programmable neurons and no graded spikes; "
            "allowed: one-spike, which stock CUBA neurons run",
        )
        for code in CODES
        if code != "one-spike"
    },
}


@pytest.mark.parametrize(("options", "expected"), REFUSED.values(), ids=REFUSED)
def test_settings_that_do_not_go_together(
    tmp_path: Path, options: dict[str, Any], expected: str
) -> None:
    with pytest.raises(SnncError) as caught:
        compiled(whole(3, 1), tmp_path, **options)
    assert expected in str(caught.value).splitlines()
    assert [each.name for each in tmp_path.iterdir()] == ["model.onnx"]


def signs(scale: float) -> Graph:
    """Whole weights, a batch norm of any scale, and a step: the scale is nobody's."""
    graph = Graph("batch", 6, seed=4)
    for width, inputs in ((8, 6), (5, 8)):
        weights = graph.rng.integers(-3, 4, (width, inputs)).astype(float)
        weights[1] = 0
        graph.with_constants("Gemm", weights, np.zeros(width), transB=1)
        gain = graph.rng.uniform(0.5, 2, width) * scale
        mean = graph.rng.integers(0, 3, width) + 0.25
        graph.with_constants(
            "BatchNormalization", gain, 0 * mean, mean, np.ones(width), epsilon=0.0
        )
        graph.node("Floor")
        graph.with_constants("Add", 1.0)
        graph.with_constants("Clip", 0.0, 1.0)
    graph.with_constants("Gemm", graph.rng.integers(-3, 4, (4, 5)) * scale, np.zeros(4), transB=1)
    return graph


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("scale", [1e-8, 1e6])
def test_signs_do_not_depend_on_the_scale_before_them(
    tmp_path: Path, code: str, scale: float
) -> None:
    options = {"code": code, "input_bits": 3, "input_range": (0, 7)}
    expected, found = (compiled(signs(each), tmp_path, **options) for each in (1.0, scale))
    assert not any("rounded" in each for each in found.provenance.remarks)
    assert all(p.error == 0 for each in found for p in each.projections)
    images = images_for(found, 40)
    for name, sent in golden(expected, images).sent.items():
        assert len(np.unique(sent)) > 1
        np.testing.assert_array_equal(golden(found, images).sent[name], sent, err_msg=name)


@pytest.mark.parametrize("scale", [1e-6, 1 / 77, 1000.0])
@pytest.mark.parametrize("code", ["bit-serial", "graded", "delta", "one-spike"])
def test_whole_weights_of_any_scale_give_the_levels_of_the_source(
    tmp_path: Path, code: str, scale: float
) -> None:
    """Thresholds that are no multiples of each other, of a stock neuron's copies too."""
    graph = Graph("batch", 6, seed=9)
    for width, inputs in ((8, 6), (6, 8)):
        weights = graph.rng.integers(-7, 8, (width, inputs)) * scale
        graph.with_constants("Gemm", weights, graph.rng.normal(size=width) * scale, transB=1)
        graph.qcfs(7, 19.37 * scale)
        graph.with_constants("Div", 19.37 * scale / 7)
    graph.with_constants("Gemm", graph.rng.integers(-7, 8, (4, 6)) * scale, np.zeros(4), transB=1)
    network = compiled(graph, tmp_path, code=code, input_bits=3, input_range=(0, 7))
    assert not network.provenance.remarks
    images = images_for(network, 60)
    found = golden(network, images)
    exact = SourceModel(graph.model(), "whole").run(images.astype(np.float32))
    logits = found.potential.reshape(60, -1) * network.readout.neuron.unit
    np.testing.assert_allclose(logits, exact, atol=1e-4 * np.abs(exact).max())
