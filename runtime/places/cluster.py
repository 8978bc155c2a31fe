"""A cluster of Dask: its workers do the tasks, on whatever machines they are.

A worker of Dask computes in threads, and may have no children as Lava's are; so each task is done
in a process of its own there. Where a worker dies, Dask lets another one do its tasks again.
"""

from __future__ import annotations

import pickle
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from types import TracebackType
from typing import Any

from typing_extensions import Self

from snnc.compiler.errors import EngineError, failure, first_line, refusal
from snnc.runtime.engines.sessions import cores
from snnc.runtime.places.base import R, T, Work, carried, is_here
from snnc.runtime.places.messages import Done, Failed, Told
from snnc.runtime.places.pool import Pool
from snnc.runtime.progress import Progress

SECONDS = 30
"""That a scheduler has to answer."""
WAITING = 2
"""Tasks for each thread of the cluster that are with it: while one is done, the next is there."""
ATTEMPTS = 3
"""To give a task to somebody, where those who had what it needs are gone."""
NAME = "scheduler"


@dataclass(frozen=True, eq=False)
class Answer:
    """What a worker says of a task, and how far it was on its way."""

    message: Done | Failed
    told: tuple[Told, ...] = ()

    def result(self) -> Any:  # noqa: ANN401
        """The result of the task.

        Raises:
            BaseException: what went wrong with it.
        """
        if isinstance(self.message, Failed):
            self.message.again()
        return self.message.result


LACKS_WORK, LACKS_TASK = "work", "task"
"""What a worker answers that lacks the files of either."""


class Cluster:
    """The workers of a scheduler; what they have begun when the block is left, they end alone."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Any = None

    def __enter__(self) -> Self:
        try:
            from distributed import Client
        except ImportError as error:
            what = f"it needs Dask, and {first_line(error)}"
            raise refusal("`scheduler`", what, "pip install 'snnc[dask]'") from None
        try:
            self._client = Client(self._address, timeout=SECONDS, set_as_default=False)
            self._client.wait_for_workers(1, timeout=SECONDS)
        except Exception as error:  # of a slow machine distributed asserts what is not so yet
            self._close()
            what = f"{self._address!r} gives no workers: {first_line(error)}"
            mend = f"start it with `dask scheduler`, and workers with `dask worker {self._address}`"
            raise refusal("`scheduler`", what, mend) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def results(
        self, work: Work[T, R], tasks: Iterable[T], progress: Progress
    ) -> Generator[tuple[int, R], None, None]:
        """See `snnc.runtime.places.base.Place`; progress is told when a task is done."""
        from distributed import as_completed

        given = _Given(self._client, work)
        completed, waiting = as_completed(loop=self._client.loop), enumerate(tasks)
        pending: dict[Any, tuple[int, T, int]] = {}

        def submit(index: int, task: T, attempt: int) -> None:
            future = given.submitted(task)
            pending[future] = index, task, attempt
            completed.add(future)

        try:
            while True:
                room = WAITING * sum(self._client.nthreads().values()) - len(pending)
                for _ in range(max(room, 0 if pending else 1)):
                    if (following := next(waiting, None)) is not None:
                        submit(*following, attempt=1)
                if not pending:
                    return
                future = next(completed)
                index, task, attempt = pending.pop(future)
                answer = self._answer(future, last=attempt == ATTEMPTS)
                if answer is None:
                    given.again()
                    submit(index, task, attempt + 1)
                elif answer == LACKS_WORK:
                    given.carry()
                    submit(index, task, attempt)
                elif isinstance(answer, Answer):
                    for told in answer.told:
                        progress(*told)
                    yield index, answer.result()
                else:
                    submit(index, carried(task), attempt)
        finally:
            self._client.cancel(list(pending))

    def _answer(self, future: Any, *, last: bool) -> Answer | str | None:  # noqa: ANN401
        """What a worker said; None if nobody has any longer what it was to begin with."""
        try:
            found = future.result()
        except Exception as error:
            if future.cancelled() and not last:
                return None
            raise self._failed(error) from None
        assert isinstance(found, Answer | str)
        return found

    def _failed(self, error: Exception) -> EngineError:
        what = f"{type(error).__name__}: {first_line(error)}"
        mend = "look at the logs of its workers; what `checkpoint` keeps is not computed again"
        return failure(f"{NAME} {self._address}", what, mend)

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


class _Given:
    """A work that all workers have."""

    def __init__(self, client: Any, work: Any) -> None:  # noqa: ANN401
        self._client, self._work, self._is_carried = client, work, False
        self.again()

    def carry(self) -> None:
        """Give it with the content of its files."""
        if not self._is_carried:
            self._work, self._is_carried = carried(self._work), True
            self.again()

    def again(self) -> None:
        """Give it once more."""
        self._sent = self._client.scatter(pickle.dumps(self._work), broadcast=True, hash=False)

    def submitted(self, task: object) -> Any:  # noqa: ANN401
        """A task that somebody will do."""
        content = pickle.dumps(task)
        return self._client.submit(do, self._sent, content, version("snnc"), pure=False)


def do(work: bytes, task: bytes, sender: str) -> Answer | str:
    """Do a task in a worker of Dask, in a process of its own.

    Args:
        work: what to do with it.
        task: the task.
        sender: the version of snnc where they come from.
    """
    from distributed import get_worker

    if (here := version("snnc")) != sender:
        what = f"it has snnc {here}, and was sent work of {sender}"
        return Answer(Failed.by(failure(get_worker().address, what, "install the same everywhere")))
    given, asked = pickle.loads(work), pickle.loads(task)
    if not is_here(given):
        return LACKS_WORK
    if not is_here(asked):
        return LACKS_TASK
    told: list[Told] = []

    def tell(name: str, done: int, total: int) -> None:
        told.append(Told(name, done, total))

    threads = max(1, cores() // get_worker().state.nthreads)
    try:
        with Pool(1, threads) as place:
            ((_, result),) = place.results(given, [asked], tell)
    except Exception as error:
        return Answer(Failed.by(error))
    return Answer(Done(result), tuple(told))
