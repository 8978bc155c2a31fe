"""Files that a user names for reading: only regular ones, for what else there is may never end."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from snnc.compiler.errors import SnncError, refusal

PIECE = 1 << 24
"""Bytes that are read at once."""
KINDS: Mapping[int, str] = MappingProxyType(
    {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
)


def require_regular(path: Path, mend: str) -> int:
    """The size of a file, in bytes; nothing is opened.

    Raises:
        SnncError: for a folder, a pipe, a socket or a device.
        OSError: for a path that leads nowhere.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        what = f"it is {kind_of(found.st_mode)}; allowed: a regular file"
        raise refusal(str(path), what, mend)
    return found.st_size


def beside(path: Path, ending: str) -> Path:
    """The file that is written where nobody names one: its input's name with another ending.

    A path without a name, as /, is refused when it is read.
    """
    return path.with_suffix(ending) if path.name else Path(f"network{ending}")


def kind_of(mode: int) -> str:
    """What a thing is that is no regular file."""
    return KINDS.get(stat.S_IFMT(mode), "something else")


def regular_size(path: Path) -> int:
    """How many bytes a file has; it is not opened.

    Raises:
        SnncError: if there is no such file, or it is none that can be read to its end.
    """
    try:
        return require_regular(path, "give the path of a file")
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def regular_bytes(path: Path, limit: int) -> bytes:
    """The bytes of a file.

    Raises:
        SnncError: if there is no such file, it is none that can be read to its end, it is larger
            than the limit, or it cannot be read.
    """
    size = regular_size(path)
    if size > limit:
        what = f"has {size} bytes; allowed: {limit}"
        raise refusal(str(path), what, "check that it is the right file")
    try:
        with path.open("rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def sha256_of(path: Path) -> str:
    """The SHA-256 of the bytes of a file.

    Raises:
        SnncError: for what is no regular file, or cannot be read.
    """
    regular_size(path)
    found = sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                found.update(piece)
    except OSError as error:
        raise _unreadable(path, error) from None
    return found.hexdigest()


def _unreadable(path: Path, error: OSError | ValueError) -> SnncError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return refusal(str(path), f"cannot be read: {reason}", "check the path")
