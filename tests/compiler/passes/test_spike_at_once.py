"""The spikes of T time steps in one: copies, parallel spike generation and rate neurons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.integer_law import deliver, evaluate, integrate
from support.spiking_networks import SEEDS, chain_of, unscheduled

from snnc.compiler.inputs import GradedInput
from snnc.compiler.laws import Copies, Integers, OffsetSpike, Rate, Readout
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.passes.spike_at_once import spike_at_once
from snnc.compiler.spiking import Dense, Projection, SpikingNetwork

INPUTS = np.array([1, 1, 5, 19, 49])
"""The published example in tenths: 0.1, 0.1, 0.5, 1.9, 4.9."""
THRESHOLD = 20


def integrated(currents: Integers, threshold: int) -> list[int]:
    """The spikes of an integrate-and-fire neuron that starts at 0."""
    spikes, _ = integrate(currents[:, None], np.zeros(1, int), np.array([threshold]))
    return spikes[:, 0].tolist()


def generated(currents: Integers, threshold: int) -> list[int]:
    """Parallel spike generation: [t·x̄ mod θ < x̄] for the mean x̄ = X/T, all of it times T."""
    steps, total = len(currents), int(currents.sum())
    return [int(t * total % (steps * threshold) < total) for t in range(1, steps + 1)]


def hearing(weights: list[int], threshold: int, initial: int, steps: int) -> SpikingNetwork:
    """A neuron that adds up several sources of spikes, one for each current."""
    network = chain_of(Rate(np.array([threshold]), np.array([initial]), steps))
    fc, out = network.populations
    ones, zeros = np.ones(len(weights), int), np.zeros(len(weights), int)
    source = replace(
        fc,
        name="source",
        shape=ones.shape,
        projections=(Projection("x", Dense(np.ones((ones.size, 2), int))),),
        bias=zeros,
        neuron=Rate(ones, zeros, steps),
    )
    fc = replace(fc, projections=(Projection("source", Dense(np.array([weights]))),))
    return network.replaced((source, fc, out))


def copies_that_fire(currents: Integers, threshold: int, initial: int = 0) -> int:
    """Spikes of the copies that spike_at_once makes of a rate neuron, for the sum of all spikes."""
    network = hearing(currents.tolist(), threshold, initial, len(currents))
    at_once = spike_at_once(network).populations[1]
    assert isinstance(at_once.neuron, Copies)
    return int(np.sum(currents.sum() + at_once.bias > at_once.neuron.thresholds[:, 0]))


def test_the_published_example() -> None:
    assert integrated(INPUTS, THRESHOLD) == [0, 0, 0, 1, 1]
    assert generated(INPUTS, THRESHOLD) == [0, 1, 1, 1, 0]
    assert copies_that_fire(INPUTS, THRESHOLD) == 3


@given(st.lists(st.integers(-60, 60), min_size=1, max_size=12), st.integers(1, 50))
def test_copies_spike_as_often_as_parallel_spike_generation(
    currents: list[int], threshold: int
) -> None:
    """With v(0) = 0, whatever the mean: below 0 no group fires, from θ on every group does."""
    found = copies_that_fire(np.array(currents), threshold)
    assert found == sum(generated(np.array(currents), threshold))


@given(st.integers(-60, 60), st.integers(1, 50), st.integers(0, 49), st.integers(1, 12))
def test_copies_spike_as_often_as_a_rate_neuron_that_hears_its_mean(
    current: int, threshold: int, initial: int, steps: int
) -> None:
    initial %= threshold
    currents = np.full(steps, current)
    start = np.array([initial])
    spikes, _ = integrate(currents[:, None], start, np.array([threshold]))
    assert copies_that_fire(currents, threshold, initial) == spikes.sum()


def evenly(network: SpikingNetwork, pixels: Integers) -> dict[str, Integers]:
    """A rate network in which each layer hears its spikes spread evenly over the T steps."""
    sent = {network.input.name: pixels}
    for each in network:
        neuron, nodes = each.neuron, network.nodes
        assert isinstance(neuron, Rate | Readout)
        steps = neuron.time_steps
        total = sum(
            deliver(p, sent[p.source], each) * (steps if nodes[p.source] is network.input else 1)
            for p in each.projections
        )
        bias = per_neuron(each.bias, each.shape)
        if isinstance(neuron, Rate):
            threshold, initial = (
                per_neuron(v, each.shape) for v in (neuron.threshold, neuron.initial)
            )
            total = np.clip((total + steps * bias + initial) // threshold, 0, steps)
        else:
            total = total + bias
        sent[each.name] = total
    return sent


@given(SEEDS)
@settings(max_examples=60, deadline=None)
def test_what_is_sent_at_once_is_what_even_spikes_give(seed: int) -> None:
    network = unscheduled(seed, "rate")
    pixels = np.random.default_rng(seed).integers(
        0, network.input.levels + 1, (4, *network.input.shape)
    )
    expected = evenly(network, pixels)
    found = evaluate(spike_at_once(network), pixels)
    for name, numbers in expected.items():
        np.testing.assert_array_equal(found[name], numbers, err_msg=name)


def calibrating(network: SpikingNetwork) -> SpikingNetwork:
    """Its rate neurons calibrate over all of their time steps, as often as there are."""
    populations = []
    for each in network:
        if isinstance(rate := each.neuron, Rate):
            neuron = OffsetSpike(rate.threshold, rate.initial, *[rate.time_steps] * 3)
            each = replace(each, neuron=neuron)
        populations.append(each)
    return network.replaced(tuple(populations))


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_enough_calibrations_leave_what_even_spikes_give(seed: int) -> None:
    network = unscheduled(seed, "rate")
    shape = (2, *network.input.shape)
    pixels = np.random.default_rng(seed).integers(0, network.input.levels + 1, shape)
    expected = evenly(network, pixels)
    found = evaluate(calibrating(network), pixels)
    for each in network.populations[:-1]:
        np.testing.assert_array_equal(found[each.name].sum(0), expected[each.name])
    np.testing.assert_array_equal(found["logits"], expected["logits"])


@pytest.mark.parametrize("initial", [0, 3])
def test_a_layer_that_hears_the_input_alone_needs_no_larger_weights(initial: int) -> None:
    network = chain_of(Rate(np.array([4000]), np.array([initial]), 7))
    fc, _ = spike_at_once(network)
    assert fc.projections == network.populations[0].projections
    assert fc.neuron.levels == 7
    assert isinstance(spike_at_once(network).input, GradedInput)


def test_a_readout_that_hears_the_input_hears_all_of_its_time_steps() -> None:
    network = chain_of(Rate(np.array([5]), np.array([2]), 7))
    fc, out = network.populations
    linear = network.replaced((replace(out, projections=fc.projections, bias=np.array([9])),))
    (potential,) = evaluate(spike_at_once(linear), np.array([[1, 20]]))["out"]
    assert potential == 7 * 3 * 21 + 9
