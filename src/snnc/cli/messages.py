"""Problems and remarks for the user, in the words of the command line."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields

import typer
from rich.console import Console

from snnc.api.notes import told_by_others
from snnc.compiler.errors import EngineError, SnncError, failure, first_line, printable
from snnc.compiler.options import CompileOptions
from snnc.start import FAILED, received, say_interrupted

MORE_MEMORY = "give it more memory"
OPTIONS = frozenset(
    {
        *(each.name for each in fields(CompileOptions)),
        *("also", "clip_input", "codes", "columns", "device", "dump_after"),
        *("engine", "html", "lava_model", "layer", "limit", "map", "output", "plot", "program"),
        *("workers", "scheduler", "chunk", "checkpoint"),
        *("chips", "constants", "mapping", "objective", "on_cores", "slack", "state_words"),
    }
)
"""Every option that is a flag, by its name in Python."""
OPTION = re.compile(r"`([a-z_]+)(?:=([^`]*))?`")
stderr = Console(stderr=True, markup=False, emoji=False, highlight=False)


def as_flags(text: str) -> str:
    """Write options as flags: `weight_bits` as --weight-bits, `code='rate'` as --code rate."""
    return OPTION.sub(_flag, text)


@contextmanager
def reports_problems(*, as_json: bool = False) -> Iterator[None]:
    """Tell the user what to mend instead of where the code was, and end with the exit status.

    Args:
        as_json: print an engine's failure on stdout besides, as the object that is awaited there.

    Raises:
        typer.Exit: where the work cannot go on.
    """
    try:
        with told_by_others():
            yield
    except KeyboardInterrupt:
        raise typer.Exit(say_interrupted()) from None
    except (SnncError, OSError, MemoryError, ImportError) as error:
        if received:
            raise typer.Exit(say_interrupted()) from None
        problem = error if isinstance(error, SnncError) else _of_system(error)
        tell(str(problem))
        if as_json and isinstance(problem, EngineError):
            _print_problems(problem)
        raise typer.Exit(FAILED) from None


def _of_system(error: OSError | MemoryError | ImportError) -> SnncError:
    """What the machine does not give, as one message."""
    if isinstance(error, MemoryError):
        return failure("memory", f"there is not enough: {first_line(error)}", MORE_MEMORY)
    if isinstance(error, ImportError):
        what = f"cannot be loaded: {first_line(error)}"
        return failure(error.name or "a library", what, f"{MORE_MEMORY}, or install it again")
    where = str(error.filename or "the system")
    return failure(where, error.strerror or first_line(error), "make room for it")


def _print_problems(error: SnncError) -> None:
    from snnc.cli.results import print_json

    print_json({"problems": [asdict(each) for each in error.problems]})


def tell(text: str) -> None:
    """Print a message to stderr."""
    with suppress(OSError):
        stderr.print(as_flags(text), soft_wrap=True)


def tell_remarks(remarks: Iterable[str]) -> None:
    """Print what a user should know and nobody has to mend."""
    for each in remarks:
        tell(f"note: {printable(each)}")


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
