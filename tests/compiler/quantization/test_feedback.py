import numpy as np
import pytest

from snnc.compiler.quantization.feedback import Statistics, best_clips, rounded

RNG = np.random.default_rng(0)


def statistics(groups: int, fan_in: int, samples: int = 4000) -> Statistics:
    """Correlated non-negative inputs, as the levels of neighbouring pixels are."""
    causes = -(-fan_in // 4)
    mixed = RNG.normal(size=(groups, samples, causes)) @ RNG.normal(size=(groups, causes, fan_in))
    x = np.clip(np.round(4 * mixed), 0, 15)
    mean = x.mean(1)
    centred = x - mean[:, None]
    return Statistics(mean, np.swapaxes(centred, 1, 2) @ centred / samples)


@pytest.mark.parametrize(("groups", "channels", "fan_in"), [(1, 16, 200), (12, 24, 9)])
def test_feedback_loses_much_less_than_plain_rounding(
    groups: int, channels: int, fan_in: int
) -> None:
    found = statistics(groups, fan_in)
    weights = RNG.uniform(-7, 7, (channels, fan_in))
    fed = rounded(weights, found, -7, 7)
    plain = np.clip(np.round(weights), -7, 7)
    assert found.cost(weights - fed).sum() < 0.6 * found.cost(weights - plain).sum()
    assert np.abs(fed).max() <= 7


def test_inputs_of_their_own_are_rounded_to_the_nearest() -> None:
    found = Statistics(np.zeros((1, 6)), np.eye(6)[None])
    weights = RNG.normal(size=(4, 6)) * 5
    np.testing.assert_array_equal(rounded(weights, found, -99, 99), np.round(weights))


def test_inputs_that_never_come_do_no_harm() -> None:
    covariance = np.eye(5)
    covariance[2, 2] = 0
    found = Statistics(np.zeros((1, 5)), covariance[None])
    assert np.abs(rounded(RNG.normal(size=(3, 5)) * 50, found, -127, 127)).max() <= 127
    nothing = Statistics(np.zeros((1, 5)), np.zeros((1, 5, 5)))
    assert np.isfinite(rounded(np.ones((3, 5)), nothing, -1, 1)).all()


def test_signs_may_be_kept_out() -> None:
    found = statistics(1, 20)
    assert rounded(np.abs(RNG.normal(size=(4, 20))) * 4, found, 0, 15).min() >= 0


def test_cost_and_shift_are_those_of_the_sums() -> None:
    found = statistics(2, 3)
    errors = RNG.normal(size=(4, 3))
    rows = errors.reshape(2, 2, 3)
    np.testing.assert_allclose(found.cost(errors)[3], rows[1, 1] @ found.covariance[1] @ rows[1, 1])
    np.testing.assert_allclose(found.shift(errors)[1], rows[0, 1] @ found.mean[0])


def test_an_outlier_is_clipped_and_nothing_else() -> None:
    found = Statistics(np.zeros((1, 400)), np.eye(400)[None])
    rows = RNG.uniform(-1, 1, (2, 400))
    rows[1, 0] = 1.6
    clips = best_clips(rows, found, 7)
    assert clips[0] > 0.9
    assert clips[1] < 0.8
