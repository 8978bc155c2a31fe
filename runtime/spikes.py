"""Spike trains as packed bits: small to keep, quick to compare."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Planes: TypeAlias = npt.NDArray[np.uint8]
"""(images, time steps, ⌈neurons/8⌉): eight neurons a byte, the first in its highest bit."""

_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)


def bit_planes(levels: npt.NDArray[np.integer[Any]], time_steps: int) -> Planes:
    """The spikes that send levels of shape (images, *shape), neurons in C, H, W order.

    Time step t carries bit T − 1 − t, the highest first: n = Σ_t s_t·2^(T − 1 − t).
    """
    neurons = levels.reshape(len(levels), -1)
    places = reversed(range(time_steps))
    return np.stack([np.packbits(neurons & (1 << k) != 0, axis=1) for k in places], axis=1)


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
