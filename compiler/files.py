"""Files that a user names for reading."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from snnc.compiler.errors import refusal

KINDS: Mapping[int, str] = MappingProxyType(
    {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
)


def require_regular(path: Path, mend: str) -> None:
    """Refuse what has no end, or gives nothing until somebody writes; nothing is opened.

    Raises:
        SnncError: for a folder, a pipe, a socket or a device.
        OSError: for a path that leads nowhere.
    """
    mode = os.stat(path).st_mode
    if not stat.S_ISREG(mode):
        kind = KINDS.get(stat.S_IFMT(mode), "something else")
        raise refusal(str(path), f"it is {kind}; allowed: a regular file", mend)
