"""The spikes of T time steps in one: a rate network becomes a network of stock CUBA neurons.

A rate neuron that receives the same current in each of T steps fires clip(⌊(T·x + v(0))/θ⌋, 0, T)
spikes. Parallel spike generation has T groups of neurons fire them at once, which share weights and
input (OneSpike). Only the number of spikes reaches the next layer, so group j may fire if the
sum of all spikes, of T steps of bias and of v(0) has reached j·θ: one threshold for each group and
no modulus. What a rate network loses because spikes come unevenly is not lost here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from snnc.compiler.inputs import once
from snnc.compiler.laws import Copies, Integers, Rate, Readout
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.spiking import Connection, Population, Projection, SpikingNetwork
from snnc.compiler.target import STOCK


def spike_at_once(network: SpikingNetwork) -> SpikingNetwork:
    """Rewrite every population that is no copies yet; the input is sent once.

    A population that receives nothing but the input needs no sum over T steps: Σ w·n reaches
    ⌈(j·θ − v(0))/T⌉ − B when T times as much reaches j·θ.
    """
    sender = network.input.name
    return replace(
        network,
        input=once(network.input),
        populations=tuple(
            at_once(each, [p.source == sender for p in each.projections]) for each in network
        ),
    )


def at_once(population: Population, constant: Sequence[bool]) -> Population:
    """The copies of a population, given for each projection whether its source is the input."""
    neuron = population.neuron
    if isinstance(neuron, Copies):
        return population
    if isinstance(neuron, Readout):
        steps = neuron.time_steps
        projections = _times(population, steps, constant)
        return replace(population, projections=projections, neuron=replace(neuron, time_steps=0))
    assert isinstance(neuron, Rate)
    steps = neuron.time_steps
    rank = population.bias.ndim
    wanted = np.arange(1, steps + 1).reshape(-1, *(1,) * rank) * _spread(neuron.threshold, rank)
    return as_copies(population, constant, steps, wanted - _spread(neuron.initial, rank))


def as_copies(
    population: Population, constant: Sequence[bool], steps: int, missing: Integers
) -> Population:
    """A rate neuron as copies, each of which fires once so much has come.

    Args:
        population: of a neuron that integrates and fires.
        constant: for each projection whether its source is the input.
        steps: T.
        missing: what T steps of input and bias must reach, for each copy: (copies, channels), or
            (copies, *shape).
    """
    if all(constant):
        return copied(population, -(-missing // steps) - population.bias - 1)
    projections = _times(population, steps, constant)
    return copied(
        replace(population, projections=projections), missing - steps * population.bias - 1
    )


def copied(population: Population, thresholds: Integers) -> Population:
    """Copies with such thresholds (copies, channels) or (copies, *shape), the bias left out.

    What a threshold cannot hold goes into the bias: of copies that fire though nothing came.
    """
    below = np.minimum(thresholds[0].reshape(population.shape[0], -1).min(1), 0)
    raised = thresholds - _spread(below, thresholds.ndim - 1)
    neuron = Copies(np.minimum(raised, STOCK.threshold_max))
    return replace(population, bias=-below, neuron=neuron)


def _times(population: Population, steps: int, constant: Sequence[bool]) -> tuple[Projection, ...]:
    """The projections, those of a constant current for all of its steps."""
    return tuple(
        replace(each, connection=_scaled(each.connection, steps)) if still else each
        for each, still in zip(population.projections, constant, strict=True)
    )


def _scaled(connection: Connection, factor: int) -> Connection:
    return replace(connection, weights=factor * connection.weights)


def _spread(values: Integers, rank: int) -> Integers:
    return per_neuron(values, values.shape + (1,) * (rank - 1))
