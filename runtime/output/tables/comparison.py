"""The engines of a comparison side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from snnc.runtime.engines.golden import GoldenEngine
from snnc.runtime.engines.result import EngineResult, Labels
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.tables.table import Column, Table, table_of
from snnc.runtime.studies.compare import Comparison


@dataclass(frozen=True, eq=False)
class EngineRow:
    """One engine of a comparison."""

    title: str
    result: EngineResult
    source: EngineResult
    labels: Labels | None


ENGINE_COLUMNS: Sequence[Column[EngineRow]] = (
    Column("engine", lambda row: row.title, is_text=True),
    Column("accuracy", lambda row: percent(row.result.accuracy(row.labels))),
    Column("same decision", lambda row: percent(row.result.agreement(row.source))),
    Column("max logit error", lambda row: f"{row.result.max_logit_error(row.source):.3g}"),
    Column("images/s", lambda row: f"{row.result.images_per_second:.0f}"),
)


def engine_rows(comparison: Comparison) -> Iterator[EngineRow]:
    """One row for each engine, held against the source."""
    source, labels = comparison.source, comparison.labels
    yield EngineRow(f"source ({source.engine})", source, source, labels)
    yield EngineRow(GoldenEngine.title, comparison.golden, source, labels)
    for verified in comparison.verified.values():
        yield EngineRow(verified.title, verified.result, source, labels)


def comparison_table(comparison: Comparison) -> Table:
    """The engines side by side."""
    title = f"{comparison.source.images} images"
    return table_of(title, ENGINE_COLUMNS, engine_rows(comparison))
