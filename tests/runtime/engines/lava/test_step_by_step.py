"""Every code in its time steps: laws, timing and logs together give what plain integers give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from support.integer_law import evaluate
from support.spiking_networks import CODES, SCHEDULES, chain_of, networks_of, random_network
from support.step_by_step import extremes, run_steps

from snnc.compiler.inputs import BitsInput
from snnc.compiler.laws import Integers, OffsetSpike, Rate
from snnc.compiler.passes.schedule_populations import schedule_populations
from snnc.compiler.rules.bounds import potential_bounds
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import Dense, Projection, Schedule, SpikingNetwork

RATE_CODES = ("rate", "offset-spike")
THRESHOLD, HALF = np.array([700]), np.array([350])


def images_for(network: SpikingNetwork, count: int = 4) -> Integers:
    """Random ones behind the darkest and the brightest."""
    shape, levels = network.input.shape, network.input.levels
    images = np.random.default_rng(0).integers(0, levels + 1, (count, *shape))
    images[0], images[1] = 0, levels
    return images


def assert_exact(network: SpikingNetwork) -> None:
    require_legal(network)
    images = images_for(network)
    potentials, planes = run_steps(network, images)
    expected = evaluate(network, images)
    for name, found in planes.items():
        sent = network.firing[name].bit_planes(expected[name])
        np.testing.assert_array_equal(found, sent, err_msg=name)
    np.testing.assert_array_equal(potentials, expected[network.readout.name])


@given(networks_of())
@settings(max_examples=40, deadline=None)
def test_every_spike_is_that_of_the_integer_law(network: SpikingNetwork) -> None:
    assert_exact(network)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("code", CODES)
def test_a_source_that_two_depths_hear(code: str, schedule: Schedule) -> None:
    """Relays of the input: of a current, of bits, of copies, and of payloads."""
    found = (random_network(seed, code) for seed in range(100))
    network = next(
        each
        for each in found
        if "image.relay2" in each.nodes
        and (isinstance(each.input, BitsInput) or code != "bit-serial")
    )
    assert_exact(schedule_populations(replace(network, schedule=schedule), schedule))


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(
    "neuron",
    [
        Rate(THRESHOLD, HALF, 1),
        Rate(THRESHOLD, HALF, 9),
        OffsetSpike(THRESHOLD, HALF, 1, 4),
        OffsetSpike(THRESHOLD, HALF, 1, 6, iterations=3),
        OffsetSpike(THRESHOLD, HALF, 9, 2, iterations=2),
        OffsetSpike(THRESHOLD, HALF, 2, 8, light=True),
    ],
    ids=str,
)
def test_trains_of_any_length_in_one_layer(neuron: Rate | OffsetSpike, schedule: Schedule) -> None:
    assert_exact(chain_of(neuron, bias=-40, schedule=schedule))


@given(networks_of(RATE_CODES))
@settings(max_examples=40, deadline=None)
def test_no_potential_leaves_its_bounds(network: SpikingNetwork) -> None:
    found = extremes(network, images_for(network))
    for each in network:
        if not isinstance(each.neuron, Rate | OffsetSpike):
            continue
        bounds, (low, high) = potential_bounds(each, network.nodes), found[each.name]
        assert (bounds.low <= low).all(), each.name
        assert (high <= bounds.high).all(), each.name


def test_the_highest_potential_is_reached() -> None:
    network = behind_a_source(Rate(np.array([10**6]), np.array([999]), 5), weight=100)
    _, high = extremes(network, images_for(network))["fc"]
    assert high == 999 + 5 * (100 + 1)
    assert potential_bounds(network.populations[1], network.nodes).high == high


def behind_a_source(neuron: Rate | OffsetSpike, *, weight: int) -> SpikingNetwork:
    """The neuron hears one that fires in every step."""
    network = chain_of(neuron, bias=1)
    fc, out = network.populations
    always = replace(neuron, threshold=np.array([1]), initial=np.array([0]))
    source = replace(fc, name="source", neuron=always)
    heard = Projection("source", Dense(np.array([[weight]])))
    return network.replaced((source, replace(fc, projections=(heard,)), out))


@pytest.mark.parametrize("bias", [4_000_000, -4_000_000])
def test_a_constant_current_saturates_and_spikes_as_before(bias: int) -> None:
    network = chain_of(Rate(np.array([10**6]), np.array([0]), 9), bias=bias)
    assert_exact(network)
    assert potential_bounds(network.populations[0], network.nodes).high < 2**23


def test_an_image_stays_until_its_last_train_is_sent() -> None:
    network = chain_of(OffsetSpike(THRESHOLD, HALF, 1, 4), schedule="sequential")
    timing = timing_of(network)
    assert timing.latency < timing.period == network.populations[0].neuron.turn
