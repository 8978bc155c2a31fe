"""Lava's CPU simulator as an engine."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from typing import Literal, TypeAlias, get_args

from snnc.compiler.errors import Problem
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.base import Chunk, Pixels
from snnc.runtime.engines.installing import missing_library
from snnc.runtime.engines.lava import library
from snnc.runtime.engines.room import too_little_room

LavaModel: TypeAlias = Literal["layers", "network"]
"""What a Process of Lava is: a layer, but for a second projection; or the whole network."""
LAVA_MODELS: tuple[LavaModel, ...] = get_args(LavaModel)


class LavaEngine:
    """Every spike of every code, in Lava's time."""

    name = "lava"
    label = "Lava"
    sends_spikes = True
    takes_device = False

    def __init__(self, model: LavaModel = "layers") -> None:
        self.model = model
        self.title = "Lava (spikes)" if model == "layers" else "Lava, one process (spikes)"

    def missing(self) -> Problem | None:
        """Room for Lava, and Lava itself."""
        return too_little_room(self.label) or missing_library(
            self.label, "lava", ("lava",), library.load
        )

    def problems(self, network: SpikingNetwork) -> Iterator[Problem]:
        """None: it runs every code."""
        yield from ()

    def stream(
        self, network: SpikingNetwork, batches: Iterable[Pixels], *, chunk: int, device: str = "cpu"
    ) -> Generator[Chunk, None, None]:
        """See `snnc.runtime.engines.lava.simulator.simulate`."""
        from snnc.runtime.engines.lava.simulator import simulate

        return simulate(network, batches, chunk=chunk, model=self.model)
