import numpy as np
import pytest

from snnc.compiler.quantization import feedback
from snnc.compiler.quantization.feedback import Statistics, best_clips, rounded

RNG = np.random.default_rng(0)
START = RNG.bit_generator.state


@pytest.fixture(autouse=True)
def _same_numbers() -> None:
    """Whatever ran before."""
    RNG.bit_generator.state = START


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


def best_fed_back(row: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """The most active input first; those still to come make up for all errors so far, by least
    squares."""
    damped = covariance + np.eye(len(row)) * (feedback.DAMPING * np.trace(covariance) / len(row))
    found, order = np.zeros_like(row), np.argsort(-np.diag(covariance), kind="stable")
    moved = row.copy()
    for i, each in enumerate(order):
        found[each] = np.round(moved[each])
        done, left = order[: i + 1], order[i + 1 :]
        errors = row[done] - found[done]
        gain = np.linalg.inv(damped[np.ix_(left, left)]) @ damped[np.ix_(left, done)]
        moved[left] = row[left] + gain @ errors
    return found


@pytest.mark.parametrize("block", [2, 5, 128])
def test_later_weights_make_up_for_earlier_ones(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(feedback, "BLOCK", block)
    found = statistics(1, 9)
    rows = RNG.normal(size=(12, 9)) * 20
    expected = [best_fed_back(row, found.covariance[0]) for row in rows]
    np.testing.assert_array_equal(rounded(rows, found, -999, 999), expected)


def test_groups_are_rounded_on_their_own() -> None:
    one = statistics(1, 6)
    found = Statistics(
        np.repeat(one.mean, 3, 0), one.covariance * np.array([1, 2, 9])[:, None, None]
    )
    rows = RNG.normal(size=(6, 6)) * 20
    expected = [best_fed_back(row, one.covariance[0]) for row in rows]
    np.testing.assert_array_equal(rounded(rows, found, -99, 99), expected)


def test_a_clip_is_the_share_that_costs_least() -> None:
    found = statistics(2, 7)
    rows = RNG.normal(size=(4, 7))
    rows[3] = 0
    variance = np.repeat(np.einsum("gff->gf", found.covariance), 2, 0)
    peak = np.abs(rows).max(1)

    def cost(channel: int, share: float) -> float:
        unit = (peak[channel] or 1) * share / 3
        error = np.clip(np.round(rows[channel] / unit), -3, 3) * unit - rows[channel]
        return float((error**2 * variance[channel]).sum())

    expected = [min(np.linspace(1, 0.5, 11), key=lambda s: cost(c, s)) for c in range(4)]
    with np.errstate(all="raise"):
        np.testing.assert_allclose(best_clips(rows, found, 3), expected)


def test_an_outlier_is_clipped_and_nothing_else() -> None:
    found = Statistics(np.zeros((1, 400)), np.eye(400)[None])
    rows = RNG.uniform(-1, 1, (2, 400))
    rows[1, 0] = 1.6
    clips = best_clips(rows, found, 7)
    assert clips[0] > 0.9
    assert clips[1] < 0.8
