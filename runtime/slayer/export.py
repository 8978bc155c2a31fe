"""What an export shares with the compiler's writer: the same helpers leave the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from snnc.backends.netx import schema
from snnc.backends.netx.writer import _replacing, _texts
from snnc.backends.netx.writer import _write_array as write_array
from snnc.backends.netx.writer import _write_header as write_header
from snnc.compiler.errors import refusal

__all__ = ["begin_layer", "creating", "write_array", "write_header"]


@contextmanager
def creating(path: Path) -> Iterator[h5py.File]:
    """A file beside its place, which takes that place once it is whole.

    Raises:
        SnncError: for a path that cannot be written.
    """
    try:
        with _replacing(path) as partial, h5py.File(partial, "w") as file:
            yield file
    except OSError as error:
        raise refusal(str(path), f"cannot be written: {error}", "choose another path") from error


def begin_layer(handle: h5py.Group, name: str, kind: str, shape: tuple[int, ...]) -> None:
    """Fill what every layer has."""
    handle.attrs[schema.NAME] = _texts(name)[0]
    handle[schema.TYPE] = np.bytes_(kind)
    handle[schema.SHAPE] = np.array(shape, schema.COUNT_TYPE)
