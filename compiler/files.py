"""Files are read whole, and only regular ones: what else there is may never end, or never begin."""

from __future__ import annotations

import stat
from pathlib import Path

from snnc.compiler.errors import SnncError, refusal


def regular_bytes(path: Path, limit: int) -> bytes:
    """The bytes of a file.

    Raises:
        SnncError: if there is no such file, it is a folder, a pipe or a device, it is larger than
            the limit, or it cannot be read.
    """
    try:
        size = regular_size(path)
        if size > limit:
            what = f"has {size} bytes; allowed: {limit}"
            raise refusal(str(path), what, "check that it is the right file")
        with path.open("rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def regular_size(path: Path) -> int:
    """How many bytes a file has; it is not opened.

    Raises:
        SnncError: if there is no such file, or it is a folder, a pipe or a device.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None
    if not stat.S_ISREG(found.st_mode):
        what = f"is {_kind(found.st_mode)}; allowed: a regular file"
        raise refusal(str(path), what, "give the path of a file")
    return found.st_size


def _unreadable(path: Path, error: OSError | ValueError) -> SnncError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return refusal(str(path), f"cannot be read: {reason}", "check the path")


def _kind(mode: int) -> str:
    """What a file is that is no regular one."""
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else "a device"
