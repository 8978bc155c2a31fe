"""One case in a process of its own: with little memory, a folder, and an end.

The process is forked from one that has imported everything, so that a case costs milliseconds and
leaves nothing behind for the next. It leads a group of processes: what outlives it is found.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from tests.fuzz.outcomes import ANSWERED, KILLED, REFUSED, TRACEBACK, WRONG, FindingError

PR_SET_PDEATHSIG = 1
MOST_SAID = 10_000
"""Signs of what there is to say of a case: a pipe holds them, six bytes each."""
PATIENCE = 3.0
"""Seconds in which processes may follow the one that ended."""


def start(function: Callable[[int, Path], str], seed: int, folder: Path, room: int) -> tuple:
    """Begin a case; (process, what its outcome is read from)."""
    reads, writes = os.pipe()
    process = os.fork()
    if not process:
        os.close(reads)
        _be_a_case(function, seed, folder, room, writes)
    os.close(writes)
    return process, reads


def _be_a_case(
    function: Callable[[int, Path], str], seed: int, folder: Path, room: int, writes: int
) -> NoReturn:
    try:
        os.setpgid(0, 0)
        die_with_the_parent()
        _be_quiet(folder)
        limit_memory(room)
        settle_in(folder / "in")
        warnings.simplefilter("error", RuntimeWarning)
        os.fsync = lambda file: None  # what is lost with the power is not asked for here
        found = outcome_of(function, seed, folder / "in")
    except BaseException:
        found = (TRACEBACK, traceback.format_exc())
    try:
        sys.stderr.flush()
        word, detail = found
        os.write(writes, json.dumps((word, detail[-MOST_SAID:])).encode())
    finally:
        os._exit(0)


def outcome_of(function: Callable[[int, Path], str], seed: int, folder: Path) -> tuple[str, str]:
    """Run a case here and now; a word, and what there is to say."""
    try:
        word, _, detail = function(seed, folder).partition(":")
    except FindingError as found:
        return found.outcome, found.detail
    except AssertionError as error:
        return WRONG, _told(error)
    except BaseException as error:
        return TRACEBACK, _told(error)
    if word not in (ANSWERED, REFUSED):
        return WRONG, f"the case gave the outcome {word!r}"
    return word, detail.strip()


def _told(error: BaseException) -> str:
    """The traceback, its end where the cause is read: the place, and one line."""
    lines = "".join(traceback.format_exception(error))[-20_000:]
    places = traceback.extract_tb(error.__traceback__)
    last = next((p for p in reversed(places) if "/fuzz/" not in p.filename), places[-1])
    first = next(iter(str(error).strip().splitlines()), "")[:160]
    place = f"{'/'.join(Path(last.filename).parts[-3:])}:{last.lineno}"
    return f"{lines}\n{place} {type(error).__name__}: {first}"


def _be_quiet(folder: Path) -> None:
    """What is printed goes to files beside the case."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        file = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)


def limit_memory(room: int) -> None:
    """Let the process grow by so many bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + room
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def settle_in(folder: Path) -> None:
    """Be in the folder; temporary files have a place beside it."""
    temporary = folder.parent / "tmp"
    for each in (folder, temporary):
        each.mkdir(exist_ok=True)
    os.environ["TMPDIR"] = str(temporary)
    tempfile.tempdir = None
    os.chdir(folder)


def die_with_the_parent() -> None:
    """Leave no process behind, whatever ends the one that started this."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def survivors(group: int) -> list[int]:
    """Processes of a group that still live, once they had the time to follow their leader."""
    until = time.monotonic() + PATIENCE
    while alive := _members(group):
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    return alive


def end_group(group: int) -> None:
    """Kill whatever is left of a group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _members(group: int) -> list[int]:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return []
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if _is_alive(each, group)]


def _is_alive(process: Path, group: int) -> bool:
    try:
        state, _, found = (process / "stat").read_text().rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return int(found) == group and state not in "ZX"


def death_of(status: int) -> tuple[str, str]:
    """The outcome of a case that ended without a word."""
    if os.WIFSIGNALED(status):
        return KILLED, f"signal {signal.Signals(os.WTERMSIG(status)).name}"
    return KILLED, f"exit status {os.waitstatus_to_exitcode(status)} without an outcome"
