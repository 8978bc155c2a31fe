"""Whole weights of neurons that count spikes, and of read-outs."""

from dataclasses import replace

import numpy as np
import pytest
from support.layers import plain_layer

from snnc.compiler.quantization.common_factors import WholeRows
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.scale import BIAS_SHARE
from snnc.compiler.quantization.whole_numbers import NotKept
from snnc.compiler.quantization.whole_scales import (
    TOLERANCE,
    SpikingStep,
    bias_too_far,
    finest_exponent,
    spiking_step,
)
from snnc.compiler.target import LOIHI, STOCK

EIGHT, BARE = Precision(LOIHI, 8), Precision(STOCK, 8)
ROOM = BIAS_SHARE * STOCK.bias_max - 1
"""Units of a bias that a stock neuron is given."""


def whole(
    theta: float, peak: float = 1, bias: tuple[float, float] = (0.0, 0.0)
) -> tuple[Layer, WholeRows]:
    """Whole weights, a threshold of so many of their units, and a bias in these units."""
    rows = np.array([[peak, -1.0], [1.0, 0.0]])
    made = plain_layer(rows / theta, bias=(bias[0] / theta, bias[1] / theta))
    return made, WholeRows((rows.astype(int)[:, None],), np.full(2, 1 / theta), is_certain=True)


@pytest.mark.parametrize("seed", range(20))
def test_a_threshold_is_met_by_the_least_shift_that_does(seed: int) -> None:
    theta = float(np.random.default_rng(seed).uniform(5, 100))
    off = [abs(round(theta * 2**e) / (theta * 2**e) - 1) for e in range(8)]
    found = spiking_step(*whole(theta, peak=127), EIGHT)
    if min(off) > TOLERANCE:
        assert isinstance(found, NotKept)
        assert f"off by {100 * min(off):.2g} %" in found.what
        return
    assert isinstance(found, SpikingStep)
    assert found.exponent == next(e for e in range(8) if off[e] <= TOLERANCE)
    assert found.times[0] == 1
    np.testing.assert_allclose(found.step, theta * found.times * 2**found.exponent, rtol=1e-3)


def test_a_threshold_that_no_shift_meets_is_told() -> None:
    found = spiking_step(*whole(0.3), EIGHT)
    assert isinstance(found, NotKept)
    # 38 for 38.4
    assert found.what == "a threshold would be off by 1 % of itself"


def test_sums_and_thresholds_take_half_of_the_state_each() -> None:
    span = LOIHI.state_max / (2 * 2 * 5.5)
    found = spiking_step(*whole(10.5, bias=(span - 7, 0.0)), EIGHT)
    assert isinstance(found, SpikingStep)
    assert (found.exponent, found.times[0], found.step[0]) == (1, 5, 105)
    far = spiking_step(*whole(10.5, bias=(1e7, 0.0)), EIGHT)
    assert isinstance(far, NotKept)
    assert far.what.startswith("their sums reach 100000")


def test_a_stock_neuron_holds_a_bias_as_large_as_its_room() -> None:
    at_most = whole(64, bias=(ROOM, 0.0))
    assert isinstance(spiking_step(*at_most, BARE), SpikingStep)
    beyond = spiking_step(*whole(64, bias=(ROOM * 1.01, 0.0)), BARE)
    assert isinstance(beyond, NotKept)
    assert beyond.what == "their bias reaches 4.01e+03 units of the sum; a stock neuron holds 4095"
    shown, rows = at_most
    assert finest_exponent(replace(shown, node=shown.projections[0]), rows, BARE) == 0


def test_a_map_of_biases_reaches_as_far_as_any() -> None:
    made, rows = whole(64)
    biases = np.array([[[1.0, -80.0, 2.0]], [[3.0, 4.0, 5.0]]])
    found = bias_too_far(replace(made, bias=biases), rows, BARE)
    assert found.what.startswith("their bias reaches 5.12e+03 units")


@pytest.mark.parametrize(("bias", "shift"), [(5.0, 0), (0.375, 3), (-2.5, 1), (np.pi, 7)])
def test_a_read_out_is_shifted_until_its_bias_is_whole(bias: float, shift: int) -> None:
    made, rows = whole(64, bias=(bias, 2.0))
    assert finest_exponent(replace(made, node=made.projections[0]), rows, EIGHT) == shift


def test_one_weight_that_no_synapse_holds_is_enough() -> None:
    made, rows = whole(64, peak=200)
    found = finest_exponent(replace(made, node=made.projections[0]), rows, EIGHT)
    assert isinstance(found, NotKept)
    assert found.what.startswith("they span -1..200")
