"""Processes of this machine, one for each worker.

They are programs of their own, in place of forks or of Python's own pools: the caller's script is
not run again in them, a worker of Dask, which may have no children of that kind, can have them, and
Ctrl-C reaches the caller alone. A worker reads its tasks from a socket, and ends with its stdin,
which is closed when the caller ends, however it does.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from types import TracebackType

from typing_extensions import Self

from snnc.compiler.errors import EngineError, failure
from snnc.runtime.engines.interrupts import uninterrupted
from snnc.runtime.engines.sessions import cores
from snnc.runtime.places.base import R, T, Work
from snnc.runtime.places.messages import Begin, Done, Failed, Told
from snnc.runtime.progress import Progress

PATIENCE_SECONDS = 5.0
"""Until a worker that was asked to end is killed: it may have a simulator to end itself."""
STDERR = 2
DIED = "often memory is short: use fewer `workers`; what `checkpoint` keeps is not computed again"


class Pool:
    """Workers that start with the first tasks, and end with the block."""

    def __init__(self, workers: int, threads: int = 0) -> None:
        """Begin with nobody.

        Args:
            workers: the most processes.
            threads: those that each may take; 0 for its share of the cores.
        """
        self._most = workers
        self._threads = threads or max(1, cores() // workers)
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def results(
        self, work: Work[T, R], tasks: Iterable[T], progress: Progress
    ) -> Generator[tuple[int, R], None, None]:
        """See `snnc.runtime.places.base.Place`."""
        pickled = pickle.dumps(Begin(work, self._threads))
        waiting = enumerate(tasks)
        busy: dict[Connection, tuple[int, _Worker]] = {}
        idle = list(self._workers)
        try:
            while True:
                while (idle or len(self._workers) < self._most) and (task := next(waiting, None)):
                    worker = idle.pop() if idle else self._started()
                    busy[worker.connection] = (task[0], worker)
                    worker.give(pickled, task[1])
                if not busy:
                    return
                for each in wait(list(busy)):
                    assert isinstance(each, Connection)
                    index, worker = busy[each]
                    message = worker.answer()
                    if isinstance(message, Told):
                        progress(*message)
                        continue
                    del busy[each]
                    idle.append(worker)
                    yield index, message.result
        finally:
            if busy:  # nobody waits for their answers
                self._end()

    def _end(self) -> None:
        with uninterrupted():
            for each in self._workers:
                each.ask_to_end()
            for each in self._workers:
                each.end()
            self._workers.clear()

    def _started(self) -> _Worker:
        with uninterrupted():
            worker = _Worker(len(self._workers) + 1, self._most, self._threads)
            self._workers.append(worker)
        return worker


class _Worker:
    """A process, and the way to it."""

    def __init__(self, number: int, workers: int, threads: int) -> None:
        self._name = f"worker {number} of {workers}"
        self._work: bytes | None = None
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "snnc.runtime.places.worker", str(theirs.fileno())],
                stdin=subprocess.PIPE,
                stdout=STDERR,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                env=_environment(threads),
            )
        self.connection = Connection(ours.detach())

    def give(self, work: bytes, task: object) -> None:
        """Let it do a task."""
        if work is not self._work:
            self._send(work)
            self._work = work
        self._send(pickle.dumps(task))

    def answer(self) -> Told | Done:
        """What it says next.

        Raises:
            BaseException: what its work raised.
            EngineError: where it is gone.
        """
        try:
            message = self.connection.recv()
        except (EOFError, OSError):
            raise self._died() from None
        if isinstance(message, Failed):
            message.again()
        assert isinstance(message, Told | Done)
        return message

    def ask_to_end(self) -> None:
        """It ends what it has begun, and then itself."""
        self.connection.close()
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()

    def end(self) -> None:
        """Wait for its end, but not for ever."""
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: bytes) -> None:
        try:
            self.connection.send_bytes(message)
        except OSError:
            raise self._died() from None

    def _died(self) -> EngineError:
        status = self._process.wait()
        how = f"exit status {status}"
        if status < 0:
            how = f"killed by {signal.Signals(-status).name}"
        return failure(self._name, f"it ended before its work did: {how}", DIED)


def _environment(threads: int) -> dict[str, str]:
    """That of this process; libraries take no more threads, and snnc is where it is here."""
    path = os.pathsep.join(filter(None, sys.path))
    return {"OMP_NUM_THREADS": str(threads), **os.environ, "PYTHONPATH": path}
