"""What a spiking network computes, in int64 and plain NumPy: the oracle of the tests."""

from __future__ import annotations

from functools import partial

import numpy as np

from snnc.compiler.neurons import Firing, Integers
from snnc.compiler.spiking import Convolution, Population, Projection, SpikingNetwork, per_neuron


def evaluate(network: SpikingNetwork, pixels: Integers) -> dict[str, Integers]:
    """The law, in int64: n = clip(⌊(Σ w·n + B)/Δ⌋, 0, N), and v = Σ w·n + B for the read-out."""
    values = {network.input.name: pixels}
    for population in network:
        total = per_neuron(population.bias, population.shape) + sum(
            deliver(each, values[each.source], population) for each in population.projections
        )
        if isinstance(neuron := population.neuron, Firing):
            step = per_neuron(neuron.step, population.shape)
            total = np.clip(total // step, 0, neuron.levels)
        values[population.name] = total
    return values


def deliver(projection: Projection, levels: Integers, population: Population) -> Integers:
    connection = projection.connection
    if isinstance(connection, Convolution):
        return convolve(connection, levels) << projection.exponent
    total = levels.reshape(len(levels), -1) @ connection.weights.T << projection.exponent
    return total.reshape(-1, *population.shape)


def convolve(convolution: Convolution, levels: Integers) -> Integers:
    top, left, bottom, right = convolution.pads
    padded = np.pad(levels, ((0, 0), (0, 0), (top, bottom), (left, right)))
    weights, dilations = convolution.weights, convolution.dilations
    span = [(size - 1) * gap + 1 for size, gap in zip(weights.shape[2:], dilations, strict=True)]
    windows = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(2, 3))
    steps = (slice(None, None, step) for step in (*convolution.strides, *dilations))
    windows = windows[(slice(None), slice(None), *steps)]
    inputs = np.split(windows, convolution.groups, axis=1)
    kernels = np.split(weights, convolution.groups)
    maps = map(partial(np.einsum, "bihwyx,oiyx->bohw"), inputs, kernels)
    return np.concatenate(list(maps), axis=1)
