"""Lava's CPU simulator as an engine."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator
from importlib.util import find_spec

from snnc.compiler.errors import Problem
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.base import Chunk, Pixels
from snnc.runtime.engines.room import too_little_room


class LavaEngine:
    """Every spike of every code, in Lava's time."""

    name = "lava"
    label = "Lava"
    title = "Lava (spikes)"
    sends_spikes = True
    takes_device = False

    def missing(self) -> Problem | None:
        """Lava itself, which needs Python 3.10, and room for it."""
        if find_spec("lava") is not None:
            return too_little_room(self.label)
        return Problem(
            "Lava",
            f"the simulator is not installed; it needs Python 3.10 and this is "
            f"{sys.version_info.major}.{sys.version_info.minor}",
            "with Python 3.10: pip install 'snnc[lava]'; the golden engine needs no Lava",
        )

    def problems(self, network: SpikingNetwork) -> Iterator[Problem]:
        """None: it runs every code."""
        yield from ()

    def stream(
        self, network: SpikingNetwork, batches: Iterable[Pixels], *, chunk: int, device: str = "cpu"
    ) -> Generator[Chunk, None, None]:
        """See `snnc.runtime.engines.lava.simulator.simulate`."""
        from snnc.runtime.engines.lava.simulator import simulate

        return simulate(network, batches, chunk=chunk)
