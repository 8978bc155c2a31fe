"""When a process hangs: it computes too long, or it does nothing at all.

A busy machine may give a process next to none of its time. So the clock alone decides nothing: once
the time is over, a process that still gets on has the same time again, up to a limit on what it
computes itself.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Patience:
    """How long somebody waits for a process and its children."""

    def __init__(self, process: int, seconds: float) -> None:
        self.process, self.seconds = process, seconds
        self.computed = 0.0
        self.deadline = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until it is worth a look."""
        return max(self.deadline - time.monotonic(), 0)

    def is_over(self) -> bool:
        """Whether it hangs; otherwise it may have more time."""
        if self.left:
            return False
        before, self.computed = self.computed, computed_by(self.process)
        if self.computed <= before or self.computed >= self.seconds:
            return True
        self.deadline = time.monotonic() + self.seconds
        return False


def computed_by(process: int) -> float:
    """Seconds that a process and all that it started have computed."""
    found = {each: stat for each in Path("/proc").glob("[0-9]*") if (stat := _stat(each))}
    parents = {int(each.name): int(stat[1]) for each, stat in found.items()}
    family = {process}
    while more := {each for each, parent in parents.items() if parent in family} - family:
        family |= more
    ticks = (map(int, stat[11:15]) for each, stat in found.items() if int(each.name) in family)
    return sum(map(sum, ticks)) / TICKS


def _stat(process: Path) -> list[str]:
    """What stands behind the name in its line, from the state on."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
