"""Whether a limit on memory leaves room for the libraries of an engine."""

from __future__ import annotations

import resource
from pathlib import Path

from snnc.compiler.errors import Problem

NEEDED = 512 << 20
"""Bytes: with less some library waits for memory for ever while it is imported."""
STATUS = Path("/proc/self/statm")


def too_little_room(engine: str) -> Problem | None:
    """The problem of a limit that lies so low that an engine would not even start.

    Args:
        engine: what people call it.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or not STATUS.exists():
        return None
    left = limit - int(STATUS.read_text().split()[0]) * resource.getpagesize()
    if left >= NEEDED:
        return None
    what = f"the limit of {limit >> 20} MB leaves {max(left, 0) >> 20} MB of memory"
    return Problem(engine, f"{what}; at least {NEEDED >> 20} are needed", "raise it (ulimit -v)")
