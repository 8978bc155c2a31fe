"""A data set in parts: each is run on its own, and what came of them is joined.

The result is that of one run over all images, whatever the parts are. An image leaves nothing
behind in a network but where changes are sent: there a part begins with the image before it, whose
results belong to the part before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from snnc.compiler.laws import Floats
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data
from snnc.runtime.stored import ImageArray

BATCH = 64
"""Images that are run at once, where nothing says otherwise."""


@dataclass(frozen=True)
class Span:
    """Consecutive images."""

    first: int
    count: int


@dataclass(frozen=True, eq=False)
class Share:
    """A span of a data set, to be run."""

    span: Span
    before: int
    """Images that come before the first and are run too; their results are dropped."""
    x: ImageArray
    """(before + images, *shape); those of a file stay in it until they are run."""

    @property
    def images(self) -> int:
        """Those that are run."""
        return len(self.x)

    def batches(self, size: int) -> Iterator[Any]:
        """The images that are run, size of them at a time."""
        return (self.x[i : i + size] for i in range(0, len(self.x), size))

    def is_here(self) -> bool:
        """Whether the file of the images, if they have one, is there as it was."""
        return Data(self.x).is_here()

    def carried(self) -> Share:
        """The same with its images in memory."""
        return replace(self, x=self.x[:])

    def dropped(self, first: int) -> int:
        """How many of those from a first on are dropped."""
        return max(0, self.before - first)


@dataclass(frozen=True, eq=False)
class Part:
    """What came of consecutive images."""

    logits: Floats
    """(images, classes), or (images, classes, *space)."""
    seconds: float
    fired: int | None = None
    """Spikes that were sent; None of what computes numbers alone."""
    logit_mismatches: int = 0
    mismatches: Mapping[str, int] = field(default_factory=dict)
    """Spikes of each population that the golden model does not send, or does besides."""


def spans_of(images: int, size: int) -> tuple[Span, ...]:
    """All images, size of them at a time."""
    return tuple(Span(i, min(size, images - i)) for i in range(0, images, size))


def share_of(data: Data, span: Span, network: SpikingNetwork) -> Share:
    """A span of the images, as a network has to see it."""
    sends_changes = any(law.train == "changes" for law in network.firing.values())
    before = min(span.first, int(sends_changes))
    x = data.part(span.first - before, span.count + before).x
    return Share(span, before, x)


def whole(data: Data) -> Share:
    """All images as one share."""
    return Share(Span(0, data.images), 0, data.x)


def joined(parts: Sequence[Part]) -> Part:
    """What came of the images of all parts, which are in order; seconds are summed."""
    fired = [each.fired for each in parts if each.fired is not None]
    mismatches: Counter[str] = Counter()
    for each in parts:
        mismatches.update(each.mismatches)
    return Part(
        np.concatenate([each.logits for each in parts]),
        sum(each.seconds for each in parts),
        sum(fired) if len(fired) == len(parts) else None,
        sum(each.logit_mismatches for each in parts),
        dict(mismatches),
    )
