"""Numbers and words of a file. A declaration is checked before a number of it is read."""

from __future__ import annotations

from typing import Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt

from snnc.backends.netx import schema
from snnc.compiler.errors import SnncError, refusal, shortened
from snnc.compiler.laws import Floats, Integers
from snnc.compiler.laws.base import span_of
from snnc.compiler.limits import Range

Extents: TypeAlias = tuple[int | None, ...]
"""A shape that is allowed; None stands for any extent."""

MEND = "compile the model again: the file is damaged, or snnc did not write it"
MISSING = "it is missing"
ANY = Range(-(1 << 63), (1 << 63) - 1)
"""Of a number that is compared at once with what it must be."""
KINDS = {"i": "signed whole numbers", "f": "real numbers", "S": "text of fixed length"}
"""Text of variable length lies in a heap that the HDF5 library follows without a look."""


def fault(group: h5py.Group, what: str, key: str = "") -> SnncError:
    """The refusal of a group, or of what stands in it under a key."""
    where = shortened("/".join(part for part in ((group.name or "").strip("/"), key) if part))
    return refusal(f"{group.file.filename} {where}".rstrip(), what, MEND)


def read_integers(group: h5py.Group, key: str, allowed: Range, *shapes: Extents) -> Integers:
    """The signed whole numbers under a key, within a range and of one of the shapes.

    Raises:
        SnncError: where they are missing, of another type, of another shape or out of range.
    """
    found = np.asarray(_array(group, key, "i", shapes), np.int64)
    if not allowed.holds_all(found):
        raise fault(group, f"{span_of(found)}; allowed: {allowed}", key)
    return found


def read_floats(group: h5py.Group, key: str, *allowed: Extents) -> Floats:
    """The real numbers under a key, of one of the allowed shapes.

    Raises:
        SnncError: where they are missing, of another type or of another shape.
    """
    return np.asarray(_array(group, key, "f", allowed), np.float64)


def read_integer(group: h5py.Group, key: str, allowed: Range = ANY) -> int:
    """The one whole number under a key, within a range.

    Raises:
        SnncError: where it is another.
    """
    return int(read_integers(group, key, allowed, ()))


def read_pair(group: h5py.Group, key: str, allowed: Range) -> tuple[int, int]:
    """Two whole numbers, rows before columns, within a range."""
    rows, columns = map(int, read_integers(group, key, allowed, (2,)))
    return rows, columns


def read_word(group: h5py.Group, key: str, *allowed: str) -> str:
    """The word under a key, one of the allowed.

    Raises:
        SnncError: where it is missing or another.
    """
    return _one_of(group, key, _decoded(group, key, _array(group, key, "S", ((),))), allowed)


def read_words(group: h5py.Group, key: str) -> tuple[str, ...]:
    """A list of texts, empty where the key is absent."""
    if key not in group:
        return ()
    return tuple(_decoded(group, key, e) for e in _array(group, key, "S", ((None,),)).tolist())


def read_group(group: h5py.Group, key: str) -> h5py.Group:
    """The group under a key.

    Raises:
        SnncError: where it is missing.
    """
    found = group.get(key)
    if not isinstance(found, h5py.Group):
        raise fault(group, MISSING, key)
    return found


def text_of(group: h5py.Group, key: str) -> str:
    """The text in an attribute."""
    return _decoded(group, key, _attribute(group, key, "S", ()))


def word_of(group: h5py.Group, key: str, *allowed: str) -> str:
    """The text in an attribute, one of the allowed.

    Raises:
        SnncError: where it is missing or another.
    """
    return _one_of(group, key, text_of(group, key), allowed)


def integer_of(group: h5py.Group, key: str, allowed: Range = ANY) -> int:
    """The whole number in an attribute, within a range.

    Raises:
        SnncError: where it is another.
    """
    found = int(_attribute(group, key, "i", ()))
    if not allowed.holds(found):
        raise fault(group, f"{found}; allowed: {allowed}", key)
    return found


def real_of(group: h5py.Group, key: str) -> float:
    """The real number in an attribute."""
    return float(_attribute(group, key, "f", ()))


def reals_of(group: h5py.Group, key: str) -> tuple[float, ...]:
    """The real numbers in an attribute."""
    return tuple(map(float, _attribute(group, key, "f", (None,))))


def _decoded(group: h5py.Group, key: str, text: bytes) -> str:
    try:
        return bytes(text).decode()
    except UnicodeDecodeError as error:
        raise fault(group, f"found {shortened(repr(bytes(text)))}; allowed: UTF-8", key) from error


def _one_of(group: h5py.Group, key: str, found: str, allowed: tuple[str, ...]) -> str:
    if found not in allowed:
        raise fault(group, f"found {shortened(found)!r}; allowed: {', '.join(allowed)}", key)
    return found


def _attribute(group: h5py.Group, key: str, kind: str, allowed: Extents) -> Any:  # noqa: ANN401
    if key not in group.attrs:
        raise fault(group, MISSING, key)
    _require(group, key, group.attrs.get_id(key), kind, (allowed,))
    return group.attrs[key]


def _array(group: h5py.Group, key: str, kind: str, allowed: tuple[Extents, ...]) -> Any:  # noqa: ANN401
    dataset = group.get(key)
    if not isinstance(dataset, h5py.Dataset):
        raise fault(group, MISSING, key)
    _require(group, key, dataset, kind, allowed)
    return dataset[()]


def _require(
    group: h5py.Group,
    key: str,
    found: h5py.Dataset | h5py.h5a.AttrID,
    kind: str,
    allowed: tuple[Extents, ...],
) -> None:
    """Refuse a kind or a shape that is declared, before a number of it is read.

    `survey.require_plain` has seen that it is small.
    """
    if found.dtype.kind != kind:
        raise fault(group, f"it holds {found.dtype}; allowed: {KINDS[kind]}", key)
    if not any(_matches(found.shape, each) for each in allowed):
        raise fault(group, f"shape {found.shape}; allowed: {_listed(allowed)}", key)


def _matches(found: tuple[int, ...] | None, allowed: Extents) -> bool:
    if found is None or len(found) != len(allowed):
        return False
    return all(each in (None, extent) for each, extent in zip(allowed, found, strict=True))


def _listed(allowed: tuple[Extents, ...]) -> str:
    texts = (str(each).replace("None", "any") for each in allowed)
    return " or ".join(dict.fromkeys(texts))


def write_array(group: h5py.Group, key: str, values: npt.NDArray[np.generic]) -> None:
    """Write an array, compressed."""
    if values.size > schema.MAX_NUMBERS:
        what = f"{key} has {values.size} numbers; allowed: {schema.MAX_NUMBERS}"
        raise refusal(group.name.strip("/"), what, "use a smaller layer")
    group.create_dataset(key, data=values, compression="gzip", shuffle=True)


def texts(*texts: str) -> npt.NDArray[np.bytes_]:
    """UTF-8 of one fixed length for all."""
    encoded = np.array([each.encode() for each in texts])
    return encoded.astype(h5py.string_dtype("utf-8", encoded.dtype.itemsize))
