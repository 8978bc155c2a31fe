"""How large Δ may be: what weights, sums and thresholds leave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layers import plain_layer
from support.onnx_models import Graph, run_onnx

import snnc
from snnc.api.running import executable
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import BitSerial
from snnc.compiler.quantization import scale
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.scale import bias_room, exponent, placed, resolution, steps
from snnc.compiler.target import LOIHI, STOCK
from snnc.frontends.onnx.loading import load_model
from snnc.runtime.data import Data

EIGHT, SIXTEEN = Precision(LOIHI, 8), Precision(LOIHI, 16)


@given(st.floats(1e-3, 1e3), st.floats(1e-2, 1e4), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_an_exponent_is_the_least_under_which_a_weight_fits(
    peak: float, unit: float, most: int
) -> None:
    found = exponent(np.array([peak / 2, peak]), np.array([unit, unit]), most)
    assert peak * unit / 2**found <= (most + 0.5) * (1 + 1e-12)
    assert found == 0 or peak * unit / 2 ** (found - 1) > most + 0.5


def test_nothing_needs_no_exponent() -> None:
    assert exponent(np.zeros(2), np.ones(2), 1) == 0


def test_only_stock_neurons_lack_room_for_a_bias() -> None:
    made = plain_layer([[1.0, -1.0], [2.0, 1.0]], bias=(3.0, -5.0))
    assert np.isinf(bias_room(made, EIGHT)).all()
    stock = Precision(STOCK, 8)
    room = scale.BIAS_SHARE * STOCK.bias_max
    np.testing.assert_allclose(bias_room(made, stock), [(room - 1) / 3, np.inf])
    often = replace(made, time_steps=4)
    np.testing.assert_allclose(bias_room(often, stock), [(room - 4) / 11.5, np.inf])
    shows = replace(made, node=made.projections[0])
    np.testing.assert_allclose(bias_room(shows, stock), [(room - 1) / 3, (room - 1) / 5])
    assert np.isinf(bias_room(plain_layer([[1.0], [1.0]]), stock)).all()


def test_two_synapses_are_not_shifted_farther_than_the_chip_can() -> None:
    made = plain_layer([[1.0, -0.5], [0.25, 1.0]])
    assert placed(made, 0, np.full(2, 16383.0), SIXTEEN) == (0, True)
    assert placed(made, 0, np.full(2, 16384.0), SIXTEEN) == (8, False)
    assert placed(made, 0, np.full(2, 127.0), EIGHT) == (0, False)
    narrow = plain_layer([[1.0, -0.5], [0.25, 1.0]], [[0.5, 0.0], [0.0, 0.5]])
    assert placed(narrow, 1, np.full(2, 510.0), EIGHT) == (0, True)
    assert placed(narrow, 0, np.full(2, 510.0), EIGHT) == (2, False)


def test_large_weights_are_shifted_so_that_a_step_stays_fine() -> None:
    small = plain_layer([[0.1, -0.3], [0.2, 0.7]])
    np.testing.assert_array_equal(steps(small, 7, EIGHT) // 2, (127 / np.array([0.3, 0.7])) // 2)
    large = plain_layer([[11.0, -13.0], [7.1, 3.3]])
    assert (steps(large, 7, EIGHT) >= scale.FINEST_STEP * 0.75).all()
    joined = plain_layer([[11.0, -13.0], [7.1, 3.3]], [[1.1, 0.4], [0.3, 0.5]])
    assert (steps(joined, 7, EIGHT) >= scale.FINEST_JOIN / 2).any()


@pytest.mark.parametrize("levels", [1, 7, 255])
def test_small_weights_leave_half_of_the_state_to_the_ceiling(levels: int) -> None:
    tiny = plain_layer(np.random.default_rng(0).uniform(-1e-5, 1e-5, (2, 70)), levels=levels)
    most = LOIHI.state_max // (2 * (levels + 1))
    np.testing.assert_array_equal(steps(tiny, levels, EIGHT), most - 1 + most % 2)


def test_a_readout_takes_what_its_weights_hold() -> None:
    made = plain_layer([[0.1, -0.3], [0.2, 0.7]])
    np.testing.assert_allclose(resolution(made, EIGHT), 127 / np.array([0.3, 0.7]))
    # one synapse that is shifted as far as the chip can holds less than two
    np.testing.assert_allclose(resolution(made, SIXTEEN), (127 << 7) / np.array([0.3, 0.7]))


def test_a_readout_fills_the_state_with_its_sums_and_what_rounding_adds() -> None:
    """Each of 70 weights may err by half a unit, over 7 levels of its source."""
    made = plain_layer(np.random.default_rng(0).uniform(0.5, 1, (2, 70)), bias=(1e6, 0.0))
    made = replace(made, node=made.projections[0])
    scale = resolution(made, EIGHT)[0]
    np.testing.assert_allclose(scale * made.span[0] + 70 * 7 / 2 + 1, LOIHI.state_max, rtol=1e-9)
    # from as far below 0 as it gets above it, it errs twice
    swings = replace(made, swings=True)
    scale = resolution(swings, EIGHT)[0]
    np.testing.assert_allclose(scale * swings.span[0] + 70 * 7 + 1, LOIHI.state_max, rtol=1e-9)


def test_a_projection_of_zeros_leaves_the_resolution_to_others() -> None:
    rows = [[10.0, -3.0], [0.2, -0.1]]
    with np.errstate(all="raise"):
        found = resolution(plain_layer(rows, [[0.0, 0.0], [0.1, 0.0]]), EIGHT)
    np.testing.assert_allclose(found, [12.7, 635])


def test_a_row_of_zeros_has_a_step_as_fine_as_weights_are() -> None:
    with np.errstate(all="raise"):
        found = steps(plain_layer([[1.0, -1.0], [0.0, 0.0]]), 7, EIGHT)
    assert found[1] == 127


def test_the_last_sums_that_the_state_holds_leave_a_step_of_1() -> None:
    most = LOIHI.state_max
    for share, step in ((0.7, 1), (0.4, 1), (0.3, 3)):
        assert steps(plain_layer([[1.0, 0], [1.0, 0]], bias=(share * most, 0)), 7, EIGHT)[0] == step
    for times, over in ((1, ""), (2, " over 2 time steps")):
        far = plain_layer([[1.0, 0], [1.0, 0]], bias=(1.1 * most / times, 0))
        with pytest.raises(SnncError, match=rf"its sums{over} reach 9.23e\+06 thresholds"):
            steps(replace(far, time_steps=times), 7, EIGHT)


@pytest.mark.parametrize("size", [0.5, 40.0])
def test_a_step_up_to_a_quarter_smaller_rounds_better(
    size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights that are shifted, and weights that are not."""
    made = plain_layer(np.random.default_rng(0).uniform(-size, size, (2, 5)))
    found = steps(made, 7, EIGHT)
    monkeypatch.setattr(scale, "SEARCHED_FAN_IN", 0)
    largest = steps(made, 7, EIGHT)
    unit = 2.0 ** placed(made, 0, largest, EIGHT)[0]
    for rows, ours, most in zip(made.rows[0], found, largest, strict=True):
        odd = np.arange(most, 0.74 * most, -2)
        assert ours in odd
        scaled = rows * odd[:, None] / unit
        lost = np.square((np.round(scaled) - scaled) / odd[:, None]).sum(1)
        # not all of them are tried
        assert np.mean(lost < lost[odd == ours]) < 0.1


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (plain_layer([[1e5, -1.0], [1.0, 1.0]]), "its weights reach 6.15 times what synapses hold"),
        (plain_layer([[1.0, 2.0], [1.0, 1.0]], bias=(0.0, 1e7)), "its sums reach 1e+07 thresholds"),
    ],
)
def test_what_no_step_holds_is_refused(made: Layer, what: str) -> None:
    with pytest.raises(SnncError, match=r"^qcfs: ") as caught:
        steps(made, 7, EIGHT)
    assert what in str(caught.value)


def two_rows(largest: float, levels: int = 255) -> Graph:
    """One neuron with a single weight, in levels of it for one level of a pixel; one with many."""
    graph = Graph("batch", 440)
    weights = graph.rng.uniform(0.5, 1, (2, 440)) * graph.rng.choice([-1, 1], 440) * levels
    weights[0] = 0
    weights[0, 0] = largest * levels
    graph.with_constants("Gemm", weights, np.zeros(2), transB=1)
    graph.qcfs(7, 7.0)
    graph.dense(2, 2)
    return graph


def test_weights_are_shifted_where_no_threshold_is_left_otherwise(tmp_path: Path) -> None:
    """Though the other neuron, whose sums fill the state, rounds the worse for it."""
    network = snnc.compile(two_rows(300.4).save(tmp_path), tmp_path / "n.h5").network
    first = network.populations[0]
    assert isinstance(first.neuron, BitSerial)
    assert first.neuron.step[0] == 1
    (projection,) = first.projections
    weights = projection.connection.weights[0]
    assert weights[0] << projection.exponent == pytest.approx(300.4, abs=4)


def test_weights_that_no_shift_holds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnncError) as caught:
        snnc.compile(two_rows(50_000.3, 15).save(tmp_path), tmp_path / "n.h5", input_bits=4)
    (problem,) = caught.value.problems
    assert problem.what == (
        "its weights reach 3.08 times what synapses hold, with a threshold of 1 unit; "
        "allowed: up to 1 times"
    )
    assert "`weight_bits`" in problem.mend


def network(scale: float) -> Graph:
    """Rows of zeros, whole and in part, in two layers of tiny or of large weights."""
    graph = Graph("batch", 2, 8, 8)
    kernels = graph.rng.normal(size=(4, 2, 3, 3)) * scale
    kernels[1], kernels[2, 0] = 0, 0
    graph.with_constants("Conv", kernels, graph.rng.normal(size=4) * scale)
    graph.qcfs(7, 2.0 * scale)
    graph.node("Flatten")
    rows = graph.rng.normal(size=(3, 144)) * scale
    rows[1], rows[2, :70] = 0, 0
    graph.with_constants("Gemm", rows, graph.rng.normal(size=3) * scale**2, transB=1)
    return graph


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_no_scale_of_the_weights_costs_accuracy(scale: float, tmp_path: Path) -> None:
    graph = network(scale)
    path, x = graph.save(tmp_path), graph.rng.integers(0, 256, (9, 2, 8, 8)).astype(np.uint8)
    snnc.compile(path, weight_bits=16)
    found = snnc.run(path.with_suffix(".h5"), Data(x), engine="golden").result.logits
    expected = run_onnx(graph.model(), x / 255)
    np.testing.assert_allclose(found[:, 1], expected[:, 1], rtol=1e-3)
    assert np.corrcoef(found[:, 0], expected[:, 0])[0, 1] > 0.999


@pytest.mark.parametrize("version", [1, 8])
def test_a_model_without_operator_sets_runs_as_it_is_read(version: int, tmp_path: Path) -> None:
    graph = network(1.0)
    model = graph.model()
    model.ir_version = version
    del model.opset_import[:]
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    snnc.compile(path)
    x = graph.rng.uniform(size=(3, 2, 8, 8)).astype(np.float32)
    found = executable(load_model(path), "model").run(x)
    np.testing.assert_allclose(found, run_onnx(graph.model(), x), atol=1e-4)
