"""Every file that a command writes: whole or not at all, and never in the place of another thing.

The content is made in memory. It is written beside its place and takes that place once it is on
the disk, so that a full disk, a signal or a loss of power leaves what was there before.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.files import kind_of

PIECE = 1 << 24
"""Bytes that are given to the system at once."""


@dataclass(frozen=True)
class Target:
    """A place that may be written: a new name, or a regular file."""

    path: Path
    """As the user gave it."""
    option: str
    """What the user can change."""
    place: Path
    """Where links lead."""
    mode: int | None
    """The permissions of the file that is there, which its successor keeps."""


def target_of(path: Path, *, option: str = "output", inputs: Sequence[Path] = ()) -> Target:
    """Look at a place before anything is made for it.

    Args:
        path: where to write.
        option: what named it.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for anything but a new name in a folder that is there, or a regular file.
    """
    try:
        place = Path(os.path.realpath(path))
        found = _status(path)
        if found is None:
            if not place.parent.is_dir():
                raise _refused(path, option, os.strerror(errno.ENOENT))
            return Target(path, option, place, None)
        if not stat.S_ISREG(found.st_mode):
            raise _refused(path, option, f"it is {kind_of(found.st_mode)}")
        if not os.path.samestat(found, os.stat(place)) or not os.access(place, os.W_OK):
            raise _refused(path, option, "it is not a file that may be replaced")
    except (OSError, ValueError) as error:
        raise _refused(path, option, reason(error)) from None
    for each in inputs:
        if _is_same(found, each):
            raise _refused(path, option, "it is an input of this command")
    return Target(path, option, place, stat.S_IMODE(found.st_mode) & 0o777)


def write_bytes(
    path: Path, content: bytes, *, option: str = "output", inputs: Sequence[Path] = ()
) -> None:
    """Write a file; a reader of path sees all of it, or what was there before.

    Args:
        path: a new name, or a regular file; a link is followed and kept.
        content: all of it.
        option: what named the path.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a place that is none, and where the disk does not take the content.
    """
    target = target_of(path, option=option, inputs=inputs)
    try:
        with _beside(target.place) as partial:
            _fill(partial, content, target.mode)
            os.replace(partial, target.place)
            _settle(target.place.parent)
    except OSError as error:
        raise _refused(path, option, reason(error)) from None


def reason(error: Exception) -> str:
    """What the system says, without its number and path."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A name for what is not whole yet; nothing has that name afterwards."""
    partial = place.parent / f".{os.getpid()}.{secrets.token_hex(4)}.partial"
    try:
        yield partial
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def _fill(partial: Path, content: bytes, mode: int | None) -> None:
    """Make the file, and wait until the disk has it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    file = os.open(partial, flags, 0o666)
    try:
        if mode is not None:
            os.fchmod(file, mode)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest[:PIECE]) :]
        os.fsync(file)
    finally:
        os.close(file)


def _settle(folder: Path) -> None:
    """Let the new name outlive a loss of power, where the file system can promise that."""
    with suppress(OSError):
        file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _is_same(found: os.stat_result, other: Path) -> bool:
    try:
        return os.path.samestat(found, os.stat(other))
    except (OSError, ValueError):
        return False


def _refused(path: Path, option: str, why: str) -> SnncError:
    return refusal(str(path), f"cannot be written: {why}", f"choose another `{option}`")
