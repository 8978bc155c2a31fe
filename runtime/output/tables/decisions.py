"""The decisions of an engine, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snnc.runtime.engines.result import EngineResult, Labels, classes_of
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.tables.table import Column, Table, table_of


@dataclass(frozen=True)
class ClassRow:
    """One class."""

    index: int
    decided: int
    """How often an engine decides for it, in images or in places of them."""
    labelled: int | None
    """How many images are of it; None without labels."""
    right: int | None
    """For how many of these it decides so."""

    @property
    def found(self) -> float | None:
        """The share of its images that are decided rightly; None where nobody knows it."""
        return self.right / self.labelled if self.right is not None and self.labelled else None


CLASS_COLUMNS: Sequence[Column[ClassRow]] = (
    Column("class", lambda row: str(row.index)),
    Column("decided", lambda row: f"{row.decided:,}"),
    Column("labelled", lambda row: "-" if row.labelled is None else f"{row.labelled:,}"),
    Column("right", lambda row: "-" if row.right is None else f"{row.right:,}"),
    Column("found", lambda row: percent(row.found)),
)


def class_rows(result: EngineResult, labels: Labels | None) -> list[ClassRow]:
    """Each class that is decided for, or that an image is of."""
    decisions, classes = result.decisions.ravel(), classes_of(result.logits.shape[1:])
    decided = np.bincount(decisions, minlength=classes)
    if labels is None or decisions.size != len(labels):
        return [ClassRow(i, int(n), None, None) for i, n in enumerate(decided) if n]
    labelled = np.bincount(labels, minlength=classes)
    right = np.bincount(labels[decisions == labels], minlength=classes)
    counts = zip(decided, labelled, right, strict=True)
    return [ClassRow(index, *map(int, row)) for index, row in enumerate(counts) if row[0] or row[1]]


def decisions_table(result: EngineResult, labels: Labels | None) -> Table:
    """How often an engine decides for each class, and how often rightly."""
    return table_of("decisions", CLASS_COLUMNS, class_rows(result, labels))
