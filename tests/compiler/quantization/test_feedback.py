from itertools import product

import numpy as np
import pytest

from snnc.compiler.quantization import feedback
from snnc.compiler.quantization.feedback import Statistics, descended, fed_back, rounded

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
    centred = x - x.mean(1)[:, None]
    return Statistics(np.swapaxes(centred, 1, 2) @ centred / samples)


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
    found = Statistics(np.eye(6)[None])
    weights = RNG.normal(size=(4, 6)) * 5
    np.testing.assert_array_equal(rounded(weights, found, -99, 99), np.round(weights))


def test_inputs_that_never_come_do_no_harm() -> None:
    covariance = np.eye(5)
    covariance[2, 2] = 0
    found = Statistics(covariance[None])
    assert np.abs(rounded(RNG.normal(size=(3, 5)) * 50, found, -127, 127)).max() <= 127
    nothing = Statistics(np.zeros((1, 5, 5)))
    assert np.isfinite(rounded(np.ones((3, 5)), nothing, -1, 1)).all()


def test_signs_may_be_kept_out() -> None:
    found = statistics(1, 20)
    assert rounded(np.abs(RNG.normal(size=(4, 20))) * 4, found, 0, 15).min() >= 0


def test_the_cost_is_that_of_the_sums() -> None:
    found = statistics(2, 3)
    errors = RNG.normal(size=(4, 3))
    rows = errors.reshape(2, 2, 3)
    np.testing.assert_allclose(found.cost(errors)[3], rows[1, 1] @ found.covariance[1] @ rows[1, 1])


def tiny(seed: int) -> tuple[Statistics, np.ndarray]:
    """Four correlated inputs, and weights of three channels in units."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(50, 4)) @ rng.normal(size=(4, 4))
    return Statistics(np.cov(x.T, ddof=0)[None]), rng.normal(size=(3, 4)) * 1.5


@pytest.mark.parametrize("seed", range(20))
def test_no_channel_costs_more_than_rounded_to_the_nearest(seed: int) -> None:
    found, weights = tiny(seed)
    nearest = np.clip(np.round(weights), -2, 1)
    whole = rounded(weights, found, -2, 1)
    assert np.all(found.cost(weights - whole) <= found.cost(weights - nearest) + 1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_descent_never_loses_and_ends_where_no_single_weight_helps(seed: int) -> None:
    found, weights = tiny(seed)
    start = RNG.integers(-2, 2, weights.shape).astype(float)
    whole = descended(start, weights, found, -2, 1)
    least = found.cost(weights - whole)
    assert np.all(least <= found.cost(weights - start) + 1e-9)
    for i in range(4):
        for move in (-1, 1):
            other = whole.copy()
            other[:, i] = np.clip(other[:, i] + move, -2, 1)
            assert np.all(least <= found.cost(weights - other) + 1e-9)


def test_tiny_rows_come_near_the_best_of_all_whole_numbers() -> None:
    every = np.array(list(product(range(-2, 2), repeat=4)), float)
    found, best, nearest = 0.0, 0.0, 0.0
    for seed in range(30):
        statistics, weights = tiny(seed)
        for row in weights:
            found += statistics.cost(row - rounded(row[None], statistics, -2, 1))[0]
            best += statistics.cost(row - every).min()
            nearest += statistics.cost((row - np.clip(np.round(row), -2, 1))[None])[0]
    # nine tenths of the way from the nearest to the best
    assert found - best < 0.1 * (nearest - best)


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
    np.testing.assert_array_equal(fed_back(rows, found, -999, 999), expected)


def test_blocks_of_inputs_count_on_their_own() -> None:
    one = statistics(3, 8)
    # the last input of the last block never comes: 23 inputs in all
    one.covariance[2, 7] = one.covariance[2, :, 7] = 0
    whole = np.zeros((24, 24))
    for k in range(3):
        whole[8 * k : 8 * k + 8, 8 * k : 8 * k + 8] = one.covariance[k]
    rows = RNG.normal(size=(12, 23)) * 20
    together = Statistics(whole[None, :23, :23])
    np.testing.assert_allclose(one.cost(rows), together.cost(rows))
    for round_ in (fed_back, rounded):
        found = round_(rows, one, -99, 99)
        assert found.shape == rows.shape
        assert one.cost(rows - found).sum() < 0.7 * one.cost(rows - np.round(rows)).sum()


def test_groups_are_rounded_on_their_own() -> None:
    one = statistics(1, 6)
    found = Statistics(one.covariance * np.array([1, 2, 9])[:, None, None])
    rows = RNG.normal(size=(6, 6)) * 20
    expected = [best_fed_back(row, one.covariance[0]) for row in rows]
    np.testing.assert_array_equal(fed_back(rows, found, -99, 99), expected)
