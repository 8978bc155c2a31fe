"""A table is a list of columns and a list of rows; a column says what its cells hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, TypeVar

from snnc.compiler.errors import printable

Row = TypeVar("Row")
SILENT = frozenset({"", "-"})
"""Cells that say nothing."""


@dataclass(frozen=True)
class Column(Generic[Row]):
    """What stands above the cells of a column, and in them."""

    head: str
    cell: Callable[[Row], str]
    rank: int = 1
    """Where room is short columns of low rank stay, among equals those on the left."""
    is_text: bool = False
    """Whether its cells may be shortened in the middle. Numbers are whole."""
    typed: str = ""
    """What `--columns` calls it; by default its head."""

    @property
    def name(self) -> str:
        """What `--columns` calls it."""
        return self.typed or self.head


@dataclass(frozen=True)
class Table:
    """Columns, and their cells in one row after the other, fit for a terminal."""

    title: str
    columns: tuple[Column[Any], ...]
    cells: tuple[tuple[str, ...], ...]

    def is_silent(self, index: int) -> bool:
        """Whether no cell of a column says anything."""
        return all(row[index] in SILENT for row in self.cells)


def table_of(title: str, columns: Sequence[Column[Row]], rows: Iterable[Row]) -> Table:
    """A table of rows; the first column names them."""
    return Table(printable(title), tuple(columns), tuple(cells_of(columns, row) for row in rows))


def cells_of(columns: Sequence[Column[Row]], row: Row) -> tuple[str, ...]:
    """The cells of one row; whatever somebody called a layer steers no terminal."""
    return tuple(printable(column.cell(row)) for column in columns)


def table_of_cells(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table whose cells are made already; what stands on the left matters most."""
    columns = [Column(head, itemgetter(i), is_text=not i) for i, head in enumerate(heads)]
    return table_of(title, columns, rows)
