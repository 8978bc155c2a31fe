"""Problems and remarks for the user, in the words of the command line."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields

import typer
from rich.console import Console

from snnc.compiler.errors import SnncError
from snnc.compiler.options import CompileOptions

INTERRUPTED = 130
OPTIONS = frozenset(
    {
        *(each.name for each in fields(CompileOptions)),
        *("also", "clip_input", "codes", "device", "dump_after"),
        *("engine", "html", "limit", "output", "plot"),
    }
)
"""Every option that is a flag, by its name in Python."""
OPTION = re.compile(r"`([a-z_]+)(?:=([^`]*))?`")
stderr = Console(stderr=True)


def as_flags(text: str) -> str:
    """Write options as flags: `weight_bits` as --weight-bits, `code='rate'` as --code rate."""
    return OPTION.sub(_flag, text)


@contextmanager
def reports_problems() -> Iterator[None]:
    """Tell the user what to mend instead of where the code was, and end with the exit status.

    Raises:
        typer.Exit: where the work cannot go on.
    """
    try:
        yield
    except SnncError as error:
        tell(str(error))
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        tell("interrupted")
        raise typer.Exit(INTERRUPTED) from None


def tell(text: str) -> None:
    """Print a message to stderr."""
    stderr.print(as_flags(text), markup=False, highlight=False, soft_wrap=True)


def _flag(option: re.Match[str]) -> str:
    name, value = option.groups()
    if name not in OPTIONS:
        return option[0]
    return " ".join([f"--{name.replace('_', '-')}", *_words(name, value)])


def _words(name: str, value: str | None) -> list[str]:
    """What follows the flag: nothing where the flag says it all."""
    if value is None:
        return []
    try:
        found = literal_eval(value)
    except (SyntaxError, ValueError):
        return [value]
    if found is True:
        return []
    if isinstance(found, tuple | list):
        numbers = [f"{each}" for each in found]
        return numbers if name == "input_range" else [",".join(numbers)]
    return [str(found)]
