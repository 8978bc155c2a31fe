"""Runs the golden model: what every spike on the chip must add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.backends.onnx.golden import golden_model
from snnc.compiler.neurons import Integers, OffsetSpike, Rate
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.sessions import open_session

Levels: TypeAlias = npt.NDArray[np.integer[Any]]

MOST_BATCH = 64
ROOM = 384 << 20
"""Bytes for the spikes and the sums of a batch."""


@dataclass(frozen=True, eq=False)
class GoldenResult:
    """What one batch of images gives."""

    potential: Integers
    """v of the read-out, (images, *shape); a logit is unit·v."""
    sent: Mapping[str, npt.NDArray[Any]]
    """What every firing population sends: n (images, *shape), or of a rate code its train of spikes
    (time steps, images, *shape); empty unless asked for."""


class Golden:
    """The integer network in ONNX Runtime, on as many threads as there are cores or as given."""

    def __init__(
        self, network: SpikingNetwork, *, every_population: bool = False, threads: int = 0
    ) -> None:
        model = golden_model(network, every_population=every_population)
        self.names = tuple(each.name for each in model.graph.output)
        self.input = network.input.name
        # compared with another engine step by step, it must leave that engine its cores
        self.session = open_session(
            model.SerializeToString(), threads=threads, spins=not every_population
        )
        self.dtype = np.uint8 if "uint8" in self.session.get_inputs()[0].type else np.float32

    def run(self, levels: Levels) -> GoldenResult:
        """Evaluate level numbers of shape (images, *input.shape)."""
        outputs = self.session.run(self.names, {self.input: levels.astype(self.dtype)})
        fired = zip(self.names[:-1], outputs[:-1], strict=True)
        populations = {name: _whole(each) for name, each in fired}
        return GoldenResult(outputs[-1].astype(np.int64), populations)

    def batches(self, levels: Levels, size: int) -> Iterator[GoldenResult]:
        """Evaluate any number of images, size of them at a time."""
        for start in range(0, len(levels), size):
            yield self.run(levels[start : start + size])


def batch_size(network: SpikingNetwork) -> int:
    """Images whose spikes and sums take no more than ROOM.

    A train is a byte for each neuron and time step. Its sums are floats; those of a layer, of the
    one before and the copies of both that engines make are there at once.
    """
    counts = [each.neuron for each in network if isinstance(each.neuron, Rate | OffsetSpike)]
    steps = max((each.levels for each in counts), default=1)
    sizes = [network.input.size, *(each.size for each in network)]
    per_image = steps * (sum(sizes) + 16 * max(sizes))
    return max(1, min(MOST_BATCH, ROOM // per_image))


def _whole(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return numbers if numbers.dtype == np.uint8 else numbers.astype(np.int32)
