"""What has to be installed for an engine, and how, on the Python at hand."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from snnc.compiler.errors import Problem, first_line
from snnc.runtime.engines.interrupts import uninterrupted

OLDEST_WITHOUT = (3, 11)
"""Lava declares Python 3.10 and runs on later ones (`runtime/engines/lava/library.py`)."""
UNDECLARED = {"lava": "lava-nc==0.10.0", "slayer": "lava-nc==0.10.0 lava-dl==0.6.0"}
"""What pip takes for a later Python only when told, by the extra that brings what it needs."""


def command(extra: str) -> str:
    """What installs an extra on this Python."""
    install = f"pip install 'snnc[{extra}]'"
    if sys.version_info < OLDEST_WITHOUT:
        return install
    return f"{install} && pip install --no-deps --ignore-requires-python {UNDECLARED[extra]}"


def missing_library(
    engine: str, extra: str, modules: Sequence[str], load: Callable[[], object]
) -> Problem | None:
    """The problem of an engine whose libraries are not there, or cannot be imported.

    Args:
        engine: what people call it.
        extra: of snnc, which brings the libraries.
        modules: of the libraries; those that come first are packages of those that follow.
        load: imports them.
    """
    mend = f"{command(extra)}; snnc run `engine='golden'` needs none of them"
    absent = [each for each in modules if not _is_there(each)]
    if absent:
        return Problem(engine, f"{absent[0]} is not installed", mend)
    try:
        # an interrupt inside the C++ of PyTorch, while it is imported, aborts the program
        with uninterrupted():
            load()
    except Exception as error:  # an import runs whatever a library does first
        what = f"{modules[-1]} is installed, and cannot be imported"
        return Problem(engine, f"{what}: {type(error).__name__}: {first_line(error)}", mend)
    return None


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # a package of it is not there, or cannot be imported
        return False
