"""What a worker is told, and what it says."""

from __future__ import annotations

import pickle
import traceback
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from snnc.compiler.errors import SnncError, failure, first_line


@dataclass(frozen=True)
class Begin:
    """The work that is done with the tasks that follow."""

    work: Any
    threads: int
    """That it may take."""

    def begun(self) -> Any:  # noqa: ANN401
        """The work, with no more threads."""
        from snnc.runtime.engines.sessions import share_cores

        share_cores(self.threads)
        return self.work


class Told(NamedTuple):
    """How far it is."""

    name: str
    done: int
    total: int


@dataclass(frozen=True)
class Done:
    """A task is done."""

    result: Any


@dataclass(frozen=True)
class Failed:
    """What went wrong with a task."""

    error: BaseException
    trace: str

    @classmethod
    def by(cls, error: BaseException) -> Failed:
        """From what was raised; what cannot be sent is told in words."""
        trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:
            error = failure("worker", f"{type(error).__name__}: {first_line(error)}")
        return cls(error, trace)

    def again(self) -> NoReturn:
        """Raise it here.

        Raises:
            BaseException: just that.
        """
        if isinstance(self.error, SnncError):
            raise self.error
        raise self.error from _ElsewhereError(f"\n{self.trace}")


class _ElsewhereError(Exception):
    """Where an error came from, in another process."""
