"""Over whom the images of a run are spread, and the run that comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from snnc.compiler.errors import Problem
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.checkpoint import Checkpoint
from snnc.runtime.data import Data
from snnc.runtime.parts import BATCH, Part, Share, Span, joined, share_of, spans_of, whole
from snnc.runtime.places.base import Place, Work
from snnc.runtime.places.cluster import Cluster
from snnc.runtime.places.here import Here
from snnc.runtime.places.pool import Pool
from snnc.runtime.progress import Progress

MOST_WORKERS = 1024
KEPT_IMAGES = 512
"""Of a part that is kept: a simulator starts for each, and what it does is lost with its end."""


@dataclass(frozen=True)
class Spread:
    """Who runs the images, and in which parts."""

    workers: int = 1
    """Processes of this machine, each with a simulator of its own; 1 is the caller's alone."""
    chunk: int | None = None
    """Images of a part; by default as many as `size` says."""
    checkpoint: Path | None = None
    """The folder that keeps finished parts."""
    scheduler: str | None = None
    """The address of a scheduler of Dask, whose workers do the work."""

    def problems(self) -> Iterator[Problem]:
        """Whatever is wrong with it."""
        if not 1 <= self.workers <= MOST_WORKERS:
            what = f"{self.workers} workers; allowed: 1 to {MOST_WORKERS}"
            yield Problem("`workers`", what, "give as many as there are cores, or fewer")
        if self.workers > 1 and self.scheduler is not None:
            what = f"{self.workers} workers of this machine, and a `scheduler` with its own"
            yield Problem("`workers`", what, "choose one of them")
        if self.chunk is not None and self.chunk < 1:
            what = f"{self.chunk} images; allowed: at least 1"
            yield Problem("`chunk`", what, "leave it out")

    def as_json(self) -> dict[str, Any]:
        """What commands print of it."""
        return {"workers": self.workers, "scheduler": self.scheduler}

    def place(self) -> Place:
        """Where the work is done."""
        if self.scheduler is not None:
            return Cluster(self.scheduler)
        return Here() if self.workers == 1 else Pool(self.workers)

    def size(self, images: int) -> int:
        """How many images are run as one part.

        By default as many by each worker. Of those that are kept as many, whoever runs them, and so
        in a cluster, of which nobody knows who is in it.
        """
        if self.chunk is not None:
            return self.chunk
        is_even = self.checkpoint is None and self.scheduler is None
        return -(-images // self.workers) if is_even else KEPT_IMAGES


ALONE = Spread()


@dataclass(frozen=True)
class Runner:
    """Runs data sets in parts."""

    spread: Spread
    place: Place
    progress: Progress
    kept: Checkpoint | None = None
    """What is done already, and where what is done is kept."""

    def run_here(
        self, name: str, work: Work[Share, Part], network: SpikingNetwork, data: Data
    ) -> Part:
        """The same in this process, for work that does not give the same everywhere.

        Neither does it with other batches, so parts are whole ones.
        """
        if self.kept is None:
            return work(whole(data), self.progress)
        size = BATCH * -(-self.spread.size(data.images) // BATCH)
        return replace(self, place=Here()).run(name, work, network, data, size)

    def run(
        self,
        name: str,
        work: Work[Share, Part],
        network: SpikingNetwork,
        data: Data,
        size: int | None = None,
    ) -> Part:
        """What came of all images, and the seconds that it took.

        Args:
            name: whose progress it is.
            work: what is done with each part; it gives the same, whatever the parts are.
            network: what is run.
            data: images that suit it.
            size: images of a part; by default that of the spread.

        Raises:
            SnncError: what the work raises, where somebody ends before the work does, and where
                what is done cannot be kept.
        """
        start = perf_counter()

        def told(_: str, done: int, total: int) -> None:
            self.progress(name, done, data.images)

        spans = spans_of(data.images, size or self.spread.size(data.images))
        found = self._found(name, spans)
        before = sum(each.seconds for each in found.values()) / self.spread.workers
        if found:
            told(name, sum(each.count for each in found), data.images)
        rest = [each for each in spans if each not in found]
        shares = (share_of(data, each, network) for each in rest)
        with closing(self.place.results(work, shares, told)) as results:
            for index, part in results:
                found[rest[index]] = part
                if self.kept is not None:
                    self.kept.keep(name, rest[index], part)
        parts = [found[each] for each in spans]
        if len(parts) == 1:
            return parts[0]
        return replace(joined(parts), seconds=before + perf_counter() - start)

    def _found(self, name: str, spans: Sequence[Span]) -> dict[Span, Part]:
        """What is done already."""
        if self.kept is None:
            return {}
        parts = ((each, self.kept.find(name, each)) for each in spans)
        return {span: part for span, part in parts if part is not None}
