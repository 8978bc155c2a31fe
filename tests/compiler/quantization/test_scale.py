from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layers import plain_layer

from snnc.compiler.errors import SnncError
from snnc.compiler.quantization import scale
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.scale import bias_room, exponent, placed, resolution, steps
from snnc.compiler.target import LOIHI, STOCK

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


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (plain_layer([[1e5, -1.0], [1.0, 1.0]]), "one level of its source moves it by"),
        (plain_layer([[1.0, 2.0], [1.0, 1.0]], bias=(0.0, 1e7)), "its sums reach 1e+07 thresholds"),
    ],
)
def test_what_no_step_holds_is_refused(made: Layer, what: str) -> None:
    with pytest.raises(SnncError, match=r"^qcfs: ") as caught:
        steps(made, 7, EIGHT)
    assert what in str(caught.value)
