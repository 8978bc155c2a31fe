"""The arrays of an .npz. What a member declares is held against limits before it is read."""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib import format as numpy_format

from snnc.compiler.errors import refusal, shortened
from snnc.compiler.files import require_regular

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
SMALLER = "save fewer images, or save them uncompressed, with numpy.savez"
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


def read_arrays(path: Path, needed: str, *others: str, mend: str) -> Mapping[str, Array]:
    """The arrays of an .npz by their names, the others where there are any; never a pickle.

    Raises:
        SnncError: for a file that is no such archive, or declares too much.
    """
    try:
        require_regular(path, mend)
        with path.open("rb") as file:
            if file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX:
                raise refusal(str(path), "it is a single array; allowed: an .npz with x", mend)
        with zipfile.ZipFile(path) as archive:
            members = _members(archive)
            if needed not in members:
                what = f"it holds {_listed(tuple(members))}; {needed} is needed"
                raise refusal(str(path), what, mend)
            wanted = [each for each in (needed, *others) if each in members]
            return {each: _read(path, archive, members[each], each) for each in wanted}
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


def _read(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> Array:
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
    try:
        with archive.open(member) as stream:
            declared = _declared(stream)
        if declared > member.file_size:
            raise ValueError(f"it declares {declared} bytes and holds {member.file_size}")
        with archive.open(member) as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(npy.read_array(stream, allow_pickle=False))
    except UNREADABLE as error:
        raise ValueError(f"{name}: {error or type(error).__name__}") from error


def _declared(stream: IO[bytes]) -> int:
    """The bytes that the header of an array declares.

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
            shape, _, dtype = readers[version](stream)
    except Exception as error:  # a header is a text of Python, so it fails in any way
        raise ValueError(f"its header cannot be read: {error}") from error
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    if any(type(each) is not int or each < 0 for each in shape):  # True is an int for Python
        raise ValueError(f"it declares the shape {shape}")
    return int(prod(shape) * dtype.itemsize)
