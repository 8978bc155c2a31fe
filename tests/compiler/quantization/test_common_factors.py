import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.laws import Integers
from snnc.compiler.quantization.common_factors import NOISE, whole_rows

SEEDS = st.integers(0, 2**32 - 1)


def in_lowest_terms(whole: Integers) -> Integers:
    return whole // np.maximum(np.gcd.reduce(whole, axis=1, keepdims=True), 1)


@given(SEEDS, st.sampled_from([1, 3, 7, 127, 255, 32767]), st.sampled_from([1e-12, 1e-6, 1.0, 1e9]))
@settings(max_examples=60, deadline=None)
def test_rows_are_found_again_whatever_their_factors(seed: int, top: int, scale: float) -> None:
    """Rounded to float32 after the product; rows of zeros and even rows among them."""
    rng = np.random.default_rng(seed)
    whole = rng.integers(-top, top + 1, (6, 30))
    whole[2], whole[4] = 0, whole[4] // 2 * 2
    factors = rng.uniform(0.5, 900, (6, 1)) * scale
    rows = (whole * factors).astype(np.float32).astype(float)
    found = whole_rows([rows[:, None]])
    assert found is not None
    assert found.is_certain
    np.testing.assert_array_equal(found.weights[0][:, 0], in_lowest_terms(whole))
    assert np.all(found.r > 0)


def test_the_factor_is_one_for_all_projections_of_a_channel() -> None:
    first, second = np.array([[2.0, 4.0]]), np.array([[3.0]])
    found = whole_rows([first[:, None] / 7, second[:, None] / 7])
    assert found is not None
    assert [each.tolist() for each in found.weights] == [[[[2, 4]]], [[[3]]]]
    np.testing.assert_allclose(found.r, 1 / 7)
    assert found.reach((3, 10)) == (0, 48)
    assert whole_rows([first[:, None], np.sqrt(second[:, None])]) is None


@pytest.mark.parametrize("fan_in", [4, 40])
def test_random_floats_are_no_whole_numbers(fan_in: int) -> None:
    rng = np.random.default_rng(0)
    assert all(whole_rows([rng.normal(size=(8, 1, fan_in))]) is None for _ in range(20))
    assert whole_rows([np.zeros((3, 1, fan_in))]) is None


def test_few_weights_are_whole_by_chance() -> None:
    """Two weights are nearly a ratio of whole numbers, if these may be large."""
    rng = np.random.default_rng(1)
    assert all(whole_rows([rng.normal(size=(3, 1, 2))]) is None for _ in range(20))
    single = whole_rows([rng.normal(size=(3, 1, 1))])
    assert single is not None
    assert not single.is_certain


@pytest.mark.parametrize("times", [1, 50])
def test_weights_that_repeat_are_no_more_likely_whole(times: int) -> None:
    """As those of a convolution that became a matrix; signs repeat too, and are whole."""
    rng = np.random.default_rng(0)
    few = (np.tile(rng.normal(size=(4, 1, 4)), (1, 1, times)) for _ in range(20))
    assert all(whole_rows([each]) is None for each in few)
    signs = whole_rows([rng.choice([-0.3, 0.0, 0.3], (4, 1, 40))])
    assert signs is not None
    assert signs.is_certain


def test_a_single_weight_among_zeros_rules_out_what_it_must() -> None:
    """Each k that fits the others is not tried against all of them in turn."""
    rows = np.zeros((1, 1, 1 << 20))
    rows[0, 0, [7, 70_001, 900_003]] = 251, 170, 89
    found = whole_rows([rows / 3, rows[:, :, ::-1] / 3])
    assert found is not None
    np.testing.assert_array_equal(found.weights[0], rows)
    rows[0, 0, 1 << 19] = np.pi
    assert whole_rows([rows]) is None


def test_weights_of_one_byte_may_meet() -> None:
    whole = np.random.default_rng(0).integers(0, 256, (2, 2, 1, 30))
    whole[:, :, 0, 0] = 255
    found = whole_rows(list(whole / 7))
    assert found is not None
    np.testing.assert_array_equal(found.weights, whole)
    whole[0, :, 0, 0] = 256 + 1
    assert whole_rows(list(whole / 7)) is None


@pytest.mark.parametrize(("off", "even"), [(NOISE, True), (NOISE * (1 + 1e-6), False)])
def test_a_weight_may_be_off_by_a_share_of_the_largest(off: float, even: bool) -> None:
    """A half that is twice as far off as it may be is no half."""
    found = whole_rows([np.array([[[4.0, 2 + 4 * off]]])])
    assert (found is not None and found.weights[0].tolist() == [[[2, 1]]]) == even
