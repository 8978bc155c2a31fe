"""A command in a process, in the weather that somebody chose for it."""

from __future__ import annotations

import ctypes
import io
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from tests.fuzz import isolation
from tests.fuzz.outcomes import HANG, FindingError
from tests.fuzz.patience import Patience

CAP_VERSION, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, PR_CAPBSET_DROP = 0x20080522, 1, 2, 24
STREAMS = ("piped", "closed", "full", "unread")


@dataclass(frozen=True)
class Weather:
    """What a process meets."""

    stdout: str = "piped"
    """One of STREAMS."""
    stderr: str = "piped"
    encoding: str = "utf-8"
    memory: int | None = None
    """Bytes of address space; of a process that is forked, those by which it may grow."""
    file_size: int | None = None
    """Bytes that a file may have: what comes after them is refused by the kernel."""
    forked: bool = True
    """From this process, which has imported what commands need; otherwise a new one."""

    @property
    def is_fair(self) -> bool:
        """Whether everything works."""
        return self == Weather(encoding=self.encoding, forked=self.forked)


@dataclass(frozen=True)
class Ended:
    """A process that ended by itself."""

    status: int
    """Below 0 the signal that killed it."""
    stdout: str
    stderr: str


class Process:
    """A command that runs."""

    def __init__(self, words: Sequence[str], weather: Weather) -> None:
        pipes = [os.pipe(), os.pipe()]
        self.reads = [reads for reads, _ in pipes]
        self.said = {reads: bytearray() for reads in self.reads}
        self.number = os.fork()
        if not self.number:
            _be_a_command(words, weather, [writes for _, writes in pipes])
        for _, writes in pipes:
            os.close(writes)
        with suppress(OSError):
            os.setpgid(self.number, self.number)

    def listen(self, seconds: float) -> bool:
        """Take in what it says for so long, or until it says no more; whether it said all."""
        until = time.monotonic() + seconds
        while self.reads:
            ready = select.select(self.reads, [], [], max(until - time.monotonic(), 0))[0]
            if not ready:
                return False
            for each in ready:
                found = os.read(each, 1 << 16)
                self.said[each] += found
                if not found:
                    os.close(each)
                    self.reads.remove(each)
        return True

    def signal(self, number: int) -> bool:
        """Send it a signal; whether it still runs."""
        if not self.reads:
            return False
        os.kill(self.number, number)
        return True

    def end(self, seconds: float) -> Ended:
        """Wait for the end.

        Raises:
            FindingError: where it does not come, or other processes stay.
        """
        patience = Patience(self.number, seconds)
        while not (whole := self.listen(patience.left)) and not patience.is_over():
            pass
        if not whole:
            told = [each[-2000:].decode("utf-8", "replace") for each in self.said.values()]
            isolation.end_group(self.number)
            os.waitpid(self.number, 0)
            raise FindingError(HANG, f"{told}\nafter {seconds:.0f} seconds")
        status = os.waitstatus_to_exitcode(os.waitpid(self.number, 0)[1])
        left = isolation.survivors(self.number)
        isolation.end_group(self.number)
        assert not left, f"{len(left)} processes are left"
        stdout, stderr = (each.decode("utf-8", "replace") for each in self.said.values())
        return Ended(status, stdout, stderr)


def run(words: Sequence[str], weather: Weather, seconds: float) -> Ended:
    """Run a command to its end."""
    return Process(words, weather).end(seconds)


def _be_a_command(words: Sequence[str], weather: Weather, pipes: Sequence[int]) -> NoReturn:
    status = 70
    try:
        os.setpgid(0, 0)
        isolation.die_with_the_parent()
        for each in (signal.SIGINT, signal.SIGTERM):  # a shell's background holds them back
            signal.signal(each, signal.SIG_DFL)
        _obey_permissions()
        _open_streams(weather, pipes)
        if weather.file_size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (weather.file_size,) * 2)
        if weather.forked:
            status = _in_this_process(words, weather)
        else:
            _in_a_new_process(words, weather)
    except BaseException:
        with suppress(BaseException):
            traceback.print_exc()
    finally:
        os._exit(status)


def _open_streams(weather: Weather, pipes: Sequence[int]) -> None:
    for number, kind, pipe in zip((1, 2), (weather.stdout, weather.stderr), pipes, strict=True):
        if kind == "piped":
            os.dup2(pipe, number)
        elif kind == "full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), number)
        elif kind == "unread":
            reads, writes = os.pipe()
            os.dup2(writes, number)
            os.close(reads)
            os.close(writes)
        else:
            os.close(number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    both = zip(pipes, (weather.stdout, weather.stderr), strict=True)
    keep = {0, 1, 2, *(pipe for pipe, kind in both if kind != "piped")}
    for number in {int(each) for each in os.listdir("/proc/self/fd")} - keep:
        with suppress(OSError):
            os.close(number)
    for number in keep - {0, 1, 2}:
        os.set_inheritable(number, True)  # its end is the end of the process


def _in_this_process(words: Sequence[str], weather: Weather) -> int:
    """Run the program as Python would, up to the exit status."""
    for name, number, kind in (("stdout", 1, weather.stdout), ("stderr", 2, weather.stderr)):
        errors = "strict" if name == "stdout" else "backslashreplace"
        stream = None
        if kind != "closed":
            raw = open(number, "wb", buffering=0, closefd=False)  # noqa: SIM115
            buffered: io.BufferedIOBase = io.BufferedWriter(raw)
            stream = io.TextIOWrapper(buffered, weather.encoding, errors, line_buffering=False)
        setattr(sys, name, stream)
    sys.argv = ["snnc", *words]
    if weather.memory is not None:
        isolation.limit_memory(weather.memory)
    else:
        resource.setrlimit(resource.RLIMIT_AS, _unlimited())
    from snnc.start import main

    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        with suppress(OSError, ValueError, AttributeError):
            sys.stderr.flush()
        return 1


def _in_a_new_process(words: Sequence[str], weather: Weather) -> NoReturn:
    limit = (weather.memory, weather.memory) if weather.memory else _unlimited()
    environment = {**os.environ, "PYTHONIOENCODING": weather.encoding}
    line = [sys.executable, "-m", "snnc", *words]
    resource.setrlimit(resource.RLIMIT_AS, limit)
    os.execve(sys.executable, [os.fsencode(each) for each in line], environment)


def _unlimited() -> tuple[int, int]:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    return hard, hard


def _obey_permissions() -> None:
    """Let root be refused what others would be."""
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(CAP_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets) == 0:
        for each in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            libc.prctl(PR_CAPBSET_DROP, each)
            for place in (0, 1, 2):
                sets[place] &= ~(1 << each) & 0xFFFFFFFF
        libc.capset(header, sets)
