"""Runs the golden model: what every spike on the chip must add up to."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import Problem
from snnc.compiler.laws import Integers
from snnc.compiler.laws.base import Sent
from snnc.compiler.laws.delta import changes_between
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.base import Chunk, Pixels
from snnc.runtime.engines.sessions import guarded, open_session

MOST_BATCH = 64
ROOM = 384 << 20
"""Bytes for the spikes and the sums of a batch."""


@dataclass(frozen=True, eq=False)
class GoldenResult:
    """What one batch of images gives."""

    potential: Integers
    """v of the read-out, (images, *shape); a logit is unit·v."""
    numbers: Mapping[str, Sent]
    """The number n of every firing population (images, *shape), or its train; empty unless asked
    for."""
    sent: Mapping[str, Sent]
    """What it sends: the same, but of changes the change from the image before."""
    pixels: Sent
    """What the input sends."""


class Golden:
    """The integer network in ONNX Runtime, on as many threads as there are cores or as given.

    The images that it is given, batch by batch, are one stream: where changes are sent, it carries
    the numbers of the last image of a batch to the next.
    """

    def __init__(
        self, network: SpikingNetwork, *, every_population: bool = False, threads: int = 0
    ) -> None:
        from snnc.backends.onnx.golden.model import golden_model

        model = golden_model(network, every_population=every_population)
        self.names = tuple(each.name for each in model.graph.output)
        self.input = network.input
        self.changing = [name for name, law in network.firing.items() if law.train == "changes"]
        self.before: dict[str, Sent] = {}
        # compared with another engine step by step, it must leave that engine its cores
        with guarded(GoldenEngine.title):
            self.session = open_session(
                model.SerializeToString(), threads=threads, spins=not every_population
            )
        self.dtype = np.uint8 if "uint8" in self.session.get_inputs()[0].type else np.float32

    def run(self, levels: Pixels) -> GoldenResult:
        """Evaluate level numbers of shape (images, *input.shape)."""
        given = {self.input.name: levels.astype(self.dtype)}
        with guarded(GoldenEngine.title):
            outputs = self.session.run(self.names, given)
        fired = zip(self.names[:-1], outputs[:-1], strict=True)
        numbers = {name: _whole(each) for name, each in fired}
        pixels = self.input.stream_of(levels, self._last(self.input.name, levels))
        changes = {
            name: changes_between(numbers[name], self._last(name, numbers[name]))
            for name in self.changing
            if name in numbers
        }
        sent = {**numbers, **changes}
        return GoldenResult(outputs[-1].astype(np.int64), numbers, sent, pixels)

    def _last(self, name: str, numbers: Sent) -> Sent:
        """The numbers of the image before these, 0 before the first; the last are kept."""
        before: Sent = self.before.get(name, np.zeros_like(numbers[0]))
        self.before[name] = numbers[-1]
        return before

    def batches(self, levels: Pixels, size: int) -> Iterator[GoldenResult]:
        """Evaluate any number of images, size of them at a time."""
        for start in range(0, len(levels), size):
            yield self.run(levels[start : start + size])


def batch_size(network: SpikingNetwork) -> int:
    """Images whose spikes and sums take no more than ROOM.

    A train is a byte for each neuron and time step. Its sums are floats; those of a layer, of the
    one before and the copies of both that engines make are there at once.
    """
    steps = max((each.neuron.levels for each in network if each.neuron.integrates), default=1)
    sizes = [network.input.size, *(each.size for each in network)]
    per_image = steps * (sum(sizes) + 16 * max(sizes))
    return max(1, min(MOST_BATCH, ROOM // per_image))


def _whole(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return numbers if numbers.dtype == np.uint8 else numbers.astype(np.int32)


class GoldenEngine:
    """The golden model as an engine: it gives numbers, from which spikes would follow."""

    name = label = "golden"
    title = "golden (integers)"
    sends_spikes = takes_device = False

    def missing(self) -> None:
        """Nothing: ONNX Runtime comes with snnc."""

    def problems(self, network: SpikingNetwork) -> Iterator[Problem]:
        """None: it runs every code."""
        yield from ()

    def stream(
        self, network: SpikingNetwork, batches: Iterable[Pixels], *, chunk: int, device: str = "cpu"
    ) -> Generator[Chunk, None, None]:
        """Run images batch by batch, at most chunk at a time; the session is open on return."""
        return _stream(Golden(network), batches, min(chunk, batch_size(network)))


def _stream(golden: Golden, batches: Iterable[Pixels], size: int) -> Generator[Chunk, None, None]:
    first = 0
    for batch in batches:
        for result in golden.batches(batch, size):
            yield Chunk(first, result.potential, {})
            first += len(result.potential)
