"""Tables for the terminal, as wide as that is; 100 signs where stdout is none.

The environment variable COLUMNS gives another width to both.
"""

from __future__ import annotations

import os
import sys
from shutil import get_terminal_size

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from snnc.runtime.output.tables.layout import (
    GAP,
    WHAT_FITS,
    Layout,
    View,
    fitted,
    laid_out,
    natural_width,
)
from snnc.runtime.output.tables.table import Table

PIPED = 100
"""Signs of a line, where stdout is no terminal."""
MOST = 5
"""Digits of a width."""


class _Lines(Console):
    """Rich itself ends the program where nobody reads on."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def print_table(table: Table, view: View = WHAT_FITS, mend: str = "") -> None:
    """Print a table, and below it the heads of the columns for which there was no room.

    Args:
        table: with at least one column.
        view: what the user wants to see of it.
        mend: how to see all of it; by default the width that this takes.

    Raises:
        OSError: where stdout does not take it.
    """
    width = width_of_stdout()
    layout = laid_out(table, width, view)
    console = _Lines(width=max(width, layout.width), highlight=False)
    _print_sentence(console, table.title)
    console.print(_grid(table, layout))
    if layout.left_out and not view.columns:
        mend = mend or f"COLUMNS={natural_width(table)} shows all"
        _print_sentence(console, f"left out: {', '.join(layout.left_out)} ({mend})")


def width_of_stdout() -> int:
    """Signs of a line on stdout."""
    if sys.stdout.isatty():
        return get_terminal_size((PIPED, 24)).columns
    wanted = os.environ.get("COLUMNS", "")
    known = wanted.isdecimal() and len(wanted) <= MOST
    return int(wanted) or PIPED if known else PIPED


def _print_sentence(console: Console, text: str) -> None:
    """As many lines as it takes."""
    for line in Text(text).wrap(console, console.width):
        line.rstrip()
        console.print(line)


def _grid(table: Table, layout: Layout) -> Grid:
    """The names of the rows on the left, as all text; numbers on the right."""
    # the line between two columns, which this box leaves blank, is the other half of a gap
    grid = Grid(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0))
    for place in layout.places:
        column = table.columns[place.index]
        grid.add_column(
            Text(column.head),
            justify="left" if column.is_text or not place.index else "right",
            width=place.width,
            vertical="bottom",
        )
    for row in table.cells:
        grid.add_row(*(Text(fitted(row[each.index], each.width)) for each in layout.places))
    return grid
