"""Starting a Lava network, waiting for it and ending it, whatever happens.

Lava alone waits for ever when one of its processes dies, and leaves processes and shared memory
behind when its host does.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

from snnc.compiler.errors import EngineError, failure, first_line
from snnc.runtime.engines.interrupts import uninterrupted

if TYPE_CHECKING:
    from lava.magma.core.process.process import AbstractProcess
    from lava.magma.runtime.runtime import Runtime

PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.01
PATIENCE_SECONDS = 2.0
SIMULATION = "Lava simulation"
SHARED_MEMORY = "make room in /dev/shm, where its processes meet; of a container with --shm-size"

_forking = False


class RunningNetwork:
    """A network of Lava Processes that runs on the CPU."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._children = runtime._messaging_infrastructure.actors

    def advance(self, steps: int) -> None:
        """Run for some time steps.

        Raises:
            EngineError: a process of the network failed or was killed.
        """
        from lava.magma.core.run_conditions import RunSteps

        self._runtime.start(RunSteps(num_steps=steps, blocking=False))
        while not self._done():
            if wait([each.sentinel for each in self._children], POLL_SECONDS):
                raise self._failure()
        self._runtime.wait()

    def _done(self) -> bool:
        from lava.magma.runtime.mgmt_token_enums import MGMT_RESPONSE, enum_equal

        answers = self._runtime.service_to_runtime
        return all(each.probe() and enum_equal(each.peek(), MGMT_RESPONSE.DONE) for each in answers)

    def _failure(self) -> EngineError:
        """The process that broke may be a moment behind those that it took with it."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while not (reasons := self._reasons()) and time.monotonic() < patience:
            time.sleep(POLL_SECONDS)
        last = (reasons or ["no reason given"])[0].strip().splitlines()[-1]
        return failure(SIMULATION, f"a process ended early: {last}")

    def _reasons(self) -> list[str]:
        traces = [each.exception[1] for each in self._children if each.exception]
        return traces + [f"exit status {each.exitcode}" for each in self._children if each.exitcode]


@contextmanager
def running(process: AbstractProcess) -> Iterator[RunningNetwork]:
    """Compile and start the Lava Processes connected to process; end them with the block.

    Lava prints what it has to say to stderr. Should the host be killed, the kernel ends the
    processes too, so the thread that starts them must outlive them.

    Raises:
        EngineError: where the system has no room for them.
    """
    end = partial(_end, process)
    # a second signal may come before the last block holds it back
    atexit.register(end)
    try:
        with uninterrupted(), redirect_stdout(sys.stderr), _forked_for_life(), _no_inheritance():
            _start(process)
        yield RunningNetwork(process.runtime)
    finally:
        with uninterrupted():
            end()
            atexit.unregister(end)


def _start(process: AbstractProcess) -> None:
    from lava.magma.core.run_configs import Loihi2SimCfg

    try:
        # The network moves in lockstep: more room in a channel is only a walk through cold memory.
        process.create_runtime(Loihi2SimCfg(select_tag="fixed_pt"), None, {"pypy_channel_size": 2})
    except OSError as error:
        what = f"it cannot start: {error.strerror or first_line(error)}"
        raise failure(SIMULATION, what, SHARED_MEMORY) from error


def _end(process: AbstractProcess) -> None:
    """Kill the processes first: they own nothing, and a blocked one would never read a command."""
    runtime = process.runtime
    if runtime is None:
        return
    for child in runtime._messaging_infrastructure.actors:
        child.kill()
    runtime.join()
    runtime._is_started = False
    runtime.stop()


@contextmanager
def _forked_for_life() -> Iterator[None]:
    global _forking
    _forking = True
    try:
        yield
    finally:
        _forking = False


@contextmanager
def _no_inheritance() -> Iterator[None]:
    """Keep forked processes from collecting what the host has left behind.

    An ONNX Runtime session of the host that is garbage in a cycle would be destroyed in the child
    too, and there wait for ever for threads that the fork did not copy.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _follow_the_host() -> None:
    if _forking:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if sys.platform == "linux":
    LIBC = ctypes.CDLL(None)
    os.register_at_fork(after_in_child=_follow_the_host)
