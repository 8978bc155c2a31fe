"""Which images are decided otherwise than before, and which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snnc.compiler.laws import Integers
from snnc.runtime.engines.result import EngineResult, Labels, classes_of


@dataclass(frozen=True, eq=False)
class Confusion:
    """How many images of each class were taken for which."""

    counts: Integers
    """(classes that are right, classes that were chosen)."""

    @property
    def images(self) -> Integers:
        """Of each class."""
        return np.asarray(self.counts.sum(1))

    @property
    def right(self) -> Integers:
        """Of each class."""
        return np.asarray(self.counts.diagonal())


@dataclass(frozen=True, eq=False)
class Change:
    """An image on whose class source and golden model differ."""

    image: int
    label: int | None
    source: int
    golden: int
    margin: float
    """By how much the source's logits preferred its own decision to the other one."""


@dataclass(frozen=True, eq=False)
class Decisions:
    """What source and golden model chose for each image."""

    names: tuple[str, ...]
    """Of the classes."""
    source: Confusion | None
    """None without labels."""
    golden: Confusion | None
    changes: tuple[Change, ...]
    """In the order of the images."""


def decisions_in(
    source: EngineResult, golden: EngineResult, labels: Labels | None, names: Sequence[str]
) -> Decisions | None:
    """The decisions of two runs over the same images; None where an image has many of them.

    Args:
        source: the model's.
        golden: the compiled network's.
        labels: (images,), or None.
        names: of the classes, as far as they are known.
    """
    first, second = source.decisions, golden.decisions
    if first.size != source.images:
        return None
    first, second = first.ravel(), second.ravel()
    classes = classes_of(source.logits.shape[1:])
    known = tuple(names[k] if k < len(names) else str(k) for k in range(classes))
    logits = source.logits.reshape(source.images, -1)
    changes = tuple(
        Change(
            int(i),
            None if labels is None else int(labels[i]),
            int(first[i]),
            int(second[i]),
            _margin(logits[i], int(first[i]), int(second[i])),
        )
        for i in np.flatnonzero(first != second)
    )
    before, after = (_confusion(labels, each, classes) for each in (first, second))
    return Decisions(known, before, after, changes)


def _confusion(labels: Labels | None, decisions: Labels, classes: int) -> Confusion | None:
    if labels is None:
        return None
    pairs = np.bincount(labels * classes + decisions, minlength=classes * classes)
    return Confusion(pairs.reshape(classes, classes))


def _margin(logits: np.ndarray, one: int, other: int) -> float:  # type: ignore[type-arg]
    """A single logit stands for two classes: the other one has 0."""
    if len(logits) == 1:
        return abs(float(logits[0]))
    return float(logits[one] - logits[other])
