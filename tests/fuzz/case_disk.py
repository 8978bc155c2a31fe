"""A disk that is full at some byte: one message, and what was there before."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path

import numpy as np

from tests.fuzz import checks, scratch
from tests.fuzz.case_commands import FAILED, check_words
from tests.fuzz.draws import of
from tests.fuzz.processes import Weather, run

LINES = (
    "compile m.onnx -o {}.h5",
    "compile plain.onnx -o {}.h5 --calibration d.npz --levels 7",
    "run n.h5 d.npz --engine golden -o {}.npz",
    "sweep m.onnx d.npz --codes rate --timesteps 2 --plot {}.png",
    "errors m.onnx d.npz --timesteps 2 --plot {}.svg",
    "compile m.onnx -o {}.h5 --code one-spike --json",
)
SECONDS = 100
CLONE_NEWNS, MS_PRIVATE, MS_REC = 0x20000, 1 << 18, 1 << 14
PAGE = 4096


def case(seed: int, folder: Path) -> str:
    """Let the disk of a seed be full."""
    rng = np.random.default_rng(seed)
    target = of(("new", "there"), rng)
    line = of(LINES, rng).format(f"disk/{target}")
    words, limit = line.split(), int(10 ** rng.uniform(0, 5.2))
    scratch.fill(folder)
    disk = folder / "disk"
    disk.mkdir()
    mounted = rng.integers(2) == 0 and _mount(disk, limit)
    place = folder / next(each for each in words if each.startswith("disk/"))
    if target == "there":
        with suppress(OSError):
            place.write_bytes(b"what was there before")
    (folder.parent / "line.txt").write_text(f"{line}\n{limit} bytes, mounted: {mounted}\n")
    _check(words, folder, place, Weather(file_size=None if mounted else limit))
    return f"answered: {'a disk' if mounted else 'a file'} of {limit} bytes"


def _check(words: list[str], folder: Path, place: Path, weather: Weather) -> None:
    before = checks.state_of(folder)
    ended = run(words, weather, SECONDS)
    (folder.parent / "said.txt").write_text(f"{ended}\n")
    check_words(ended, weather, words)
    assert ended.status in (0, FAILED), f"exit status {ended.status}"
    name = str(place.relative_to(folder))
    checks.only_new(before, checks.state_of(folder), {name} if ended.status == 0 else ())
    if ended.status == 0:
        checks.whole_file(place)
    temporary = checks.state_of(folder.parent / "tmp")
    assert not temporary, f"temporary files are left: {sorted(temporary)}"


def _mount(place: Path, size: int) -> bool:
    """A small disk that this process alone sees, where the machine permits that."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) or libc.mount(None, b"/", None, MS_PRIVATE | MS_REC, None):
        return False
    pages = max(size // PAGE, 1) * PAGE
    return libc.mount(b"tmpfs", os.fsencode(place), b"tmpfs", 0, f"size={pages}".encode()) == 0
