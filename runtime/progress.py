"""Who is told how far some work is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with an engine's name, the images it has just finished and those it was given."""


def ignore(name: str, done: int, total: int) -> None:
    """Show no progress."""
