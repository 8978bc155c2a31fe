"""What every place answers: the results of tasks that do not depend on each other."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from types import TracebackType
from typing import Protocol, TypeVar, runtime_checkable

from typing_extensions import Self

from snnc.runtime.progress import Progress

T_contra = TypeVar("T_contra", contravariant=True)
R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
R = TypeVar("R")


class Work(Protocol[T_contra, R_co]):
    """What is done with a task. It may be sent elsewhere, as tasks and results are: by pickle."""

    def __call__(self, task: T_contra, progress: Progress, /) -> R_co:
        """The result of a task, which is the same wherever it is computed."""
        ...


@runtime_checkable
class ReadsFiles(Protocol):
    """A work or a task that reads files, which another machine may lack."""

    def is_here(self) -> bool:
        """Whether they are on this machine, just as they were."""
        ...

    def carried(self) -> Self:
        """The same with their content."""
        ...


def is_here(thing: object) -> bool:
    """Whether all files that something reads are on this machine."""
    return not isinstance(thing, ReadsFiles) or thing.is_here()


def carried(thing: T) -> T:
    """The same with the content of the files that it reads."""
    return thing.carried() if isinstance(thing, ReadsFiles) else thing


class Place(Protocol):
    """Somewhere to work; left, nothing of it goes on."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def results(
        self, work: Work[T, R], tasks: Iterable[T], progress: Progress
    ) -> Generator[tuple[int, R], None, None]:
        """Yield the number of each task and its result, as they are done.

        Args:
            work: what to do with each of them.
            tasks: taken one by one, when there is somebody to do them.
            progress: called in the thread of the caller.

        Raises:
            SnncError: what the work raises, and where somebody ends before the work does.
        """
        ...
