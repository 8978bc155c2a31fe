"""Images that stay in their file are those that NumPy reads, and no more of them is in memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as numpy_format
from support.onnx_models import Graph

import snnc
from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import GradedInput
from snnc.runtime.data import Data, accepted, load_data
from snnc.runtime.stored import StoredArray

X = np.random.default_rng(0).integers(0, 256, (9, 2, 3, 4)).astype(np.uint8)


def saved(folder: Path, kind: str, x: np.ndarray[Any, Any] = X) -> Path:
    path = folder / f"x.{kind[:3]}"
    if kind == "npy":
        np.save(path, x)
    elif kind == "npz":
        np.savez(path, y=np.arange(len(x)), x=x)
    elif kind == "npz, compressed":
        np.savez_compressed(path, x=x)
    else:  # bytes before an archive shift all its members
        np.savez(path, x=x)
        path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    return path


@pytest.mark.parametrize("kind", ["npy", "npz", "npz behind a text"])
def test_slices_are_those_of_numpy(tmp_path: Path, kind: str) -> None:
    found = load_data(saved(tmp_path, kind)).x
    assert isinstance(found, StoredArray)
    assert (found.shape, found.dtype, found.ndim, len(found)) == (X.shape, X.dtype, 4, 9)
    for first, last in ((0, 9), (3, 5), (7, 99), (5, 5), (0, None), (-2, None)):
        np.testing.assert_array_equal(found[first:last], X[first:last])
    np.testing.assert_array_equal(found.rows(2, 7)[1:3], X[3:5])
    np.testing.assert_array_equal(found, X)
    np.testing.assert_array_equal(found[-2], X[7])
    with pytest.raises(IndexError):
        found[9]


@pytest.mark.parametrize("x", [np.asfortranarray(X), X.astype(">f4"), X[:0]])
def test_whatever_is_saved_is_read(tmp_path: Path, x: np.ndarray[Any, Any]) -> None:
    for kind in ("npy", "npz", "npz, compressed"):
        found = load_data(saved(tmp_path, kind, x)).x
        np.testing.assert_array_equal(found[:], x)


def test_images_are_arranged_as_they_are_read(tmp_path: Path) -> None:
    source = GradedInput("x", (2, 3, 4), 255, 0.0, 1.0, channels_last=True)
    x = np.ascontiguousarray(np.moveaxis(X, 1, -1))
    stored = accepted(load_data(saved(tmp_path, "npy", x)), source, name="x")
    memory = accepted(Data(x), source, name="x")
    assert stored.x.shape == memory.x.shape == X.shape
    np.testing.assert_array_equal(stored.x[:], X)
    np.testing.assert_array_equal(stored.part(4, 3).x[1:], memory.part(4, 3).x[1:])
    np.testing.assert_array_equal(stored.x[4], X[4])
    line = GradedInput("x", (2, 1, 12), 255, 0.0, 1.0)
    flat = accepted(load_data(saved(tmp_path, "npy", X.reshape(9, 2, 12))), line, name="x", limit=7)
    np.testing.assert_array_equal(flat.x[2:4], X.reshape(9, 2, 1, 12)[2:4])
    assert flat.images == 7


def test_bytes_that_were_changed_are_found_by_their_sum(tmp_path: Path) -> None:
    x = np.tile(X, (99, 1, 1, 1))
    path = saved(tmp_path, "npz", x)
    whole = path.read_bytes()
    place = whole.index(x.tobytes()) + 9999
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(SnncError, match=r"x: Bad CRC-32 for file 'x\.npy'"):
        load_data(path)
    assert load_data(path, 3).x.shape == x.shape


@pytest.mark.parametrize("change", ["shorter", "later", "gone", "a pipe"])
def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path, change: str) -> None:
    path = saved(tmp_path, "npy")
    x = load_data(path).x
    if change == "shorter":
        os.truncate(path, 200)
    elif change == "later":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
        if change == "a pipe":
            os.mkfifo(path)
    with pytest.raises(SnncError) as caught:
        x[0:2]
    assert str(caught.value).startswith(f"{path}: it ")


def sparse(path: Path, shape: tuple[int, ...]) -> Path:
    """Bytes that take no room on the disk; some images are not black."""
    with path.open("wb") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        numpy_format.write_array_header_1_0(file, header)
        start, row = file.tell(), int(np.prod(shape[1:]))
        file.truncate(start + shape[0] * row)
        for image in range(0, shape[0], 97):
            file.seek(start + image * row)
            file.write(bytes(range(256)))
    return path


LIMITED = """
import resource, sys, snnc
snnc.run(sys.argv[1], sys.argv[2], engine="golden", limit=64)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (96 << 20),) * 2)
found = snnc.run(sys.argv[1], sys.argv[2], engine="golden")
print(found.result.images, int(found.result.decisions.sum()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what memory is taken is read from /proc")
def test_a_file_larger_than_the_memory_allowed_is_run(tmp_path: Path) -> None:
    """Half a gigabyte; a run of 64 images aside, no more than 96 MB may be taken for it."""
    graph = Graph("batch", 1, 256, 256)
    graph.conv(1, 1, 32, 32, strides=[32, 32])
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 64)
    model, images = graph.save(tmp_path), 8192
    network = snnc.compile(model).path
    path = sparse(tmp_path / "x.npy", (images, 1, 256, 256))
    found = subprocess.run(
        [sys.executable, "-c", LIMITED, str(network), str(path)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (found.returncode, found.stdout.split()[:1]) == (0, [str(images)]), found.stderr
