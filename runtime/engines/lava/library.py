"""Lava itself: whatever imports from `lava` calls `load` first."""

from __future__ import annotations

import dataclasses
import multiprocessing
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib import import_module
from typing import Any

MODULE = "lava.magma.compiler.var_model"
"""The one module of Lava 0.10.0 whose dataclasses have defaults of a class without a hash."""
MESSAGES = "lava.magma.runtime.message_infrastructure.multiprocessing"
"""The one that says how processes start, which Python lets a program say once."""
LACKS_HASHES = sys.version_info >= (3, 11)


def load() -> None:
    """Import what of Lava does not import by itself.

    Since Python 3.11 a dataclass takes no default whose class has no hash, and dataclasses have
    none. Those of `MODULE` have one while it is imported, and no longer. Lava's processes are
    forked, whatever was said before: a loader of PyTorch or a cluster has often done so.

    Raises:
        Exception: whatever Lava, or a library that it needs, raises on import.
    """
    if MODULE not in sys.modules:
        with _hashes(MODULE) if LACKS_HASHES else nullcontext():
            import_module(MODULE)
    if MESSAGES not in sys.modules:
        with _start_is_said_again():
            import_module(MESSAGES)


@contextmanager
def _start_is_said_again() -> Iterator[None]:
    """Let how processes start be said, though it was said before."""
    usual = multiprocessing.set_start_method
    setattr(multiprocessing, "set_start_method", partial(usual, force=True))  # noqa: B010
    try:
        yield
    finally:
        setattr(multiprocessing, "set_start_method", usual)  # noqa: B010


@contextmanager
def _hashes(module: str) -> Iterator[None]:
    """Give each dataclass that a module makes a hash; take it back with the block."""
    usual, lent = dataclasses.dataclass, []

    def dataclass(cls: Any = None, /, **options: Any) -> Any:  # noqa: ANN401
        if cls is None:
            return partial(dataclass, **options)
        made = usual(cls, **options)
        if made.__module__ == module and made.__hash__ is None:
            made.__hash__ = object.__hash__
            lent.append(made)
        return made

    setattr(dataclasses, "dataclass", dataclass)  # noqa: B010
    try:
        yield
    finally:
        setattr(dataclasses, "dataclass", usual)  # noqa: B010
        for each in lent:
            each.__hash__ = None
