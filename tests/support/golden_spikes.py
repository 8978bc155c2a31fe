"""An engine of spikes that needs no library: golden's numbers as spikes, in one stream."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from snnc.compiler.errors import Problem
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.base import Chunk, Pixels
from snnc.runtime.engines.golden import Golden


@dataclass(frozen=True)
class GoldenSpikes:
    name = label = title = "golden spikes"
    sends_spikes = True
    takes_device = False

    def missing(self) -> None: ...

    def problems(self, network: SpikingNetwork) -> Iterator[Problem]:
        yield from ()

    def stream(
        self, network: SpikingNetwork, batches: Iterable[Pixels], *, chunk: int, device: str = "cpu"
    ) -> Generator[Chunk, None, None]:
        golden, first = Golden(network, every_population=True), 0
        for batch in batches:
            for found in golden.batches(batch, chunk):
                laws = network.firing.items()
                spikes = {name: law.bit_planes(found.sent[name]) for name, law in laws}
                yield Chunk(first, found.potential, spikes)
                first += len(found.potential)
