"""Spike trains as packed bits: small to keep, quick to compare.

What a neuron does in its turn leaves bit planes behind: its spikes, time step by time step; those
of its copies; or the bits of the payload of a graded spike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws.base import Planes

_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)


def bits_of(numbers: npt.NDArray[np.integer[Any]], planes: int) -> Planes:
    """The bits of numbers (images, *shape), neurons in C, H, W order.

    Plane t carries bit planes − 1 − t, the highest first: n = Σ_t s_t·2^(planes − 1 − t).
    """
    neurons = numbers.reshape(len(numbers), -1)
    places = reversed(range(planes))
    return np.stack([np.packbits(neurons & (1 << k) != 0, axis=1) for k in places], axis=1)


def steps_of(train: npt.NDArray[np.integer[Any]]) -> Planes:
    """A train (time steps, images, *shape) as a plane for each time step."""
    return np.swapaxes(np.packbits(train.reshape(*train.shape[:2], -1) != 0, axis=2), 0, 1)


def count_spikes(planes: Planes) -> int:
    """The number of spikes in all images, planes and neurons."""
    return int(_ONES[planes].sum(dtype=np.int64))


def count_payloads(planes: Planes) -> int:
    """The number of neurons with any bit: a payload is one spike, however many bits it has."""
    return count_spikes(np.bitwise_or.reduce(planes, axis=1))


def count_differences(first: Planes, second: Planes) -> int:
    """The number of neurons and planes in which only one of two trains has a spike.

    Raises:
        ValueError: where the trains have different shapes.
    """
    if first.shape != second.shape:
        raise ValueError(f"spike trains of shapes {first.shape} and {second.shape}")
    return count_spikes(first ^ second)
