"""Thresholds of whole sums, held against every sum and every bias."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats
from snnc.compiler.quantization.thresholds import Grid, Thresholds
from snnc.compiler.target import LOIHI

BIASES = np.arange(-500, 501)


def drawn(seed: int) -> Thresholds:
    """Four channels of three biases; sums from below 0 or from above, some beyond all levels."""
    rng = np.random.default_rng(seed)
    low, levels = rng.integers(-12, 6, 4), int(rng.choice([1, 3, 6]))
    r, biases = rng.uniform(0.1, 1.5, 4), rng.uniform(-3, levels + 2, (4, 3))
    return Thresholds(r, biases, np.arange(3), low, low + rng.integers(1, 20, 4), levels, LOIHI)


def real(asked: Thresholds, channel: int, sums: Integers) -> Integers:
    """The levels of sums for each bias: (biases, sums)."""
    exact = asked.r[channel] * sums + asked.biases[channel][:, None]
    return np.clip(np.floor(exact), 0, asked.levels)


def crossed(levels: Floats, most: int) -> Floats:
    """How many sums lie below each level: (…, levels)."""
    return (levels[..., None] < np.arange(1, most + 1)).sum(-2)


@pytest.mark.parametrize("seed", range(6))
def test_a_level_is_met_by_the_least_sum_that_gives_it(seed: int) -> None:
    asked, inside = drawn(seed), 0
    for channel, (low, high) in enumerate(zip(asked.low, asked.high, strict=True)):
        below = crossed(real(asked, channel, np.arange(low, high + 1)), asked.levels)
        np.testing.assert_array_equal(asked.met[channel], low + below)
        inside += np.count_nonzero((below > 0) & (below <= high - low))
    assert asked.reachable == inside


@pytest.mark.parametrize(("seed", "state_bits"), [*product(range(30), [24]), (30, 5), (31, 5)])
def test_no_bias_gives_fewer_sums_another_level(seed: int, state_bits: int) -> None:
    """Of both steps, and none that the state does not hold."""
    limits = replace(LOIHI, state_bits=state_bits)
    asked = replace(drawn(seed), limits=limits)
    times = np.random.default_rng(seed).choice([1, 2, 5] if state_bits > 5 else [1], 4)
    grid = asked.on(times)
    for channel, (low, high) in enumerate(zip(asked.low, asked.high, strict=True)):
        m, wanted = times[channel], real(asked, channel, np.arange(low, high + 1))
        sums = m * np.arange(min(low, 0), max(high, 0) + 1)
        offers = BIASES[
            (BIASES + sums[0] >= limits.state_min) & (BIASES + sums[-1] <= limits.state_max)
        ]
        most = max((limits.state_max + 1) // (asked.levels + 1), 1)
        steps = {int(np.clip(f(m / asked.r[channel]), 1, most)) for f in (np.floor, np.ceil)}
        assert grid.step[channel] in steps
        least = []
        for step in steps:
            sent = m * np.arange(low, high + 1) + offers[:, None]
            levels = np.clip(sent // step, 0, asked.levels)
            # (biases on offer, biases that differ)
            wrong = np.abs(levels[:, None] - wanted).sum(2)
            least.append(wrong.min(0).sum())
            if step == grid.step[channel]:
                places = np.searchsorted(offers, grid.bias[channel])
                ours = crossed(levels[places], asked.levels)
        assert grid.wrong[channel] == min(least)
        off = np.abs(ours - crossed(wanted, asked.levels))
        assert grid.wrong[channel] == off.sum()
        assert grid.moved[channel] == np.count_nonzero(off)
        assert grid.farthest[channel] == off.max()


def test_the_state_holds_the_ceiling_of_all_levels() -> None:
    """(N + 1)·Δ − 1, though a larger step would come nearer."""
    zero, few = np.zeros((1, 1)), (np.array([0]), np.array([3]))
    for bits, step in ((4, 1), (5, 2), (6, 3)):
        limits = replace(LOIHI, state_bits=bits)
        asked = Thresholds(np.array([0.33]), zero, np.zeros(1, int), *few, 6, limits)
        assert asked.on(np.array([1])).step.tolist() == [step]


@pytest.mark.parametrize("times", [1, 2])
def test_thresholds_that_no_sum_reaches_are_met_as_well_if_they_can_be(times: int) -> None:
    """⌊S/3 + b⌋ is met at all levels, whatever arrives; beside a channel that cannot be."""
    rng = np.random.default_rng(0)
    ends, biases = (np.array([1, -300]), np.array([2, 300])), rng.uniform(-7, 7, (2, 9))
    asked = Thresholds(np.array([1 / 3, 0.7123]), biases, np.arange(9), *ends, 9, LOIHI)
    grid = asked.on(np.array([times, 1]))
    assert (grid.wrong[0], grid.far[0]) == (0, 0)
    assert grid.wrong[1] > 0
    j = np.arange(1, 10)
    ours = -((grid.bias[0][:, None] - j * grid.step[0]) // times)
    np.testing.assert_array_equal(ours, np.ceil((j - biases[0][:, None]) * 3))


@pytest.mark.parametrize("off", [-1e-7, 0, 1e-7])
def test_a_rounding_of_float32_moves_no_threshold(off: float) -> None:
    zero, few = np.zeros((1, 1)), (np.array([0]), np.array([100]))
    asked = Thresholds(np.array([(1 + off) / 3]), zero, np.zeros(1, int), *few, 9, LOIHI)
    np.testing.assert_array_equal(asked.met[0, 0], 3 * np.arange(1, 10))


def test_a_channel_takes_the_better_grid() -> None:
    """Fewer wrong sums, else fewer thresholds, else an odd step if one is asked for."""
    cases = list(product((2, 3), (5, 6), (7, 8), repeat=2))
    ours, theirs = np.array(cases)[:, :3], np.array(cases)[:, 3:]
    first, second = (
        Grid(s, each[:, 2], s[:, None], each[:, 0], s, each[:, 1], s)
        for s, each in ((np.zeros(len(cases), int), ours), (np.ones(len(cases), int), theirs))
    )
    for odd in (False, True):
        found = first.better_of(second, odd=odd)
        keys = [
            [(wrong, far, odd and step % 2 == 0) for wrong, far, step in each]
            for each in (ours, theirs)
        ]
        expected = [b < a for a, b in zip(*keys, strict=True)]
        np.testing.assert_array_equal(found.times, expected)
        np.testing.assert_array_equal(found.wrong, np.where(expected, theirs[:, 0], ours[:, 0]))
