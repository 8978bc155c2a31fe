"""What goes to stdout: tables, sentences, and JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console

from snnc.cli.messages import as_flags

if TYPE_CHECKING:
    from rich.table import Table

WIDTH = 220
"""Columns of a table, where stdout is no terminal."""


def print_table(table: Table) -> None:
    """Print a table; it keeps its columns where stdout is no terminal."""
    Console(width=None if sys.stdout.isatty() else WIDTH).print(table)


def print_lines(lines: Iterable[str]) -> None:
    """Print sentences."""
    print("\n".join(as_flags(line) for line in lines))


def print_json(value: object) -> None:
    """Print one JSON object, whose problems and remarks name options as flags."""
    print(json.dumps(_in_flags(value), indent=2))


def _in_flags(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        return as_flags(value)
    if isinstance(value, dict):
        return {name: _in_flags(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_in_flags(each) for each in value]
    return value
