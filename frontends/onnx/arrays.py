"""Tensors as arrays: all that a model stores is read here, once its type and its size are known."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx

from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.files import regular_size
from snnc.frontends.onnx.limits import ALL_NUMBERS, ENTRIES, NUMBERS, Budget

Array: TypeAlias = npt.NDArray[Any]
Proto = onnx.TensorProto

REAL = frozenset(
    Proto.DataType.Value(name)
    for name in (
        *("FLOAT", "FLOAT16", "BFLOAT16", "DOUBLE"),
        *("INT4", "INT8", "INT16", "INT32", "INT64"),
        *("UINT4", "UINT8", "UINT16", "UINT32", "UINT64"),
    )
)
"""The types that numbers have."""
READABLE = REAL | {Proto.BOOL}
PACKED = frozenset((Proto.INT4, Proto.UINT4))
"""Two numbers to a byte."""
KEYS = frozenset(("location", "offset", "length", "checksum"))
"""What may be said of data in another file."""
DIGITS = 19
EXPORT_AGAIN = "export it again: its weights are damaged, or of a kind that no layer has"
BESIDE = "keep the data file beside the model, or save the model as one file"


def name_of(kind: int) -> str:
    """What ONNX calls a type."""
    known = Proto.DataType.DESCRIPTOR.values_by_number
    return str(known[kind].name) if kind in known else f"{kind}"


def size_of(tensor: onnx.TensorProto, where: str) -> int:
    """How many numbers a tensor has.

    Raises:
        SnncError: if they are no numbers, or too many, or its shape is none.
    """
    if tensor.data_type not in READABLE:
        what = f"its constant {tensor.name!r} is of type {name_of(tensor.data_type)}"
        raise refusal(where, f"{what}; allowed: real numbers", EXPORT_AGAIN)
    if len(tensor.dims) > ENTRIES or any(each < 0 for each in tensor.dims):
        what = f"its constant {tensor.name!r} has shape {list(tensor.dims[:ENTRIES])}"
        raise refusal(where, f"{what}; allowed: sizes from 0 on", EXPORT_AGAIN)
    size = prod(tensor.dims)
    if size > NUMBERS or any(each > NUMBERS for each in tensor.dims):
        what = f"its constant {tensor.name!r} has shape {list(tensor.dims)}"
        raise refusal(where, f"{what}; allowed: {NUMBERS} numbers", "use a smaller layer")
    return int(size)


def array_of(tensor: onnx.TensorProto, where: str) -> Array:
    """A tensor as an array.

    Raises:
        SnncError: if its type is no number, or its shape does not match its data.
    """
    size = size_of(tensor, where)
    if tensor.HasField("segment") or tensor.data_location == Proto.EXTERNAL:
        what = f"its constant {tensor.name!r} lies in another place"
        raise refusal(where, f"{what}; allowed: in the model, or beside it", BESIDE)
    stored, wanted = _stored(tensor), _wanted(tensor, size)
    if stored != wanted:
        what = f"its constant {tensor.name!r} of shape {list(tensor.dims)} has {stored}"
        raise refusal(where, f"{what}; allowed: {wanted}", EXPORT_AGAIN)
    return np.asarray(onnx.numpy_helper.to_array(tensor))


def load_external(tensors: Iterable[onnx.TensorProto], path: Path) -> None:
    """Take in the data of tensors that lie in other files, all in the folder of the model.

    Raises:
        SnncError: if such a file is missing, lies elsewhere, or is shorter than its tensors; or if
            they are too many numbers together, for all of them may name the same large file.
    """
    budget = Budget("external numbers", ALL_NUMBERS, "use a smaller model")
    for each in tensors:
        if each.data_location == Proto.EXTERNAL:
            budget.take(size_of(each, str(path)), str(path))
            content = _External(each, str(path)).content(path.parent)
            each.ClearField("external_data")
            each.data_location = Proto.DEFAULT
            each.raw_data = content


class _External:
    """What a tensor says of its data in another file."""

    def __init__(self, tensor: onnx.TensorProto, where: str) -> None:
        self.where = where
        self.name = tensor.name
        self.wanted = _bytes(tensor.data_type, size_of(tensor, where))
        self.entries = {entry.key: entry.value for entry in tensor.external_data}

    def content(self, folder: Path) -> bytes:
        """The bytes of the tensor, from where they begin."""
        path = self._inside(folder)
        begin, length = self._number("offset", 0), self._number("length", self.wanted)
        if length != self.wanted:
            raise self._refuse(f"its length is {length}; allowed: {self.wanted}")
        try:
            size = regular_size(path)
            if begin + self.wanted > size:
                raise self._refuse(f"{path.name} ends after {size} bytes")
            with path.open("rb") as file:
                file.seek(begin)
                return file.read(self.wanted)
        except OSError as error:
            raise self._refuse(f"{path.name}: {error.strerror}") from None

    def _inside(self, folder: Path) -> Path:
        """The file that is named, below the folder whatever links it stands behind."""
        if unknown := sorted({*self.entries} - KEYS):
            raise self._refuse(f"it says {unknown[0]!r}; allowed: {', '.join(sorted(KEYS))}")
        location = self.entries.get("location", "")
        try:
            home = folder.resolve()
            path = Path(home / location).resolve()
        except (OSError, ValueError, RuntimeError):
            raise self._refuse(f"{location!r} is no path") from None
        if home not in path.parents:
            raise self._refuse(f"{location!r} is not in the folder of the model")
        if not path.is_file():
            raise self._refuse(f"there is no file {location!r}")
        return path

    def _number(self, key: str, default: int) -> int:
        text = self.entries.get(key, str(default))
        if not (text.isascii() and text.isdigit() and len(text) < DIGITS):
            raise self._refuse(f"its {key} is {text[:DIGITS]!r}; allowed: a whole number")
        return int(text)

    def _refuse(self, reason: str) -> SnncError:
        what = "its weights lie in another file that cannot be read"
        return refusal(self.where, f"{what}: {self.name!r}, {reason}", BESIDE)


def _wanted(tensor: onnx.TensorProto, size: int) -> str:
    """What a tensor of so many numbers must store."""
    if tensor.HasField("raw_data"):
        return f"{_bytes(tensor.data_type, size)} bytes"
    return f"{-(-size // 2) if tensor.data_type in PACKED else size} numbers"


def _stored(tensor: onnx.TensorProto) -> str:
    """What it stores."""
    if tensor.HasField("raw_data"):
        return f"{len(tensor.raw_data)} bytes"
    field = onnx.helper.tensor_dtype_to_field(tensor.data_type)
    return f"{len(getattr(tensor, field))} numbers"


def _bytes(kind: int, size: int) -> int:
    """How many bytes so many numbers take."""
    if kind in PACKED:
        return -(-size // 2)
    return size * onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize
