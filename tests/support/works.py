"""Works for workers, which import them from here."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from snnc.compiler.errors import refusal
from snnc.runtime.engines.sessions import cores
from snnc.runtime.progress import Progress


@dataclass(frozen=True)
class Square:
    offset: int = 0

    def __call__(self, task: int, progress: Progress) -> int:
        progress("square", 1, 10)
        progress("square", 2, 10)
        return task * task + self.offset


@dataclass(frozen=True)
class Failing:
    at: int

    def __call__(self, task: int, progress: Progress) -> int:
        if task != self.at:
            return task
        if task % 2:
            raise refusal("layer", f"task {task} is odd", "take another")
        raise ZeroDivisionError(f"task {task}")


@dataclass(frozen=True)
class Dying:
    at: int

    def __call__(self, task: int, progress: Progress) -> int:
        if task == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return task


@dataclass(frozen=True)
class Sleeping:
    """Says who it is, and sleeps."""

    folder: Path

    def __call__(self, task: int, progress: Progress) -> None:
        (self.folder / str(os.getpid())).touch()
        time.sleep(task)


def where(task: int, progress: Progress) -> tuple[int, int, bool]:
    in_main = threading.current_thread() is threading.main_thread()
    return os.getpid(), cores(), in_main
