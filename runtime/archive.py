"""The arrays of an .npz, or of an .npy. What is declared is held against limits before it is read.

The images of an .npy, and of an .npz that is not compressed, stay in their file.
"""

from __future__ import annotations

import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib import format as numpy_format

from snnc.compiler.errors import refusal, shortened
from snnc.compiler.files import require_regular
from snnc.runtime.stored import Stamp, StoredArray

Array: TypeAlias = npt.NDArray[Any]

npy: Any = numpy_format
"""It has no types."""

MOST_BYTES = 1 << 30
"""Of a compressed array, whatever the size of its file."""
MOST_RATIO = 32
"""What images compress by, at most; beyond `MOST_BYTES` more is a bomb."""
DEFLATE_RATIO = 1100
"""What no deflated bytes exceed."""
MOST_NAMED = 8
"""Names of members in a message."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Those of numpy.savez and numpy.savez_compressed."""
ENCRYPTED = 1
STAYING = "save it uncompressed, with numpy.savez: it is read piece by piece then"
SMALLER = "save fewer images, or save them uncompressed, with numpy.savez"
PIECE = 1 << 20
"""Bytes that are looked at together."""
LENGTHS = 26
"""Where the header of a member says how long its name is, and what follows the name."""
UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    MemoryError,
    RuntimeError,
    LookupError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile raise over a file that is damaged, or is something else."""


def read_arrays(
    path: Path, needed: str, *others: str, mend: str, rows: int | None = None
) -> Mapping[str, Array | StoredArray]:
    """The arrays of an .npz by their names, the others where there are any; never a pickle.

    An .npy is the array that is needed, on its own.

    Args:
        path: the file.
        needed: the array that must be there. It stays in the file, where that is possible.
        others: arrays that may be there.
        mend: what a message tells to do.
        rows: how many of its first rows will be read; None for all.

    Raises:
        SnncError: for a file that is no such archive, or declares too much.
    """
    try:
        require_regular(path, mend)
        with path.open("rb") as file:
            if file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
                file.seek(0)
                return {needed: _alone(path, file)}
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            if needed not in members:
                what = f"it holds {_listed(tuple(members))}; {needed} is needed"
                raise refusal(str(path), what, mend)
            read = partial(_read, path, archive)
            found = {each: read(members[each], each) for each in others if each in members}
            return {needed: read(members[needed], needed, rows, stays=True), **found}
    except FileNotFoundError as error:
        raise refusal(str(path), "the file does not exist", mend) from error
    except UNREADABLE as error:
        reason = shortened(str(error) or type(error).__name__)
        raise refusal(str(path), f"it is not an .npz of numbers ({reason})", mend) from error


def _members(archive: zipfile.ZipFile) -> Mapping[str, zipfile.ZipInfo]:
    """The members by their names, without the ending that NumPy gives them."""
    return {each.filename.removesuffix(".npy"): each for each in archive.infolist()}


def _listed(names: Sequence[str]) -> str:
    more = ["…"] * (len(names) > MOST_NAMED)
    return ", ".join([*map(shortened, names[:MOST_NAMED]), *more]) or "nothing"


def _alone(path: Path, file: BinaryIO) -> Array | StoredArray:
    """The array of an .npy."""
    header = _header(file)
    held = os.fstat(file.fileno()).st_size - file.tell()
    if header.size > held:
        raise ValueError(f"it declares {header.size} bytes and holds {held}")
    if header.is_by_rows:
        return header.stored(path, file.tell(), file)
    file.seek(0)
    return _whole(path, file, header, "the array")


def _read(
    path: Path,
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    name: str,
    rows: int | None = None,
    *,
    stays: bool = False,
) -> Array | StoredArray:
    _check_member(path, member, name)
    try:
        with archive.open(member) as stream:
            header = _header(stream)
            before = stream.tell()
        if header.size > member.file_size - before:
            raise ValueError(f"it declares {header.size} bytes and holds {member.file_size}")
        if stays and header.is_by_rows and member.compress_type == zipfile.ZIP_STORED:
            if rows is None or rows >= header.shape[0]:
                _check_sum(archive, member)
            with path.open("rb") as file:
                return header.stored(path, _start(file, member) + before, file)
        with archive.open(member) as stream:
            return _whole(path, stream, header, name)
    except UNREADABLE as error:
        raise ValueError(f"{name}: {error or type(error).__name__}") from error


def _check_member(path: Path, member: zipfile.ZipInfo, name: str) -> None:
    """Refuse what cannot be read, or is larger than it could be."""
    if member.flag_bits & ENCRYPTED:
        raise ValueError(f"{name} is encrypted")
    if member.compress_type not in METHODS:
        found = f"{name} is compressed by method {member.compress_type}"
        raise ValueError(f"{found}; allowed: stored or deflated")
    is_stored, packed = member.compress_type == zipfile.ZIP_STORED, member.compress_size
    possible = packed * (1 if is_stored else DEFLATE_RATIO)
    if packed > path.stat().st_size or member.file_size > possible:
        raise ValueError(f"{name} cannot hold the {member.file_size} bytes that it declares")
    most = max(MOST_BYTES, MOST_RATIO * packed)
    if member.file_size > most and not is_stored:
        what = f"{name} declares {member.file_size} bytes, compressed into {packed}"
        raise refusal(str(path), f"{what}; allowed: {most}", SMALLER)


def _check_sum(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Read a member to its end, where its checksum is compared."""
    with archive.open(member) as stream:
        while stream.read(PIECE):
            pass


def _start(file: BinaryIO, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a stored member begin: behind a header of its own."""
    file.seek(member.header_offset + LENGTHS)
    name, extra = struct.unpack("<HH", file.read(4))
    return int(file.tell() + name + extra)


def _whole(path: Path, stream: IO[bytes], header: _Header, name: str) -> Array:
    """All of an array, in memory."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(npy.read_array(stream, allow_pickle=False))
    except MemoryError:
        what = f"{name} takes {header.size} bytes, and there is not so much memory"
        raise refusal(str(path), what, STAYING) from None


@dataclass(frozen=True)
class _Header:
    """What an array declares."""

    shape: tuple[int, ...]
    is_fortran: bool
    """Whether the first axis runs fastest."""
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """In bytes."""
        return int(prod(self.shape) * self.dtype.itemsize)

    @property
    def is_by_rows(self) -> bool:
        """Whether a row is in one piece."""
        return bool(self.shape) and not self.is_fortran

    def stored(self, path: Path, start: int, file: BinaryIO) -> StoredArray:
        """The array where it is."""
        stamp = Stamp.of(file.fileno())
        return StoredArray(path.absolute(), start, self.shape, self.dtype, stamp)


def _header(stream: IO[bytes]) -> _Header:
    """The header of an array, up to its numbers.

    Raises:
        ValueError: for another header, or an array of objects.
    """
    version = npy.read_magic(stream)
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"its header has version {version}; allowed: (1, 0), (2, 0)")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _Header(*readers[version](stream))
    except Exception as error:  # a header is a text of Python, so it fails in any way
        raise ValueError(f"its header cannot be read: {error}") from error
    if found.dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    if any(type(each) is not int or each < 0 for each in found.shape):  # True is an int for Python
        raise ValueError(f"it declares the shape {found.shape}")
    return found
