"""What the host and the forked processes of one simulation share.

Lava reads and writes a Var one number at a time through a channel. Anonymous maps, made before the
fork, cost nothing, have no name in the file system and vanish with the last process that holds
them.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.base import Chunk, Pixels


def shared_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Make an array that processes forked from now on read and write too."""
    size = prod(shape) * np.dtype(dtype).itemsize
    return np.frombuffer(mmap.mmap(-1, max(size, 1)), dtype, prod(shape)).reshape(shape)


@dataclass(frozen=True, eq=False)
class Memory:
    """Rings that hold image i, and what became of it, at place i modulo capacity."""

    capacity: int
    sent: npt.NDArray[np.int64]
    """(1,): the number of images given so far; afterwards the source is silent."""
    levels: npt.NDArray[np.int32]
    logits: npt.NDArray[np.int32]
    spikes: Mapping[str, npt.NDArray[np.uint8]]
    overflows: Mapping[str, npt.NDArray[np.int64]]
    """(1,) for each population: the values that left the 24 bits of its states."""

    @classmethod
    def of(cls, network: SpikingNetwork, capacity: int) -> Memory:
        """Room for the images and results of capacity images."""
        sizes = {each.name: each.size for each in network}
        planes = {
            name: (capacity, law.planes, -(-sizes[name] // 8))
            for name, law in network.firing.items()
        }
        return cls(
            capacity,
            shared_zeros((1,), np.int64),
            shared_zeros((capacity, *network.input.shape), np.int32),
            shared_zeros((capacity, *network.readout.shape), np.int32),
            {name: shared_zeros(shape, np.uint8) for name, shape in planes.items()},
            {each.name: shared_zeros((1,), np.int64) for each in network},
        )

    def holds(self, image: int) -> bool:
        """Tell a real image from those that the pipeline makes up before the first and after."""
        return 0 <= image < int(self.sent[0])

    def give(self, images: Pixels) -> None:
        """Append images (images, *input shape) to those that the source will send."""
        places = np.arange(self.sent[0], self.sent[0] + len(images)) % self.capacity
        self.levels[places] = images
        self.sent[0] += len(images)

    def take(self, first: int, last: int) -> Chunk:
        """Copy the results of images first up to, not including, last."""
        places = np.arange(first, last) % self.capacity
        spikes = {name: ring[places] for name, ring in self.spikes.items()}
        return Chunk(first, self.logits[places].astype(np.int64), spikes)
