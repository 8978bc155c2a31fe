"""Numbers and words of a file. A declaration is checked before a number of it is read."""

from __future__ import annotations

from math import prod
from typing import Any, TypeAlias

import h5py
import numpy as np
import numpy.typing as npt

from snnc.backends.netx import schema
from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.laws import Floats, Integers

Extents: TypeAlias = tuple[int | None, ...]
"""A shape that is allowed; None stands for any extent."""

MEND = "compile the model again: the file is damaged, or snnc did not write it"
MISSING = "it is missing"
KINDS = {"i": "signed whole numbers", "f": "real numbers", "S": "text of fixed length"}
"""Text of variable length lies in a heap that the HDF5 library follows without a look."""


def fault(group: h5py.Group, what: str, key: str = "") -> SnncError:
    """The refusal of a group, or of what stands in it under a key."""
    where = "/".join(part for part in (group.name.strip("/"), key) if part)
    return refusal(f"{group.file.filename} {where}".rstrip(), what, MEND)


def read_integers(group: h5py.Group, key: str, *allowed: Extents) -> Integers:
    """The signed whole numbers under a key, of one of the allowed shapes.

    Raises:
        SnncError: where they are missing, of another type or of another shape.
    """
    return np.asarray(_array(group, key, "i", allowed), np.int64)


def read_floats(group: h5py.Group, key: str, *allowed: Extents) -> Floats:
    """The real numbers under a key, of one of the allowed shapes.

    Raises:
        SnncError: where they are missing, of another type or of another shape.
    """
    return np.asarray(_array(group, key, "f", allowed), np.float64)


def read_integer(group: h5py.Group, key: str) -> int:
    """The one whole number under a key."""
    return int(read_integers(group, key, ()))


def read_within(group: h5py.Group, key: str, least: int, most: int = schema.MAX_STEPS) -> int:
    """The one whole number under a key, from least to most.

    Raises:
        SnncError: where it is another.
    """
    return _within(group, key, read_integer(group, key), least, most)


def read_pair(group: h5py.Group, key: str) -> tuple[int, int]:
    """Two whole numbers, rows before columns."""
    rows, columns = map(int, read_integers(group, key, (2,)))
    return rows, columns


def read_word(group: h5py.Group, key: str, *allowed: str) -> str:
    """The word under a key, one of the allowed.

    Raises:
        SnncError: where it is missing or another.
    """
    return _one_of(group, key, bytes(_array(group, key, "S", ((),))).decode(), allowed)


def read_words(group: h5py.Group, key: str) -> tuple[str, ...]:
    """A list of texts, empty where the key is absent."""
    if key not in group:
        return ()
    return tuple(each.decode() for each in _array(group, key, "S", ((None,),)).tolist())


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
    return bytes(_attribute(group, key, "S", ())).decode()


def word_of(group: h5py.Group, key: str, *allowed: str) -> str:
    """The text in an attribute, one of the allowed.

    Raises:
        SnncError: where it is missing or another.
    """
    return _one_of(group, key, text_of(group, key), allowed)


def integer_of(group: h5py.Group, key: str) -> int:
    """The whole number in an attribute."""
    return int(_attribute(group, key, "i", ()))


def integer_within(group: h5py.Group, key: str, least: int, most: int = schema.MAX_STEPS) -> int:
    """The whole number in an attribute, from least to most.

    Raises:
        SnncError: where it is another.
    """
    return _within(group, key, integer_of(group, key), least, most)


def real_of(group: h5py.Group, key: str) -> float:
    """The real number in an attribute."""
    return float(_attribute(group, key, "f", ()))


def reals_of(group: h5py.Group, key: str) -> tuple[float, ...]:
    """The real numbers in an attribute."""
    return tuple(map(float, _attribute(group, key, "f", (None,))))


def _within(group: h5py.Group, key: str, found: int, least: int, most: int) -> int:
    if not least <= found <= most:
        raise fault(group, f"{found}; allowed: {least}..{most}", key)
    return found


def _one_of(group: h5py.Group, key: str, found: str, allowed: tuple[str, ...]) -> str:
    if found not in allowed:
        raise fault(group, f"found {found!r}; allowed: {', '.join(allowed)}", key)
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
    """Refuse what is declared, before a number of it is read."""
    if found.dtype.kind != kind:
        raise fault(group, f"it holds {found.dtype}; allowed: {KINDS[kind]}", key)
    if not any(_matches(found.shape, each) for each in allowed):
        raise fault(group, f"shape {found.shape}; allowed: {_listed(allowed)}", key)
    if prod(found.shape) > schema.MAX_NUMBERS:
        what = f"it declares {prod(found.shape)} numbers; allowed: {schema.MAX_NUMBERS}"
        raise fault(group, what, key)


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
