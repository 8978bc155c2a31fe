"""Archives of strangers: any member of any zip is read, or refused in one message."""

from __future__ import annotations

import io
import os
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import GradedInput
from snnc.runtime import archive
from snnc.runtime.data import Data, accepted, load_data

FEATURES = GradedInput("features", (3,), 15, -1.0, 2 / 15)
SAVED = "save it with numpy.savez(path, x=images, y=labels)"
SECONDS = 2.0


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


X = npy(np.zeros((2, 3), np.float32))


def header(text: str, version: int = 1) -> bytes:
    """The start of a .npy with any text as its header."""
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text.encode("latin1")


def declared(shape: str, dtype: str = "'<f4'", order: str = "False") -> bytes:
    return header(f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}}}\n")


def zipped(folder: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    path = folder / "data.npz"
    with zipfile.ZipFile(path, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def encrypted(folder: Path) -> Path:
    path = zipped(folder, {"x.npy": X})
    whole = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(mark) + place] |= 1
    path.write_bytes(whole)
    return path


def damaged(folder: Path) -> Path:
    path = zipped(folder, {"x.npy": npy(np.arange(3000.0).reshape(-1, 3))}, zipfile.ZIP_DEFLATED)
    whole = bytearray(path.read_bytes())
    whole[200:260] = b"\xff" * 60
    path.write_bytes(whole)
    return path


def of(**members: bytes) -> Callable[[Path], Path]:
    return lambda folder: zipped(folder, {f"{k}.npy": content for k, content in members.items()})


def by(method: int) -> Callable[[Path], Path]:
    return lambda folder: zipped(folder, {"x.npy": X}, method)


def bomb(folder: Path) -> Path:
    """A member that says that it is larger than it is."""
    content = declared("(500000000,)") + b"\0" * 4000
    path = zipped(folder, {"x.npy": content}, zipfile.ZIP_DEFLATED)
    whole = bytearray(path.read_bytes())
    place = whole.index(b"PK\x01\x02") + 24
    whole[place : place + 4] = struct.pack("<I", 2100000000)
    path.write_bytes(whole)
    return path


NOT = "it is not an .npz of numbers"
FAULTS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "raw bytes": (of(x=b"no array"), f"{NOT} (x: "),
    "raw bytes without an ending": (lambda folder: zipped(folder, {"x": b"text"}), f"{NOT} (x: "),
    "an empty member": (of(x=b""), f"{NOT} (x: "),
    "encrypted": (encrypted, f"{NOT} (x is encrypted)"),
    "deflate": (damaged, f"{NOT} (x: "),
    "bzip2": (
        by(zipfile.ZIP_BZIP2),
        f"{NOT} (x is compressed by method 12; allowed: stored or deflated)",
    ),
    "lzma": (
        by(zipfile.ZIP_LZMA),
        f"{NOT} (x is compressed by method 14; allowed: stored or deflated)",
    ),
    "objects": (of(x=npy(np.array([{}], object))), f"{NOT} (x: Object arrays cannot be loaded"),
    "objects in a record": (
        of(x=declared("(1,)", "[('a', '|O')]")),
        f"{NOT} (x: Object arrays cannot be loaded",
    ),
    "a large shape": (
        of(x=declared("(1000000000000, 3)")),
        f"{NOT} (x: it declares 12000000000000 bytes and holds ",
    ),
    "a shape of no number": (
        of(x=declared("(True,)", "'|S0'")),
        f"{NOT} (x: it declares the shape (True,))",
    ),
    "a shape below 0": (of(x=declared("(-1, -3)")), f"{NOT} (x: it declares the shape (-1, -3))"),
    "a header of code": (
        of(x=header("__import__('os').abort()\n")),
        f"{NOT} (x: its header cannot",
    ),
    "a deep header": (of(x=header("(" * 9000 + "\n")), f"{NOT} (x: its header cannot be read"),
    "a header of version 9": (of(x=b"\x93NUMPY\x09\x00" + X), f"{NOT} (x: "),
    "a header that ends": (of(x=X[:20]), f"{NOT} (x: "),
    "labels of bytes": (of(x=X, y=b"cats"), f"{NOT} (y: "),
    "labels of objects": (of(x=X, y=npy(np.array([None, "a"]))), f"{NOT} (y: Object arrays"),
    "no member x": (
        lambda folder: zipped(folder, {"../x.npy": X, "/etc/x": X, "a\x1b[2J": X}),
        "it holds ../x, /etc/x, a\\x1b[2J; x is needed",
    ),
    "many members": (
        lambda folder: zipped(folder, {str(k): b"" for k in range(99)}),
        "it holds 0, 1, 2, 3, 4, 5, 6, 7, …; x is needed",
    ),
    "nothing": (lambda folder: zipped(folder, {}), "it holds nothing; x is needed"),
}


def refused(path: Path, expected: str) -> str:
    begin = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(SnncError) as caught:
            load_data(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert time.monotonic() - begin < SECONDS
    assert str(caught.value).startswith(f"{path}: {expected}")
    assert len(str(caught.value).splitlines()) == 2
    return str(caught.value)


@pytest.mark.parametrize(("make", "expected"), FAULTS.values(), ids=FAULTS)
def test_fault(tmp_path: Path, make: Callable[[Path], Path], expected: str) -> None:
    assert refused(make(tmp_path), expected).endswith(f"\n  help: {SAVED}")


def test_a_member_is_no_larger_than_it_says(tmp_path: Path) -> None:
    refused(bomb(tmp_path), f"{NOT} (x cannot hold the 2100000000 bytes that it declares)")


def test_a_budget_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gigabytes of zeros deflate to two megabytes; here it is less, and less is allowed."""
    zeros = {"x.npy": npy(np.zeros(1 << 20))}
    monkeypatch.setattr(archive, "MOST_BYTES", 1 << 16)
    assert len(load_data(zipped(tmp_path, zeros)).x) == 1 << 20
    path = zipped(tmp_path, zeros, zipfile.ZIP_DEFLATED)
    (member,) = zipfile.ZipFile(path).infolist()
    packed = member.compress_size
    what = f"x declares {(1 << 23) + 128} bytes, compressed into {packed}; allowed: {32 * packed}"
    assert refused(path, what).endswith(f"{what}\n  help: {archive.SMALLER}")


@pytest.mark.parametrize(("kind", "make"), [("a pipe", os.mkfifo), ("a folder", os.mkdir)])
def test_what_is_no_file_is_not_waited_for(
    tmp_path: Path, kind: str, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "data.npz")
    refused(tmp_path / "data.npz", f"it is {kind}; allowed: a regular file\n")


def test_a_device_is_no_file() -> None:
    refused(Path("/dev/zero"), "it is a device; allowed: a regular file\n")


def test_members_may_be_compressed_and_lack_their_ending(tmp_path: Path) -> None:
    data = load_data(zipped(tmp_path, {"x": X, "y": npy(np.arange(2))}, zipfile.ZIP_DEFLATED))
    assert data.x.shape == (2, 3)
    assert data.y is not None
    assert data.y.tolist() == [0, 1]


@pytest.mark.parametrize("label", [np.nan, np.inf, 1e300, float(1 << 40)])
def test_labels_are_numbers_of_classes(label: float) -> None:
    data = Data(np.zeros((1, 3), np.float32), np.array([label]))
    with pytest.raises(SnncError, match=r"^data: (y \(float64\) is not whole|1 labels, the first)"):
        accepted(data, FEATURES, name="data")


def test_values_beyond_all_levels_are_said_without_a_warning(
    recwarn: pytest.WarningsRecorder,
) -> None:
    with pytest.raises(SnncError, match="values, the first in image 0"):
        accepted(Data(np.array([[1e308, 0, 0]])), FEATURES, name="data")
    assert not recwarn.list


@given(data=st.data())
@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_damaged_archive_is_read_or_refused(tmp_path: Path, data: st.DataObject) -> None:
    method = data.draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    path = zipped(tmp_path, {"x.npy": X, "y.npy": npy(np.arange(2))}, method)
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole)
    try:
        accepted(load_data(path), FEATURES, name=str(path))
    except SnncError as error:
        assert str(path) in str(error)  # noqa: PT017
