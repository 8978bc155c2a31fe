"""Runs the golden model: what every spike on the chip must add up to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.backends.onnx.golden import golden_model
from snnc.compiler.neurons import Integers
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.sessions import open_session

Levels: TypeAlias = npt.NDArray[np.integer[Any]]


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


def _whole(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return numbers if numbers.dtype == np.uint8 else numbers.astype(np.int32)
