"""Over whom the images of a run are spread, and the run that comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

from snnc.compiler.errors import Problem
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data
from snnc.runtime.parts import Part, Share, joined, share_of, spans_of
from snnc.runtime.places.base import Place, Work
from snnc.runtime.places.here import Here
from snnc.runtime.places.pool import Pool
from snnc.runtime.progress import Progress

MOST_WORKERS = 1024


@dataclass(frozen=True)
class Spread:
    """Who runs the images."""

    workers: int = 1
    """Processes of this machine, each with a simulator of its own; 1 is the caller's alone."""

    def problems(self) -> Iterator[Problem]:
        """Whatever is wrong with it."""
        if not 1 <= self.workers <= MOST_WORKERS:
            what = f"{self.workers} workers; allowed: 1 to {MOST_WORKERS}"
            yield Problem("`workers`", what, "give as many as there are cores, or fewer")

    def as_json(self) -> dict[str, Any]:
        """What commands print of it."""
        return {"workers": self.workers}

    def place(self) -> Place:
        """Where the work is done."""
        return Here() if self.workers == 1 else Pool(self.workers)

    def size(self, images: int) -> int:
        """How many images are run as one part: by default as many by each worker."""
        return -(-images // self.workers)


ALONE = Spread()


@dataclass(frozen=True)
class Runner:
    """Runs data sets in parts."""

    spread: Spread
    place: Place
    progress: Progress

    def run(self, name: str, work: Work[Share, Part], network: SpikingNetwork, data: Data) -> Part:
        """What came of all images, and the seconds that it took.

        Args:
            name: whose progress it is.
            work: what is done with each part; it gives the same, whatever the parts are.
            network: what is run.
            data: images that suit it.

        Raises:
            SnncError: what the work raises, and where somebody ends before the work does.
        """
        start = perf_counter()

        def told(_: str, done: int, total: int) -> None:
            self.progress(name, done, data.images)

        spans = spans_of(data.images, self.spread.size(data.images))
        shares = (share_of(data, each, network) for each in spans)
        found = dict(self.place.results(work, shares, told))
        parts = [found[index] for index in range(len(spans))]
        if len(parts) == 1:
            return parts[0]
        return replace(joined(parts), seconds=perf_counter() - start)
