"""What a table shows of its columns, whatever is in them and however wide the terminal is."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from operator import itemgetter
from unittest.mock import patch

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from snnc.runtime.output import tables
from snnc.runtime.output.tables import Column, Table, View, table_of, terminal
from snnc.runtime.output.tables.layout import NAME, WHAT_FITS, fitted, natural_width

WORDS = st.text(st.characters(codec="utf-8"), max_size=50)
NUMBERS = st.integers(-(10**12), 10**12).map("{:,}".format)


def printed(table: Table, width: int, view: View = WHAT_FITS) -> list[str]:
    with redirect_stdout(io.StringIO()) as out, patch.dict("os.environ", COLUMNS=str(width)):
        tables.print_table(table, view)
    return out.getvalue().splitlines()


@st.composite
def some_tables(draw: st.DrawFn) -> Table:
    """A column of names, then any of names and of numbers."""
    kinds = [True, *draw(st.lists(st.booleans(), max_size=14))]
    heads = st.lists(st.from_regex(r"[a-z]{1,12}( [a-z]{1,9}){0,3}", fullmatch=True), min_size=1)
    columns = [
        Column(" ".join(draw(heads)[:1]), itemgetter(i), draw(st.integers(1, 6)), is_text=kind)
        for i, kind in enumerate(kinds)
    ]
    row = st.tuples(*(WORDS if kind else NUMBERS for kind in kinds))
    return table_of(draw(WORDS), columns, draw(st.lists(row, max_size=4)))


def numbers_of(table: Table) -> Iterator[tuple[str, list[str]]]:
    for index, column in enumerate(table.columns):
        if not column.is_text:
            yield column.head, [row[index] for row in table.cells]


@settings(max_examples=40)
@given(some_tables(), st.integers(60, 200))
@example(table_of("t", [Column("name", str, is_text=True)], ["👩\u200d🚀" * 80, "界" * 90]), 61)
def test_no_line_is_longer_than_the_terminal_and_numbers_are_whole(
    table: Table, width: int
) -> None:
    lines = printed(table, width)
    assert max(map(cell_len, lines)) <= width
    layout = tables.layout.laid_out(table, width)
    for place in layout.places:
        column = [row[place.index] for row in table.cells]
        assert table.columns[place.index].is_text or place.width >= max(map(len, column), default=0)
    kept = {table.columns[each.index].head for each in layout.places}
    assert kept | set(layout.left_out) == {each.head for each in table.columns}
    text = "\n".join(lines)
    assert all(cell in text for head, cells in numbers_of(table) if head in kept for cell in cells)


@settings(max_examples=20)
@given(some_tables())
def test_what_is_asked_for_is_whole(table: Table) -> None:
    lines = printed(table, 60, View(wide=True))
    body = lines[len(lines) - len(table.cells) :]
    for line, row in zip(body, table.cells, strict=True):
        assert line.split() == " ".join(row).split()


@settings(max_examples=20)
@given(some_tables(), st.integers(0, 20))
def test_a_wider_terminal_shows_all_at_the_width_that_is_said(table: Table, more: int) -> None:
    layout = tables.layout.laid_out(table, natural_width(table) + more)
    assert not layout.left_out
    assert layout.width == natural_width(table)


@given(WORDS, st.integers(1, 60))
def test_names_keep_both_ends(text: str, width: int) -> None:
    found = fitted(text, width)
    assert cell_len(found) <= width
    if found != text:
        head, tail = found.split("…")[0], found.split("…")[-1]
        assert text.startswith(head)
        assert text.endswith(tail)
        assert cell_len(text) > width


def test_what_matters_is_shown_and_the_rest_is_named() -> None:
    columns = [
        Column("layer", lambda row: row, is_text=True),
        Column("first long", lambda row: "1" * 30, 3),
        Column("second", lambda row: "2" * 30, 1),
        Column("silent", lambda row: "-", 0),
        Column("third", lambda row: "3" * 30, 2),
    ]
    lines = printed(table_of("a title", columns, ["/features/features.0/features.0.0/Conv"]), 91)
    assert lines[0] == "a title"
    assert lines[1].split() == ["layer", "second", "third"]
    assert lines[-2].split() == ["/features/fea…ures.0.0/Conv", "2" * 30, "3" * 30]
    assert lines[-1] == "left out: first long, silent (COLUMNS=142 shows all)"


def test_columns_are_chosen_in_their_order() -> None:
    heads = ("layer", "a", "b", "c")
    table = tables.table_of_cells("t", heads, [("x", "1" * 40, "2", "3" * 40)])
    lines = printed(table, 60, View(columns=("c", "a")))
    assert lines[1].split() == ["layer", "c", "a"]
    assert lines[-1].split() == ["x", "3" * 40, "1" * 40]


def test_a_short_name_is_whole_before_more_is_shown() -> None:
    columns = [Column("layer", str, is_text=True), Column("n", lambda row: "1" * 40)]
    assert printed(table_of("", columns, ["a" * NAME]), 60)[-2].strip() == "a" * NAME


@pytest.mark.parametrize(
    ("said", "width"), [("70", 70), ("", 100), ("0", 100), ("-3", 100), ("x", 100), ("9" * 9, 100)]
)
def test_columns_is_honoured_where_stdout_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, said: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", said)
    with redirect_stdout(io.StringIO()):
        assert terminal.width_of_stdout() == width
