"""What every engine answers: what it needs, what it can run, and how it runs."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import Problem
from snnc.compiler.laws import Integers
from snnc.compiler.laws.base import Planes
from snnc.compiler.spiking import SpikingNetwork

Pixels: TypeAlias = npt.NDArray[np.integer[Any]]
"""(images, *input shape): the whole numbers that the neurons of the input send."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """The results of consecutive images."""

    first: int
    """The number of the first of them."""
    logits: Integers
    """(images, *shape of the read-out): its potentials v."""
    spikes: Mapping[str, Planes]
    """What the turn of each firing population leaves behind, by its name; see
    `snnc.compiler.laws.planes`. Empty for an engine that computes numbers alone."""

    def without(self, count: int) -> Chunk | None:
        """The results of all images but the first; None where no others are left."""
        if count >= len(self.logits):
            return None
        spikes = {name: planes[count:] for name, planes in self.spikes.items()}
        return Chunk(self.first + count, self.logits[count:], spikes)


class Engine(Protocol):
    """Something that runs a compiled network."""

    name: str
    """As an option gives it."""
    label: str
    """As people call it."""
    title: str
    """The head of its row in a table."""
    sends_spikes: bool
    """Whether its chunks hold spikes."""
    takes_device: bool
    """Whether it can be told where to compute."""

    def missing(self) -> Problem | None:
        """What has to be installed first."""
        ...

    def problems(self, network: SpikingNetwork) -> Iterator[Problem]:
        """Why it cannot run a network."""
        ...

    def stream(
        self,
        network: SpikingNetwork,
        batches: Iterable[Pixels],
        *,
        chunk: int,
        device: str = "cpu",
    ) -> Generator[Chunk, None, None]:
        """Run images and yield their results, each image once and in order.

        Args:
            network: as read from its file.
            batches: what the input sends.
            chunk: the most images between two looks at the results.
            device: where to compute, for an engine that can be told.

        Raises:
            SnncError: for what is missing, a network that it cannot run, or a run that fails.
        """
        ...
