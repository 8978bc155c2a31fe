"""Progress on stderr, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from snnc.cli.messages import stderr
from snnc.compiler.pipeline import PASSES

PATIENCE = 2.0
"""Seconds that a compilation takes before a line says which pass is at work."""
FOLLOWING = dict(zip(PASSES, (*PASSES[1:], "write"), strict=True))


class Bars:
    """A bar for each engine; called, it is advanced. And a line for the passes."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._timers: list[Timer] = []

    def __call__(self, name: str, done: int, total: int) -> None:
        """Advance the bar of a name."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.advance(self._tasks[name], done)

    def watch(self, name: str, network: object) -> None:
        """Say which pass follows on one that is done; what it left is looked at by others."""
        if name == PASSES[0]:
            self._begin()
        at_work = f"compile: {FOLLOWING[name]}"
        self._bars.update(self._tasks["compile"], description=at_work, advance=1)

    def end(self) -> None:
        """Show no more than there is."""
        for each in self._timers:
            each.cancel()

    def _begin(self) -> None:
        """A line that is seen where it takes long."""
        task = self._bars.add_task("compile", total=len(PASSES), visible=False)
        self._tasks["compile"] = task
        timer = Timer(PATIENCE, self._bars.update, [task], {"visible": True})
        timer.daemon = True
        timer.start()
        self._timers.append(timer)


@contextmanager
def progress_bars() -> Iterator[Bars]:
    """What shows progress while the work lasts."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    shown = Progress(
        *columns, TimeRemainingColumn(), console=stderr, disable=not sys.stderr.isatty()
    )
    bars = Bars(shown)
    with shown:
        try:
            yield bars
        finally:
            bars.end()
