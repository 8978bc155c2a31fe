"""A signal at a random moment of a command: it ends at once, and leaves nothing half made."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np

from tests.fuzz import checks, scratch
from tests.fuzz.case_commands import UNSAID
from tests.fuzz.draws import of
from tests.fuzz.outcomes import KILLED, TRACEBACK, FindingError
from tests.fuzz.processes import Ended, Process, Weather

SIGNALS = (signal.SIGINT, signal.SIGTERM)
LINES = {
    "compile m.onnx -o new.h5": 1.5,
    "compile m.onnx -o n.h5 --code offset-spike --calibration d.npz": 1.5,
    "run n.h5 d.npz --engine golden -o new.npz": 1.5,
    "run n.h5 d.npz -o new.npz": 6,
    "run rate.h5 d.npz --engine lava --json": 6,
    "run n.h5 d.npz --engine golden --workers 2 -o new.npz": 3,
    "run n.h5 d.npz --engine lava --workers 2 -o new.npz": 8,
    "compare m.onnx n.h5 d.npz --html new.html": 8,
    "sweep m.onnx d.npz --plot new.png --timesteps 2,4": 4,
    "sweep m.onnx d.npz --engine lava --codes rate --timesteps 2": 7,
    "errors m.onnx d.npz --plot new.svg": 3,
}
"""With the seconds that each takes, more or less."""
ON_LAVA = ("run n.h5 d.npz -o", "lava", "compare")
START, PATIENCE, MOST = 60, 30, 120
"""Seconds until it can be signalled, until it must have ended, and that it may take in all."""
SHARED = Path("/dev/shm")
FOREIGN = 3
"""Seconds after which semaphores of somebody else are gone: they have names for a moment."""


def case(seed: int, folder: Path) -> str:
    """Send a signal to the command of a seed."""
    rng = np.random.default_rng(seed)
    return signalled(of(tuple(LINES), rng), seed, folder)


def case_without_lava(seed: int, folder: Path) -> str:
    """The same, of a command that starts no simulator."""
    quick = [line for line in LINES if not any(each in line for each in ON_LAVA)]
    return signalled(of(quick, np.random.default_rng(seed)), seed, folder)


def signalled(line: str, seed: int, folder: Path) -> str:
    """Start a command, send it one signal or two, and look at what is there afterwards."""
    rng = np.random.default_rng([seed, 1])
    number, delay = of(SIGNALS, rng), float(rng.uniform(0, LINES[line]))
    scratch.fill(folder)
    (folder.parent / "line.txt").write_text(f"{line}\n{number.name} after {delay:.3f} s\n")
    before, shared = checks.state_of(folder), set(os.listdir(SHARED))
    process = Process(line.split(), Weather(forked=False))
    _wait_for_the_program(process)
    process.listen(delay)
    sent = [number] * process.signal(number)
    if sent and rng.integers(5) == 0:
        process.listen(float(rng.uniform(0, 0.3)))
        second = of(SIGNALS, rng)
        sent += [second] * process.signal(second)
    ended = process.end(PATIENCE if sent else MOST)
    (folder.parent / "said.txt").write_text(f"{sent}\n{ended}\n")
    _check(ended, sent)
    _check_files(line, ended, folder, before, shared)
    return f"answered: {line.split()[0]}, {ended.status} in its end"


def _wait_for_the_program(process: Process) -> None:
    """Before its first line runs, Python itself answers signals."""
    until = time.monotonic() + START
    while time.monotonic() < until and not _catches(process.number, signal.SIGTERM):
        if process.listen(0.005):
            return


def _catches(process: int, number: int) -> bool:
    try:
        text = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    caught = next((line for line in text.splitlines() if line.startswith("SigCgt:")), "0:0")
    return bool(int(caught.split(":")[1], 16) >> (number - 1) & 1)


def _check(ended: Ended, sent: list[signal.Signals]) -> None:
    """It was interrupted, terminated, or done before."""
    said = f"{ended.stdout}\n{ended.stderr}"
    if ended.status < 0:
        raise FindingError(KILLED, f"{said}\nsignal {-ended.status} ended it")
    for each in UNSAID:
        if each in said:
            raise FindingError(TRACEBACK, f"{said}\n{ended.stderr.strip().rpartition(chr(10))[2]}")
    allowed = {0, *(128 + each for each in sent)}
    assert ended.status in allowed, f"{said}\nexit status {ended.status} after {sent}"


def _check_files(
    line: str, ended: Ended, folder: Path, before: dict[str, str], shared: set[str]
) -> None:
    """An output is whole or as it was; nothing else is there."""
    words = line.split()
    output = next(
        (words[i + 1] for i, w in enumerate(words) if w in ("-o", "--html", "--plot")), ""
    )
    after = checks.state_of(folder)
    checks.only_new(before, after, {output})
    if after.get(output) != before.get(output):
        checks.whole_file(folder / output)
    assert output in after or ended.status or not output, "it is done, and its file is missing"
    temporary = checks.state_of(folder.parent / "tmp")
    assert not temporary, f"temporary files are left: {sorted(temporary)}"
    left = _left_in_memory(shared)
    assert not left, f"left in {SHARED}: {left}"


def _left_in_memory(before: set[str]) -> set[str]:
    """New names of shared memory that no process uses, perhaps one of somebody else."""
    new = set(os.listdir(SHARED)) - before
    if not new:
        return new
    time.sleep(FOREIGN)
    used = "".join(map(_maps, Path("/proc").glob("[0-9]*/maps")))
    return {each for each in new & set(os.listdir(SHARED)) if f"{SHARED}/{each}" not in used}


def _maps(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
