"""Interval analysis: the least and the greatest value that any sum or potential can take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from snnc.compiler.laws import Bounds, Integers
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.spiking import Connection, Dense, Node, Population

Nodes: TypeAlias = Mapping[str, Node]


def connection_bounds(connection: Connection, levels: int) -> Bounds:
    """Bounds of Σ w·n with every n free in 0 … levels, for each row of the weights.

    All negative weights meet the highest level, or all positive ones do. The border of a
    convolution leaves terms out, and 0 is in every interval: the bounds hold there too, and so they
    do for every partial sum, in any order, as for the sums of the upper bits alone. Exact in int64
    for all that `reach` allows.
    """
    weights, axes = connection.weights, tuple(range(1, connection.weights.ndim))
    low = levels * np.sum(weights, axis=axes, where=weights < 0)
    return Bounds(low, levels * np.sum(weights, axis=axes, where=weights > 0))


def reach(population: Population, nodes: Nodes) -> int:
    """The most that can arrive at a neuron, or more, taken without sign and in whole numbers.

    Not below |low| + |high| of any neuron, and at most as many times more as there are projections.
    Int64 holds the sum of the weights of one row; Python's numbers hold the rest.
    """
    steps = 1 if is_steady(population, nodes) else population.neuron.summed_steps
    found = 0
    for each in population.projections:
        weights = each.connection.weights
        axes = tuple(range(1, weights.ndim))
        rows = np.sum(weights, axis=axes, where=weights > 0)
        rows -= np.sum(weights, axis=axes, where=weights < 0)
        found += int(rows.max()) * greatest_arrival(nodes[each.source], steps) << each.exponent
    return found


def sum_bounds(population: Population, nodes: Nodes) -> Bounds:
    """Bounds of a population's Σ_k 2^e_k Σ w·n_k over all that arrives, the bias not included.

    Of a constant current over one time step. Per channel (channels,), unless a dense projection
    tells the neurons of a channel apart.
    """
    steps = 1 if is_steady(population, nodes) else population.neuron.summed_steps
    low = high = np.zeros(1, np.int64)
    for each in population.projections:
        bounds = connection_bounds(each.connection, greatest_arrival(nodes[each.source], steps))
        shape = population.shape if isinstance(each.connection, Dense) else population.shape[:1]
        low = low + _spread(bounds.low.reshape(shape) << each.exponent, population)
        high = high + _spread(bounds.high.reshape(shape) << each.exponent, population)
    shape = population.shape if low.size == population.size else population.shape[:1]
    return Bounds(low.reshape(shape), high.reshape(shape))


def potential_bounds(population: Population, nodes: Nodes) -> Bounds:
    """Bounds of the membrane potential v in any time step, the bias included, by the law."""
    return with_bias(sum_bounds(population, nodes), population, nodes)


def with_bias(sums: Bounds, population: Population, nodes: Nodes) -> Bounds:
    """The bounds of the potential, from those of the sums."""
    broad = Bounds(_spread(sums.low, population), _spread(sums.high, population))
    steady = is_steady(population, nodes)
    bias = _spread(population.bias, population)
    return population.neuron.potential(broad, bias, population.shape, steady=steady)


def is_steady(population: Population, nodes: Nodes) -> bool:
    """Whether a neuron that integrates and fires receives the same current in every step."""
    sources = (nodes[each.source] for each in population.projections)
    return population.neuron.integrates and all(each.sends.is_constant for each in sources)


def greatest_arrival(source: Node, steps: int) -> int:
    """The highest sum of the numbers that one neuron of a source sends in so many steps."""
    law = source.sends
    if law.train != "spikes":
        return law.levels
    return steps * (law.levels if law.is_constant else 1)


def _spread(values: Integers, population: Population) -> Integers:
    """Values for each channel or neuron, so that they broadcast over the population."""
    return per_neuron(values, population.shape).astype(np.int64, copy=False)
