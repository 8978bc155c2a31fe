"""Arrays that stay in their file: only the images that are asked for are read.

They are read, and not mapped into memory: a limit on memory does not count them then, and a file
that shrinks meanwhile is an error in place of the end of the program.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import refusal
from snnc.compiler.files import require_regular

Array: TypeAlias = npt.NDArray[Any]

UNCHANGED = "leave the file as it is while it is read"


class ImageArray(Protocol):
    """Images in memory, or in a file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, *shape of one)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a pixel."""
        ...

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, images: slice, /) -> Array: ...


@dataclass(frozen=True)
class Stamp:
    """What tells that a file is still what it was."""

    size: int
    modified: int
    """ns"""

    @classmethod
    def of(cls, file: int) -> Stamp:
        """That of a file that is open."""
        found = os.fstat(file)
        return cls(found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, eq=False)
class StoredArray:
    """Numbers in a file, row by row; a slice of its first axis is read when it is asked for."""

    path: Path
    start: int
    """Bytes of the file before the first number."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    stamp: Stamp

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: npt.DTypeLike = None, copy: bool | None = None) -> Array:
        return np.asarray(self[:], dtype)

    def __getitem__(self, images: slice | int, /) -> Array:
        """Some rows, one behind the other, or one.

        Raises:
            SnncError: for a file that is no longer what it was.
        """
        if not isinstance(images, slice):
            number = range(len(self))[images]
            return np.asarray(self[number : number + 1][0])
        first, last, step = images.indices(len(self))
        assert step == 1
        wanted = self.rows(first, last)
        found = np.empty(wanted.shape, self.dtype)
        self._fill(found.reshape(-1).view(np.uint8).data, wanted.start)
        return found

    def rows(self, first: int, last: int) -> StoredArray:
        """Some rows, which stay where they are."""
        first, last, _ = slice(first, last).indices(len(self))
        row = prod(self.shape[1:]) * self.dtype.itemsize
        shape = (max(0, last - first), *self.shape[1:])
        return replace(self, start=self.start + first * row, shape=shape)

    def is_here(self) -> bool:
        """Whether the file is there as it was."""
        try:
            with open(self.path, "rb", buffering=0, opener=_waiting_for_nobody) as file:
                return Stamp.of(file.fileno()) == self.stamp
        except OSError:
            return False

    def _fill(self, room: memoryview, place: int) -> None:
        try:
            require_regular(self.path, UNCHANGED)
            with open(self.path, "rb", buffering=0, opener=_waiting_for_nobody) as file:
                is_same = Stamp.of(file.fileno()) == self.stamp
                while is_same and len(room):
                    done = os.preadv(file.fileno(), [room], place)
                    is_same, room, place = done > 0, room[done:], place + done
        except OSError as error:
            what = f"it can no longer be read: {error.strerror}"
            raise refusal(str(self.path), what, UNCHANGED) from error
        if not is_same:
            raise refusal(str(self.path), "it changed while it was read", UNCHANGED)


def _waiting_for_nobody(path: str, flags: int) -> int:
    """Open a file, though a pipe may have taken its place."""
    return os.open(path, flags | os.O_NONBLOCK)
