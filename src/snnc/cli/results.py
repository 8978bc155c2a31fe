"""What goes to stdout: tables, sentences, and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from math import isfinite
from textwrap import TextWrapper
from typing import TYPE_CHECKING, Any, Protocol

import typer

from snnc.cli.messages import as_flags, tell_remarks
from snnc.compiler.errors import printable
from snnc.start import stdout_failed

if TYPE_CHECKING:
    from snnc.runtime.output.tables import Table, View


class Result(Protocol):
    """What a command found."""

    def as_json(self) -> object:
        """One object for JSON."""
        ...


MEND = "--wide shows all"


def print_result(
    result: Result,
    view: View,
    tables: Iterable[Table],
    lines: Iterable[str],
    *,
    as_json: bool,
    remarks: Iterable[str] = (),
) -> None:
    """Print one object as JSON, or its tables and what belongs to them."""
    if as_json:
        print_json(result.as_json())
        return
    tell_remarks(remarks)
    for table in tables:
        print_table(table, view)
    print_sentences(lines)


def print_table(table: Table, view: View) -> None:
    """Print a table, as far as it fits.

    Raises:
        typer.Exit: where stdout does not take it.
    """
    from snnc.runtime.output import tables

    with _on_stdout():
        tables.print_table(table, view, MEND)


def print_lines(lines: Iterable[str]) -> None:
    """Print sentences, one a line."""
    print_text("".join(f"{printable(as_flags(line))}\n" for line in lines))


def print_sentences(lines: Iterable[str]) -> None:
    """Print sentences that belong to a table; on a terminal no word is cut in two."""
    from snnc.runtime.output.tables.terminal import width_of_stdout

    if not sys.stdout.isatty():
        return print_lines(lines)
    wrapper = TextWrapper(
        width_of_stdout(), subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )
    return print_lines(chain.from_iterable(wrapper.wrap(as_flags(each)) for each in lines))


def print_json(value: object) -> None:
    """Print one JSON object, whose problems and remarks name options as flags."""
    print_text(json.dumps(_in_flags(value), indent=2) + "\n")


def print_text(text: str) -> None:
    """Print what is ready; all of it has left when this returns.

    Raises:
        typer.Exit: where stdout does not take it.
    """
    with _on_stdout():
        sys.stdout.write(text)
        sys.stdout.flush()


@contextmanager
def _on_stdout() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise typer.Exit(stdout_failed(error)) from None


def _in_flags(value: Any) -> Any:  # noqa: ANN401
    """The value in the words of the command line; JSON knows finite numbers alone."""
    if isinstance(value, str):
        return as_flags(value)
    if isinstance(value, dict):
        return {name: _in_flags(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_in_flags(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
