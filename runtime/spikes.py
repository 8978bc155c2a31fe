"""Spike trains as packed bits: small to keep, quick to compare.

What a neuron does in its turn leaves bit planes behind: its spikes, time step by time step; those
of its copies; or the bits of the payload of a graded spike.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.neurons import Firing, Graded, OffsetSpike, Rate, Thermometer

Planes: TypeAlias = npt.NDArray[np.uint8]
"""(images, planes, ⌈neurons/8⌉): eight neurons a byte, the first in its highest bit."""

_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)


def bit_planes(levels: npt.NDArray[np.integer[Any]], time_steps: int) -> Planes:
    """The spikes that send levels of shape (images, *shape), neurons in C, H, W order.

    Time step t carries bit T − 1 − t, the highest first: n = Σ_t s_t·2^(T − 1 − t).
    """
    neurons = levels.reshape(len(levels), -1)
    places = reversed(range(time_steps))
    return np.stack([np.packbits(neurons & (1 << k) != 0, axis=1) for k in places], axis=1)


def planes_of(neuron: Firing, sent: npt.NDArray[np.integer[Any]]) -> Planes:
    """The planes that a neuron's turn must leave behind.

    Args:
        neuron: the law.
        sent: numbers (images, *shape), or of a rate code trains (time steps, images, *shape).
    """
    if isinstance(neuron, Rate | OffsetSpike):
        steps = np.packbits(sent.reshape(*sent.shape[:2], -1) != 0, axis=2)
        planes = np.swapaxes(steps, 0, 1)
        if isinstance(neuron, OffsetSpike):
            again = [planes[:, : neuron.rho]] * (neuron.iterations - 1)
            planes = np.concatenate([planes, *again, planes], axis=1)
        return planes
    if isinstance(neuron, Thermometer):
        neurons = sent.reshape(len(sent), -1)
        copies = range(1, neuron.levels + 1)
        return np.stack([np.packbits(neurons >= j, axis=1) for j in copies], axis=1)
    return bit_planes(sent, neuron.planes)


def spikes_in(neuron: Firing, planes: Planes) -> int:
    """The number of spikes in the planes; a payload is one, however many bits it has."""
    if isinstance(neuron, Graded):
        return max(1, neuron.repeats) * count_spikes(np.bitwise_or.reduce(planes, axis=1))
    return count_spikes(planes)


def count_spikes(planes: Planes) -> int:
    """The number of spikes in all images, time steps and neurons."""
    return int(_ONES[planes].sum(dtype=np.int64))


def count_differences(first: Planes, second: Planes) -> int:
    """The number of neurons and time steps in which only one of two trains has a spike.

    Raises:
        ValueError: where the trains have different shapes.
    """
    if first.shape != second.shape:
        raise ValueError(f"spike trains of shapes {first.shape} and {second.shape}")
    return count_spikes(first ^ second)
