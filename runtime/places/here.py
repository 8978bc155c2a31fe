"""This process, which does one task after the other."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from types import TracebackType

from typing_extensions import Self

from snnc.runtime.places.base import R, T, Work
from snnc.runtime.progress import Progress


class Here:
    """No other place."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def results(
        self, work: Work[T, R], tasks: Iterable[T], progress: Progress
    ) -> Generator[tuple[int, R], None, None]:
        """See `snnc.runtime.places.base.Place`."""
        for index, task in enumerate(tasks):
            yield index, work(task, progress)
