"""Files of strangers: nothing outside them is opened, nothing large read, nothing waited for."""

from __future__ import annotations

import os
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.integer_law import evaluate
from support.spiking_networks import CODES, chain, random_network

from snnc.backends.netx import survey
from snnc.backends.netx.reader import read
from snnc.backends.netx.writer import write
from snnc.compiler.errors import SnncError
from snnc.compiler.rules.bounds import potential_bounds
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.golden import Golden

Tamper = Callable[[h5py.File, Path], None]
SECONDS = 1.0
"""Far more than a refusal takes, and far less than what it must not do."""
FIRST, LAST = -(1 << 63), (1 << 63) - 1


def tampered(tamper: Tamper, folder: Path) -> Path:
    path = folder / "net.h5"
    write(chain(), path)
    with h5py.File(path, "r+") as file:
        tamper(file, folder)
    return path


def refused(path: Path) -> str:
    begin = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(SnncError) as caught:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 24
    finally:
        tracemalloc.stop()
    assert time.monotonic() - begin < SECONDS
    return str(caught.value)


def replaced(key: str, value: Any) -> Tamper:
    def tamper(file: h5py.File, _: Path) -> None:
        if key in file:
            del file[key]
        file[key] = value

    return tamper


def created(key: str, shape: tuple[int, ...], dtype: Any, **more: Any) -> Tamper:
    def tamper(file: h5py.File, _: Path) -> None:
        if key in file:
            del file[key]
        file.create_dataset(key, shape=shape, dtype=dtype, **more)

    return tamper


def external_link(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["bias"] = np.array([7])
    replaced("layer/1/bias", h5py.ExternalLink(str(folder / "other.h5"), "bias"))(file, folder)


def pipe_behind_a_link(file: h5py.File, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    replaced("layer/1/bias", h5py.ExternalLink(str(folder / "pipe"), "bias"))(file, folder)


def external_storage(file: h5py.File, folder: Path) -> None:
    (folder / "secret").write_bytes(b"password")
    del file["layer/1/bias"]
    where = [(str(folder / "secret"), 0, 4)]
    file.create_dataset("layer/1/bias", (1,), "i4", external=where)


def virtual(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["bias"] = np.array([7])
    layout = h5py.VirtualLayout((1,), "i8")
    layout[:] = h5py.VirtualSource(folder / "other.h5", "bias", (1,))
    del file["layer/1/bias"]
    file.create_virtual_dataset("layer/1/bias", layout)


def cycle(file: h5py.File, _: Path) -> None:
    file["layer/1/more"] = file["layer"]


def deep(file: h5py.File, _: Path) -> None:
    file.create_group("layer/1/a/b/c/d/e")


def many_attributes(file: h5py.File, _: Path) -> None:
    for index in range(65):
        file["layer/1/bias"].attrs[f"a{index}"] = 1


def attributes_in_a_heap(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w", libver="latest") as other:
        group = other.create_group("g")
        group.attrs["name"] = np.bytes_(b"x" * 100_000)
        del file["layer/1/neuron"]
        other.copy("g", file, "layer/1/neuron")


def long_text(file: h5py.File, _: Path) -> None:
    file["layer/1"].attrs["name"] = np.bytes_(b"x" * 5000)


def sum_of_arrays(file: h5py.File, folder: Path) -> None:
    for index in range(3):
        created(f"layer/1/more{index}", (1 << 27,), "i2", chunks=(1024,))(file, folder)


def reference(file: h5py.File, folder: Path) -> None:
    replaced("layer/1/bias", file["layer"].ref)(file, folder)


HUGE = (1 << 13, 1 << 13)
NUMBER = "it holds object; allowed: signed whole numbers"
FAULTS: dict[str, tuple[Tamper, str]] = {
    "an external link": (
        external_link,
        "layer/1/bias: it is a link to another place; allowed: what stands here",
    ),
    "a pipe behind a link": (
        pipe_behind_a_link,
        "layer/1/bias: it is a link to another place; allowed: what stands here",
    ),
    "a soft link": (
        replaced("layer/1/bias", h5py.SoftLink("/layer/2/bias")),
        "layer/1/bias: it is a link to another place; allowed: what stands here",
    ),
    "a cycle": (cycle, "it stands in the file twice; allowed: once"),
    "external storage": (
        external_storage,
        "layer/1/bias: its numbers stand in another file; allowed: in this one",
    ),
    "a virtual array": (
        virtual,
        "layer/1/bias: its numbers stand in another file; allowed: in this one",
    ),
    "another filter": (
        created("layer/1/bias", (1,), "i4", compression="lzf"),
        "layer/1/bias: filters [32000]; allowed: shuffle and gzip",
    ),
    "a large chunk": (
        created("layer/1/bias", (1 << 23,), "i4", chunks=(1 << 23,)),
        f"layer/1/bias: chunks of {1 << 25} bytes; allowed: up to {1 << 24}",
    ),
    "a type": (
        replaced("layer/1/bias", np.dtype("i4")),
        "layer/1/bias: it is neither a group nor an array",
    ),
    "a reference": (reference, f"layer/1/bias: {NUMBER}"),
    "depth": (deep, "layer/1/a/b/c/d: a group below 6 others; allowed: up to 6"),
    "many attributes": (many_attributes, "layer/1/bias: 65 attributes; allowed: up to 64"),
    "attributes in a heap": (
        attributes_in_a_heap,
        "layer/1/neuron: its attributes stand in a heap; allowed: in its header",
    ),
    "a long name": (
        long_text,
        "layer/1/name: 1 values of 5000 bytes; allowed: up to 4096 numbers, or 4096 bytes of text",
    ),
    "a scalar that is huge": (
        created("layer/1/relay", HUGE, "i8", chunks=(64, 64)),
        "layer/1/relay: shape (8192, 8192); allowed: ()",
    ),
    "a word that is huge": (
        created("layer/1/type", (), "S2000000000"),
        "layer/1/type: 2000000000 bytes of text; allowed: up to 4096",
    ),
    "labels that are huge": (
        created("labels", (1 << 20,), "S4000", chunks=(1,)),
        f"labels: {4000 << 20} bytes of text; allowed: up to {1 << 24}",
    ),
    "the sum of arrays": (
        sum_of_arrays,
        f"numbers up to here; allowed: {1 << 28}",
    ),
    "no text": (
        replaced("layer/1/type", np.bytes_(b"\xff")),
        "layer/1/type: found b'\\xff'; allowed: UTF-8",
    ),
    "many pixels": (
        replaced("layer/0/shape", np.array([1, 1 << 14, 1 << 14])),
        f"layer/0/shape: shape (1, 16384, 16384); allowed: 1..{1 << 26} neurons",
    ),
    "a bias": (
        replaced("layer/1/bias", np.array([FIRST])),
        f"layer/1/bias: {FIRST}; allowed: {-(1 << 31)}..{(1 << 31) - 1}",
    ),
    "another bias": (
        replaced("layer/1/bias", np.array([LAST])),
        f"layer/1/bias: {LAST}; allowed: {-(1 << 31)}..{(1 << 31) - 1}",
    ),
    "a weight": (
        replaced("layer/1/weight", np.array([[FIRST, LAST]])),
        f"layer/1/weight: {FIRST}..{LAST}; allowed: -32768..32767",
    ),
    "a threshold": (
        replaced("layer/1/neuron/vThMant", np.array([FIRST])),
        f"layer/1/neuron/vThMant: {FIRST}; allowed: {-(1 << 31)}..{(1 << 31) - 1}",
    ),
    "an exponent": (
        replaced("layer/1/wgtExp", 64),
        "layer/1/wgtExp: 64; allowed: 0..7",
    ),
    "levels": (
        replaced("layer/1/neuron/levels", LAST),
        f"layer/1/neuron/levels: {LAST}; allowed: 1..{(1 << 23) - 1}",
    ),
    "a source": (replaced("layer/1/source", np.array([FIRST])), f"layer {FIRST}; allowed: 0..0"),
}


@pytest.mark.parametrize(("tamper", "expected"), FAULTS.values(), ids=FAULTS)
def test_fault(tmp_path: Path, tamper: Tamper, expected: str) -> None:
    path = tampered(tamper, tmp_path)
    message = refused(path)
    assert f"{expected}\n  help: " in message
    assert str(path) in message
    assert len(message.splitlines()) == 2


def test_objects_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey, "MOST_OBJECTS", 3)
    path = tampered(lambda file, _: None, tmp_path)
    assert refused(path).startswith(f"{path}: it holds 4 groups and arrays; allowed: up to 3\n")


@pytest.mark.parametrize(("kind", "make"), [("a pipe", os.mkfifo), ("a folder", os.mkdir)])
def test_what_is_no_file_is_not_waited_for(
    tmp_path: Path, kind: str, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "net.h5")
    what = f"{tmp_path}/net.h5: it is {kind}; allowed: a regular file"
    assert refused(tmp_path / "net.h5").startswith(f"{what}\n  help: ")


def test_a_device_is_no_file() -> None:
    assert refused(Path("/dev/zero")).startswith("/dev/zero: it is a device; allowed: a regular")


def test_names_of_strangers_are_escaped(tmp_path: Path) -> None:
    path = tampered(lambda file, _: file.__setitem__("x\x1b[2J", h5py.SoftLink("/")), tmp_path)
    assert "x\\x1b[2J: it is a link" in refused(path)


def test_a_name_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    def tamper(file: h5py.File, _: object) -> None:
        h5py.h5g.create(file.id, b"x\xff")

    path = tampered(tamper, tmp_path)
    assert refused(path).startswith(f"{path} x\\xff: its name is no UTF-8\n  help: ")


NUMBERS = [0, 1, -1, 2, 7, 255, 256, 4096, 4097, 1 << 23, -(1 << 23), 1 << 31, FIRST, LAST]
REALS = [0.0, -1.0, np.nan, np.inf, 1e-320, 1e308, 0.5]
TEXTS = [b"", b"CUBA", b"CUBA_ATF", b"CUBA_SOFT", b"CUBA_COPIES", b"conv", b"dense", b"\xff", b"x"]


def datasets(file: h5py.File) -> list[str]:
    found: list[str] = []
    file.visititems(lambda name, o: found.append(name) if isinstance(o, h5py.Dataset) else None)
    return found


def mutate(file: h5py.File, rng: np.random.Generator) -> None:
    """Change one value, one shape, one type or one link of a file."""
    if not rng.integers(0, 5):
        key = rng.choice(list(file.attrs))
        file.attrs[key] = mutated(np.asarray(file.attrs[key]), rng)
        return
    keys = datasets(file)
    key = str(rng.choice(keys))
    value = mutated(file[key][()], rng)
    del file[key]
    if not rng.integers(0, 12):
        other = str(rng.choice(keys))
        file[key] = h5py.SoftLink(f"/{other}")
    elif rng.integers(0, 20):
        file[key] = value


def mutated(value: Any, rng: np.random.Generator) -> Any:
    value = np.asarray(value)
    if not rng.integers(0, 8):
        return np.resize(value, rng.integers(0, 4, rng.integers(0, 4)))
    if value.dtype.kind == "S":
        return np.bytes_(rng.choice(TEXTS))
    if not rng.integers(0, 10):
        return value.astype(rng.choice(["i1", "i8", "u4", "f8", "S3", "?"]))
    pool = REALS if value.dtype.kind == "f" else NUMBERS
    value = value.astype("f8" if pool is REALS else "i8")
    if value.size:
        value.flat[rng.integers(0, value.size)] = rng.choice(pool)
    return value


def hold_to_its_proof(network: SpikingNetwork) -> None:
    """Golden gives what whole numbers give, and no potential leaves its bounds."""
    shape, levels = network.input.shape, network.input.levels
    images = np.random.default_rng(0).integers(0, levels + 1, (4, *shape))
    images[0], images[1] = 0, levels
    expected = evaluate(network, images)
    found = Golden(network, every_population=True, threads=1).run(images)
    for name, sent in found.sent.items():
        np.testing.assert_array_equal(sent, expected[name], err_msg=name)
    np.testing.assert_array_equal(found.potential, expected[network.readout.name])
    bounds = potential_bounds(network.readout, network.nodes)
    assert (bounds.low <= found.potential).all()
    assert (found.potential <= bounds.high).all()
    assert -(1 << 23) <= bounds.low.min() <= bounds.high.max() < 1 << 23


@pytest.mark.parametrize("code", CODES)
@given(seed=st.integers(0, 1 << 32))
@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_mutated_file_is_refused_or_runs(tmp_path: Path, code: str, seed: int) -> None:
    rng, path = np.random.default_rng(seed), tmp_path / "net.h5"
    write(random_network(seed % 16, code), path)
    with h5py.File(path, "r+") as file:
        for _ in range(rng.integers(1, 3)):
            mutate(file, rng)
    try:
        network = read(path)
    except SnncError:
        return
    if max(each.sends.turn for each in network.nodes.values()) < 64:
        hold_to_its_proof(network)
