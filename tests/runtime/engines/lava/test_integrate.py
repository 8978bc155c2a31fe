"""The law of neurons that integrate and fire, against closed forms and the theorems as printed."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.laws import Integers, OffsetSpike, Rate
from snnc.compiler.rules.timing import Slot, Window
from snnc.compiler.spiking import Population
from snnc.runtime.engines.lava.integrate import OffsetSpikeNeurons, RateNeurons
from snnc.runtime.engines.lava.membrane import HIGHEST_STATE, LOWEST_STATE

Floats: TypeAlias = npt.NDArray[np.float64]
NEURONS = 300
UNIT = 1 / 256
EPSILON = 2.0**-20
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=10, deadline=None)


def population(neuron: Rate | OffsetSpike, bias: Integers | None = None) -> Population:
    shape = neuron.threshold.shape
    return Population("p", shape, (), np.zeros(shape, int) if bias is None else bias, neuron)


def rate_spikes(neuron: Rate, bias: Integers, images: Integers) -> Integers:
    """Trains (images, T, neurons) for currents of the same shape, one image after another."""
    steps = neuron.time_steps
    slot = Slot((Window(1, steps, "spikes"),), 1, steps)
    law = RateNeurons(population(neuron, bias), slot, steps)
    silence = law.step(0, images[0, 0].astype(np.int32))
    assert not silence.any()
    currents = images.reshape(-1, images.shape[-1]).astype(np.int32)
    fired = [law.step(1 + now, each).copy() for now, each in enumerate(currents)]
    assert law.overflows == 0
    return np.reshape(fired, images.shape).astype(np.int64)


def turns(neuron: OffsetSpike, images: Integers) -> Integers:
    """Turns (images, time steps, neurons) of calibrating neurons for currents (images, T, …)."""
    again = [images[:, : neuron.rho]] * (neuron.iterations - 1)
    heard = np.concatenate([images, *again, images], axis=1)
    period, fire = neuron.turn, 1 + neuron.wait
    slot = Slot((Window(1, period, "spikes"),), fire, period)
    law = OffsetSpikeNeurons(population(neuron), slot, period)
    currents = np.zeros((fire + period * len(images), images.shape[-1]), np.int32)
    currents[1 : 1 + period * len(images)] = heard.reshape(-1, images.shape[-1])
    fired = np.array([law.step(now, each).copy() for now, each in enumerate(currents)], np.int64)
    assert law.overflows == 0
    assert not fired[:fire].any()
    return fired[fire:].reshape(len(images), period, -1)


def trains(neuron: OffsetSpike, images: Integers) -> Integers:
    """The trains of the turns, which are sent once, from their start on again, and once more."""
    found = turns(neuron, images)
    train = found[:, : neuron.span]
    again = [train[:, : neuron.rho]] * (neuron.iterations - 1)
    np.testing.assert_array_equal(found, np.concatenate([train, *again, train], axis=1))
    return train


def random_currents(seed: int, steps: int, step: int) -> Integers:
    """Two images of currents around and beyond a threshold, some nearly balanced."""
    rng = np.random.default_rng(seed)
    spread = rng.uniform(0.2, 2.0, (2, 1, NEURONS)) * step
    drift = rng.uniform(-0.3, 0.8, (2, 1, NEURONS)) * step
    return np.round(rng.normal(size=(2, steps, NEURONS)) * spread + drift).astype(np.int64)


def wanted(currents: Integers, step: int) -> Integers:
    """Spikes (images, neurons) of a neuron that hears its currents evenly."""
    steps = currents.shape[1]
    return np.clip((currents.sum(1) + step // 2) // step, 0, steps)


@given(SEEDS, st.integers(1, 20))
@FEW
def test_a_constant_current_gives_the_staircase(seed: int, steps: int) -> None:
    rng = np.random.default_rng(seed)
    step = rng.integers(1, 500, NEURONS)
    initial, bias = rng.integers(0, step), rng.integers(-200, 200, NEURONS)
    current = rng.integers(-200, 900, (3, 1, NEURONS))
    images = np.repeat(current, steps, axis=1)
    found = rate_spikes(Rate(step, initial, steps), bias, images).sum(1)
    expected = np.clip((steps * (current[:, 0] + bias) + initial) // step, 0, steps)
    np.testing.assert_array_equal(found, expected)


def test_qcfs_with_as_many_levels_as_time_steps() -> None:
    levels, threshold = 8, 1024
    x = np.arange(-300, 1500, 7)
    neuron = Rate(np.full(x.size, threshold), np.full(x.size, threshold // 2), levels)
    images = np.broadcast_to(x, (1, levels, x.size))
    (found,) = rate_spikes(neuron, np.zeros(x.size, int), images).sum(1)
    qcfs = np.clip(np.floor(x * levels / threshold + 0.5), 0, levels)
    np.testing.assert_array_equal(found, qcfs)


@pytest.mark.parametrize("value", [HIGHEST_STATE + 1, LOWEST_STATE - 1])
def test_a_potential_beyond_24_bits_is_counted(value: int) -> None:
    slot = Slot((Window(0, 1, "spikes"),), 0, 1)
    law = RateNeurons(population(Rate(np.array([5]), np.array([0]), 1)), slot, 1)
    law.step(0, np.array([value], np.int32))
    assert law.overflows > 0


# The theorems as printed, in floats that hold every number here


def float_pass(currents: Floats, start: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Spikes of a threshold 1, v(ρ), the least v after a spike, the greatest without."""
    v, least, most = start.copy(), np.full_like(start, np.inf), np.full_like(start, -np.inf)
    spikes = []
    for current in currents:
        v += current
        s = v >= 1.0
        v -= s
        least = np.where(s, np.minimum(least, v), least)
        most = np.where(s, most, np.maximum(most, v))
        spikes.append(s)
    return np.array(spikes, np.float64), v, least, most


def float_train(currents: Floats, iterations: int) -> Floats:
    """Hao et al., ICLR 2023, Theorems 1 and 2: θ = 1, v(0) = ½, T = ρ."""
    first = np.full(currents.shape[1:], 0.5)
    start = first
    for _ in range(iterations):
        spikes, end, least, most = float_pass(currents, start)
        residual = end - (start - first)
        count = spikes.sum(0)
        fewer = (residual < 0) & (count > 0)
        more = (residual >= 1) & (count < len(currents))
        down = np.maximum(1.0, least + EPSILON)
        up = np.maximum(1.0, 1.0 - most + EPSILON)
        start = np.where(fewer, start - down, np.where(more, start + up, start))
    return float_pass(currents, start)[0]


@pytest.mark.parametrize("steps", [4, 8, 16])
@pytest.mark.parametrize("iterations", [1, 2, 3])
@given(seed=SEEDS)
@FEW
def test_the_integers_fire_as_the_theorems_do(seed: int, steps: int, iterations: int) -> None:
    step = round(1 / UNIT)
    currents = random_currents(seed, steps, step)
    neuron = OffsetSpike(
        np.full(NEURONS, step), np.full(NEURONS, step // 2), steps, steps, iterations
    )
    expected = [float_train(each * UNIT, iterations) for each in currents]
    np.testing.assert_array_equal(trains(neuron, currents), expected)


@pytest.mark.parametrize("rho", [4, 8, 16])
@given(seed=SEEDS, step=st.integers(2, 999))
@FEW
def test_each_calibration_moves_every_offset_by_one_spike(seed: int, step: int, rho: int) -> None:
    currents = random_currents(seed, rho, step)
    thresholds, initial = np.full(NEURONS, step), np.full(NEURONS, step // 2)
    target = wanted(currents, step)
    rate = Rate(thresholds, initial, rho)
    count = rate_spikes(rate, np.zeros(NEURONS, int), currents).sum(1)
    shares = [np.mean(count == target)]
    for k in range(1, rho + 1):
        neuron = OffsetSpike(thresholds, initial, rho, rho, k)
        calibrated = trains(neuron, currents).sum(1)
        np.testing.assert_array_equal(calibrated, count + np.sign(target - count))
        count = calibrated
        shares.append(np.mean(count == target))
        if shares[-1] == 1:
            break
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert shares[0] < 1


@given(SEEDS, st.integers(1, 6), st.integers(1, 6))
@FEW
def test_light_starts_from_the_residual_where_there_is_an_offset(
    seed: int, steps: int, rho: int
) -> None:
    step = 100
    currents = random_currents(seed, max(steps, rho), step)
    thresholds, initial = np.full(NEURONS, step), np.full(NEURONS, step // 2)
    silence = np.zeros(NEURONS, int)
    twice = np.concatenate([currents[:, :rho], currents], axis=1)
    fired = rate_spikes(Rate(thresholds, initial, twice.shape[1]), silence, twice)
    plain = rate_spikes(Rate(thresholds, initial, currents.shape[1]), silence, currents)
    desired = np.clip((currents[:, :rho].sum(1) + step // 2) // step, 0, rho)
    offset = fired[:, :rho].sum(1) != desired
    expected = np.where(offset[:, None], fired[:, rho:], plain)
    neuron = OffsetSpike(thresholds, initial, steps, rho, light=True)
    np.testing.assert_array_equal(trains(neuron, currents), expected)
