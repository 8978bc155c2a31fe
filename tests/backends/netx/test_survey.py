"""Each limit of a file at its very end: what a file declares is allowed, one less is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from support.spiking_networks import random_network

from snnc.backends.netx import schema, survey
from snnc.backends.netx.arrays import write_array
from snnc.backends.netx.survey import require_plain
from snnc.backends.netx.writer import write
from snnc.compiler.errors import SnncError

Objects = dict[str, "h5py.Group | h5py.Dataset"]


def is_text(found: h5py.Dataset) -> bool:
    return found.dtype.kind == "S"


def arrays(objects: Objects) -> list[h5py.Dataset]:
    return [each for each in objects.values() if isinstance(each, h5py.Dataset)]


def attributes(objects: Objects) -> list[np.ndarray]:
    return [np.asarray(value) for each in objects.values() for value in each.attrs.values()]


LIMITS: dict[str, tuple[object, str, Callable[[Objects], int]]] = {
    "objects": (survey, "MOST_OBJECTS", lambda o: len(o) - 1),
    "depth": (
        survey,
        "MOST_DEPTH",
        lambda o: max(len(k.split("/")) + 1 for k, v in o.items() if isinstance(v, h5py.Group)),
    ),
    "attributes": (survey, "MOST_ATTRIBUTES", lambda o: max(len(e.attrs) for e in o.values())),
    "chunk": (
        survey,
        "MOST_CHUNK",
        lambda o: max(int(np.prod(e.chunks)) * e.dtype.itemsize for e in arrays(o) if e.chunks),
    ),
    "numbers": (schema, "MAX_NUMBERS", lambda o: sum(e.size for e in arrays(o) if not is_text(e))),
    "texts": (
        survey,
        "MOST_TEXT",
        lambda o: max(e.size * e.dtype.itemsize for e in arrays(o) if is_text(e) and e.shape),
    ),
    "name": (
        survey,
        "MOST_NAME",
        lambda o: max(e.dtype.itemsize for e in attributes(o) if e.dtype.kind == "S"),
    ),
    "attribute": (survey, "MOST_ATTRIBUTE", lambda o: max(e.size for e in attributes(o))),
}


@pytest.mark.parametrize(("place", "limit", "declared"), LIMITS.values(), ids=LIMITS)
def test_a_file_may_declare_so_much(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    place: object,
    limit: str,
    declared: Callable[[Objects], int],
) -> None:
    write(random_network(3), tmp_path / "net.h5")
    with h5py.File(tmp_path / "net.h5") as file:
        objects: Objects = {"": file["/"]}
        file.visititems(objects.__setitem__)
        most = declared(objects)
        monkeypatch.setattr(place, limit, most)
        require_plain(file)
        monkeypatch.setattr(place, limit, most - 1)
        with pytest.raises(SnncError):
            require_plain(file)


def test_one_array_is_held_to_the_limit_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file["a"] = np.zeros((3, 4))
        monkeypatch.setattr(schema, "MAX_NUMBERS", 12)
        require_plain(file)
        monkeypatch.setattr(schema, "MAX_NUMBERS", 11)
        with pytest.raises(SnncError, match="a: it declares 12 numbers; allowed: 11"):
            require_plain(file)
        file["b"] = np.zeros(1)
        monkeypatch.setattr(schema, "MAX_NUMBERS", 12)
        with pytest.raises(SnncError, match="b: the file declares 13 numbers up to here"):
            require_plain(file)


def test_an_array_is_written_up_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with h5py.File(tmp_path / "net.h5", "w") as file:
        monkeypatch.setattr(schema, "MAX_NUMBERS", 12)
        write_array(file, "a", np.zeros((3, 4)))
        with pytest.raises(SnncError, match="b has 13 numbers; allowed: 12"):
            write_array(file, "b", np.zeros(13))
