"""Interval analysis: the least and the greatest value that any sum or potential can take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from snnc.compiler.neurons import Integers, Neuron, OffsetSpike, Rate, Readout
from snnc.compiler.spiking import (
    Connection,
    Dense,
    Input,
    Population,
    levels_of,
    per_neuron,
    train_of,
)

Nodes: TypeAlias = Mapping[str, Input | Population]


@dataclass(frozen=True, eq=False)
class Bounds:
    """The smallest and the largest value that a sum can take, exactly.

    One of each for every channel (channels,), or for every neuron (shape).
    """

    low: Integers
    high: Integers

    def __str__(self) -> str:
        return f"{self.low.min()}..{self.high.max()}"


def connection_bounds(connection: Connection, levels: int) -> Bounds:
    """Bounds of Σ w·n with every n free in 0 … levels, for each row of the weights.

    All negative weights meet the highest level, or all positive ones do. The border of a
    convolution leaves terms out, and 0 is in every interval: the bounds hold there too, and so they
    do for every partial sum, in any order, as for the sums of the upper bits alone. Exact in int64
    for legal weights and fan-in · levels below 2^48.
    """
    weights, axes = connection.weights, tuple(range(1, connection.weights.ndim))
    low = levels * np.sum(weights, axis=axes, where=weights < 0)
    return Bounds(low, levels * np.sum(weights, axis=axes, where=weights > 0))


def sum_bounds(population: Population, nodes: Nodes) -> Bounds:
    """Bounds of a population's Σ_k 2^e_k Σ w·n_k over all it hears, the bias not included.

    Of a constant current over one time step. Per channel (channels,), unless a dense projection
    tells the neurons of a channel apart.
    """
    steps = 1 if hears_a_constant(population, nodes) else counted(population.neuron)
    low = high = np.zeros(1, np.int64)
    for each in population.projections:
        bounds = connection_bounds(each.connection, heard(nodes[each.source], steps))
        shape = population.shape if isinstance(each.connection, Dense) else population.shape[:1]
        low = low + spread(bounds.low.reshape(shape) << each.exponent, population)
        high = high + spread(bounds.high.reshape(shape) << each.exponent, population)
    shape = population.shape if low.size == population.size else population.shape[:1]
    return Bounds(low.reshape(shape), high.reshape(shape))


def potential_bounds(population: Population, nodes: Nodes) -> Bounds:
    """Bounds of the membrane potential v in any time step, the bias included.

    A calibrated potential starts where a spike just fails or just comes about, at −S + kθ for some
    partial sum S and k ≤ M, or one θ away from where it started before: so it lies within
    −high − Kθ … max(v(0), −low + Mθ) + Kθ for sums low … high over M steps and K calibrations.
    One that is kept, the light variant, starts up to K sums away from v(0) or 0.

    Under a constant current the bounds are those of the first time step: what comes later may
    saturate, for a neuron that fires in every step, or never, goes on doing so.
    """
    return with_bias(sum_bounds(population, nodes), population, nodes)


def with_bias(sums: Bounds, population: Population, nodes: Nodes) -> Bounds:
    """The bounds of the potential, from those of the sums."""
    neuron = population.neuron
    low, high = (spread(each, population) for each in (sums.low, sums.high))
    bias = spread(population.bias, population)
    if not isinstance(neuron, Rate | OffsetSpike):
        return Bounds(low + bias, high + bias)
    steady = hears_a_constant(population, nodes)
    total = bias if steady else bias * counted(neuron)
    low, high = low + np.minimum(total, 0), high + np.maximum(total, 0)
    initial, step = spread(neuron.initial, population), spread(neuron.step, population)
    if steady or isinstance(neuron, Rate):
        return Bounds(low, high + initial)
    if neuron.light:
        rounds = neuron.iterations + 1
        return Bounds(rounds * low, rounds * high + initial)
    moved = neuron.iterations * step
    highest = np.maximum(initial, neuron.span * step - low) + moved
    return Bounds(low - high - moved, highest + high)


def hears_a_constant(population: Population, nodes: Nodes) -> bool:
    """Whether a rate neuron hears the same current in every step."""
    sources = (nodes[each.source] for each in population.projections)
    return isinstance(population.neuron, Rate | OffsetSpike) and all(map(is_constant, sources))


def is_constant(source: Input | Population) -> bool:
    """Whether a source sends the same in every step of its turn."""
    fires = isinstance(source, Population) and isinstance(source.neuron, Rate | OffsetSpike)
    return train_of(source) == "spikes" and not fires


def heard(source: Input | Population, steps: int) -> int:
    """The highest sum of the numbers that a neuron hears of one source in so many steps."""
    if train_of(source) != "spikes":
        return levels_of(source)
    return steps * (levels_of(source) if is_constant(source) else 1)


def counted(neuron: Neuron) -> int:
    """Time steps of a train of spikes that a neuron sums."""
    if isinstance(neuron, Rate):
        return neuron.steps
    if isinstance(neuron, OffsetSpike):
        return neuron.span
    return neuron.listens if isinstance(neuron, Readout) else 1


def spread(values: Integers, population: Population) -> Integers:
    """Values for each channel or neuron, so that they broadcast over the population."""
    return per_neuron(values, population.shape).astype(np.int64, copy=False)
