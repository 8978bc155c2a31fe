"""Which columns of a table fit into a width, and how wide they are.

Numbers are whole: a column has the width of its longest one, or is left out. Names are shortened
in the middle, heads go on in the next line. Whoever chooses columns gets them, however wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from snnc.runtime.output.tables.table import Table

GAP = 2
"""Signs between two columns."""
NAME = 24
"""Signs of a name that are shown before another column is."""
ELLIPSIS = "…"


@dataclass(frozen=True)
class View:
    """What a user wants to see of a table."""

    wide: bool = False
    """All columns, whole, however wide."""
    columns: tuple[str, ...] = ()
    """The names of those to show, in their order, besides the first; empty for what fits."""


WHAT_FITS = View()


@dataclass(frozen=True)
class Place:
    """A column that is shown."""

    index: int
    width: int


@dataclass(frozen=True)
class Layout:
    """The columns that are shown, from the left to the right, and the heads of the others."""

    places: tuple[Place, ...]
    left_out: tuple[str, ...]

    @property
    def width(self) -> int:
        """Signs of a line."""
        return sum(each.width + GAP for each in self.places) - GAP


def laid_out(table: Table, width: int, view: View = WHAT_FITS) -> Layout:
    """Choose columns, and how wide each is.

    Args:
        table: with at least one column.
        width: signs of a line, which only columns that a user asked for exceed.
        view: what a user wants to see of it.
    """
    if view.wide or view.columns:
        shown = _asked_for(table, view)
        return _of(table, {each: _natural(table, each) for each in shown})
    widths = {index: min(_least(table, index), width) for index in _that_fit(table, width)}
    spare = width - _total(widths.values())
    for index in _by_rank(table, widths):
        more = min(spare, _natural(table, index) - widths[index])
        widths[index] += more
        spare -= more
    return _of(table, dict(sorted(widths.items())))


def natural_width(table: Table) -> int:
    """Signs of a line in which nothing is left out or shortened."""
    return _total(_natural(table, index) for index in range(len(table.columns)))


def fitted(text: str, width: int) -> str:
    """A text with an ellipsis instead of its middle, where it is longer than a width."""
    if cell_len(text) <= width:
        return text
    head, tail = text[: (width + 1) // 2], text[len(text) - width // 2 :]
    while cell_len(head + ELLIPSIS + tail) > width and head + tail:
        head, tail = (head[:-1], tail) if len(head) >= len(tail) else (head, tail[1:])
    return head + ELLIPSIS + tail


def _of(table: Table, widths: dict[int, int]) -> Layout:
    left = [each.head for i, each in enumerate(table.columns) if i not in widths]
    return Layout(tuple(Place(*each) for each in widths.items()), tuple(left))


def _asked_for(table: Table, view: View) -> Sequence[int]:
    """The columns that a user chose, besides the first, which names the rows."""
    every = range(len(table.columns))
    wanted = [i for name in view.columns for i in every if table.columns[i].name == name]
    return list(dict.fromkeys((0, *wanted))) if wanted else every


def _that_fit(table: Table, width: int) -> Iterator[int]:
    """The first column, and of the others as many as there is room for, by rank."""
    room = width + GAP
    for index in _by_rank(table, range(len(table.columns))):
        needed = GAP + _least(table, index)
        if needed <= room or not index:
            room -= needed
            yield index


def _by_rank(table: Table, indices: Iterable[int]) -> list[int]:
    """What matters first; the first column before all, what says nothing behind all."""

    def order(index: int) -> tuple[bool, bool, int, int]:
        return bool(index), table.is_silent(index), table.columns[index].rank, index

    return sorted(indices, key=order)


def _least(table: Table, index: int) -> int:
    """What a column needs at least: whole words of its head, whole numbers, and enough of names."""
    cells = _widest(table, index)
    if table.columns[index].is_text:
        cells = min(cells, NAME)
    return max([cells, *map(cell_len, table.columns[index].head.split())])


def _natural(table: Table, index: int) -> int:
    return max(_widest(table, index), cell_len(table.columns[index].head))


def _widest(table: Table, index: int) -> int:
    return max((cell_len(row[index]) for row in table.cells), default=0)


def _total(widths: Iterable[int]) -> int:
    return sum(each + GAP for each in widths) - GAP
