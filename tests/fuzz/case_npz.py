"""A damaged DATA.npz: images that a network takes, or a refusal."""

from __future__ import annotations

import io
import struct
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
from support.spiking_networks import random_network

import snnc
from snnc.api.images import images_for
from snnc.backends.netx.writer import content_of
from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import Input
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import as_source, encode
from tests.fuzz import checks
from tests.fuzz.draws import Rng, damaged, of, real, whole

TYPES = ("f4", "f8", "u1", "f2", "i1", "i2", "i4", "i8", "u8", "?", "c8", "S4", "U2", ">f4", ">f8")
METHODS = (*(zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) * 16, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
CODES = ("bit-serial", "rate", "one-spike", "delta")


def case(seed: int, folder: Path) -> str:
    """Give the data of a seed to a small network."""
    rng = np.random.default_rng(seed)
    network, content = of(networks(), rng)
    path = folder / "d.npz"
    path.write_bytes(_archive(rng, network.input))
    before = checks.state_of(folder)
    limit, clip = of((*(None,) * 6, 1, 2, 1 << 40, 0, -1), rng), of(BOTH, rng)
    try:
        if rng.integers(8):
            _encoded(images_for(network, path, limit, clip=clip), network.input)
        else:
            (folder / "n.h5").write_bytes(content)
            _run(folder / "n.h5", path, limit, clip=clip)
    except SnncError as error:
        checks.only_new(before, checks.state_of(folder), {"n.h5"})
        return checks.checked_refusal(error)
    checks.only_new(before, checks.state_of(folder), {"n.h5"})
    return "answered"


def _run(network: Path, data: Path, limit: int | None, *, clip: bool) -> None:
    """Every image gets numbers."""
    found = snnc.run(network, data, engine="golden", limit=limit, clip_input=clip)
    assert np.isfinite(found.result.logits).all(), "a logit is no number"
    assert len(found.result.decisions) == found.result.images > 0


def _encoded(data: snnc.Data, source: Input) -> None:
    """Every pixel is a level of the input, and a real number for the source."""
    pixels = data.x[:]  # which may still be in their file
    levels = encode(pixels, source)
    assert levels.min() >= 0
    assert levels.max() <= source.levels
    assert np.isfinite(as_source(pixels, source)).all()


@cache
def networks() -> list[tuple[SpikingNetwork, bytes]]:
    """One of each way in which pixels are sent."""
    found = [random_network(seed, code) for seed, code in enumerate(CODES)]
    return [(each, content_of(each)) for each in found]


BOTH = (False, True)


def _archive(rng: Rng, source: Input) -> bytes:
    """An archive of members that may be unsound, and perhaps is unsound itself."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in _names(rng):
            content = _member(rng, source) if name.startswith("x") else _labels(rng)
            archive.writestr(name, content, of(METHODS, rng))
    content = file.getvalue()
    form = rng.integers(10)
    if form == 0:
        return damaged(content, rng)
    if form == 1:
        return _tricked(content, rng)
    return content


def _names(rng: Rng) -> list[str]:
    usual = ["x.npy"] if rng.integers(2) else ["x.npy", "y.npy"]
    odd = (
        *(["y.npy"], ["x.npy", "x.npy"], ["x"], ["x.npy", "z.npy"], ["x/x.npy"], ["../x.npy"]),
        *([], ["X.npy"], ["x.npy", "y"], ["x.npy/"], ["x.npy", "a\0.npy"], ["x.npy"] * 9),
    )
    return of(odd, rng) if rng.integers(12) == 0 else usual


def _member(rng: Rng, source: Input) -> bytes:
    """Images as .npy: sound ones, others, or anything."""
    form, shape = rng.integers(16), source.pixel_shape
    if form == 0:
        return rng.bytes(int(rng.integers(0, 200)))
    if form == 1:
        return _declared(rng)
    count = int(of((1, 1, 2, 2, 3, 3, 0), rng))
    values = rng.uniform(
        source.low, source.high, (count, *(_other(shape, rng) if form == 2 else shape))
    )
    if form == 3 and values.size:
        values.flat[int(rng.integers(values.size))] = real(rng)
    if form == 4:
        values = values * real(rng)
    kind = of(TYPES, rng) if form == 5 else of(TYPES[:2], rng)
    with np.errstate(all="ignore"):
        content = _saved(values.astype(kind), rng)
    return damaged(content, rng) if form == 6 else content


def _other(shape: tuple[int, ...], rng: Rng) -> tuple[int, ...]:
    return of((shape[::-1], (*shape, 1), shape[1:], (1, *shape), (0, *shape[1:]), ()), rng)


def _labels(rng: Rng) -> bytes:
    count = int(of((1, 2, 3, 4), rng))
    form = rng.integers(8)
    if form == 0:
        return _saved(np.array([whole(rng) for _ in range(count)], np.int64), rng)
    if form == 1:
        return _saved(np.array([real(rng) for _ in range(count)]), rng)
    if form == 2:
        return _saved(np.array(of(("a", None, [["a"]], {}), rng), dtype=object), rng)
    values = np.zeros(count, of((*("i8", "u1", "i4") * 2, "u8", "f8", "?"), rng))
    return _saved(values, rng)


def _saved(values: np.ndarray, rng: Rng) -> bytes:
    file = io.BytesIO()
    with np.errstate(all="ignore"):
        if values.ndim > 1 and rng.integers(8) == 0:
            values = np.asfortranarray(values)
        np.lib.format.write_array(file, values, of((*(None,) * 12, (2, 0), (3, 0)), rng))
    return file.getvalue()


def _declared(rng: Rng) -> bytes:
    """A header that says what no bytes follow."""
    size = of((1 << 20, 1 << 30, 1 << 40, 1 << 62, -1, whole(rng)), rng)
    shapes = (f"({size},)", f"({size}, {size})", "()", f"(1, {size}, 4)", "(True,)", "[1]", "None")
    kinds = ("'<f4'", "'|O'", "'<f8'", "[('a', '<f4')]", "'|V8'", "'<M8[s]'", "'x'", "1", "'|S0'")
    order = of(("False", "True", "1", "None"), rng)
    text = f"{{'descr': {of(kinds, rng)}, 'fortran_order': {order}, 'shape': {of(shapes, rng)}, }}"
    if rng.integers(6) == 0:
        text = of(
            ("(" * 5000, "{" * 300, "[" * 90 + "]" * 90, "__import__('os')", "", text * 3), rng
        )
    head = text.encode()
    size_of_head = len(head) if rng.integers(5) else int(rng.integers(0, 1 << 16))
    version = of((b"\x01\x00", b"\x01\x00", b"\x09\x00"), rng)
    return b"\x93NUMPY" + version + struct.pack("<H", size_of_head & 0xFFFF) + head


def _tricked(content: bytes, rng: Rng) -> bytes:
    """Sizes, offsets, flags and methods of the archive's directory changed."""
    data = bytearray(content)
    starts = [i for i in range(len(data)) if data[i : i + 4] in (b"PK\1\2", b"PK\5\6", b"PK\3\4")]
    for _ in range(int(rng.integers(1, 4))):
        if not starts:
            break
        place = of(starts, rng) + int(rng.integers(4, 46))
        size = int(of((2, 4), rng))
        number = int(of((0, 1, 8, 99, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, len(data)), rng))
        data[place : place + size] = number.to_bytes(8, "little")[: min(size, len(data) - place)]
    if rng.integers(4) == 0:
        data = bytearray(rng.bytes(int(rng.integers(1, 60)))) + data
    return bytes(data)


def prepare() -> None:
    """Have in memory what every case needs."""
    networks()
