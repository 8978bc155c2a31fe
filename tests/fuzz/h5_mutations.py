"""Changes of a netx file: its numbers, its shapes and types, its links, or any of its bytes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

import h5py
import numpy as np

from tests.fuzz.draws import TEXTS, Rng, of, real, whole

Mutation: TypeAlias = Callable[[h5py.File, Rng], None]
TYPES = ("i1", "i2", "i4", "i8", "u1", "u8", "f2", "f4", "f8", ">i4", "?", "S3", "c8")


def places(file: h5py.File, kind: type) -> list[str]:
    """The names of all groups, or of all arrays."""
    found: list[str] = []
    file.visititems(lambda name, each: found.append(name) if isinstance(each, kind) else None)
    return found


def _array(file: h5py.File, rng: Rng) -> tuple[str, np.ndarray]:
    """An array; small ones as often as large ones."""
    name = of(places(file, h5py.Dataset), rng)
    return name, np.zeros(0) if file[name].shape is None else file[name][()]


def _replace(file: h5py.File, name: str, values: object, **more: object) -> None:
    del file[name]
    file.create_dataset(name, data=values, **more)


def one_number(file: h5py.File, rng: Rng) -> None:
    """One number of an array is another."""
    name, values = _array(file, rng)
    values = np.array(values)
    if values.dtype.kind in "iu" and values.size:
        limits = np.iinfo(values.dtype)
        number = whole(rng)
        values.flat[int(rng.integers(values.size))] = min(max(number, limits.min), limits.max)
    elif values.dtype.kind == "f" and values.size:
        values.flat[int(rng.integers(values.size))] = real(rng)
    _replace(file, name, values)


def all_numbers(file: h5py.File, rng: Rng) -> None:
    """All numbers of an array are one, or the ends of what its type holds."""
    name, values = _array(file, rng)
    values = np.array(values)
    if values.dtype.kind in "iu":
        limits = np.iinfo(values.dtype)
        number = min(max(whole(rng), limits.min), limits.max)
        values = np.full_like(values, number)
    elif values.dtype.kind == "f":
        values = np.full_like(values, real(rng))
    _replace(file, name, values)


def within_the_ranges(file: h5py.File, rng: Rng) -> None:
    """Numbers that a legal file might have: a little more or less, or a few times as much."""
    name, values = _array(file, rng)
    values = np.array(values)
    if values.dtype.kind not in "iu":
        return
    wide = values.astype(np.int64)
    form = rng.integers(4)
    if form == 0:
        wide = wide + int(rng.integers(-2, 3))
    elif form == 1:
        wide = wide * int(of((-1, 2, 3, 16), rng))
    elif form == 2:
        wide = rng.permutation(wide.ravel()).reshape(wide.shape)
    else:
        wide = np.where(rng.integers(0, 2, wide.shape) == 1, wide, rng.integers(-256, 256))
    limits = np.iinfo(values.dtype)
    _replace(file, name, np.clip(wide, limits.min, limits.max).astype(values.dtype))


def other_type(file: h5py.File, rng: Rng) -> None:
    """The same numbers in another type."""
    name, values = _array(file, rng)
    with np.errstate(all="ignore"):
        try:
            _replace(file, name, np.asarray(values).astype(of(TYPES, rng)))
        except (TypeError, ValueError):
            file[f"{name}.text"] = str(values)[:40]


def other_shape(file: h5py.File, rng: Rng) -> None:
    """An axis more, less, longer or shorter."""
    name, values = _array(file, rng)
    values = np.asarray(values)
    form = rng.integers(5)
    if form == 0:
        values = values[None]
    elif form == 1:
        values = values.reshape(-1)
    elif form == 2 and values.ndim:
        values = values[:-1]
    elif form == 3 and values.ndim:
        values = np.concatenate([values, values[:1]])
    elif values.ndim > 1:
        values = values.T
    _replace(file, name, values)


def declared_shape(file: h5py.File, rng: Rng) -> None:
    """An array of any size, of which no number is stored."""
    name = of(places(file, h5py.Dataset), rng)
    kind, size = file[name].dtype, of((1 << 10, 1 << 20, 1 << 27, 1 << 28, 1 << 31, 1 << 40), rng)
    shape = of(((size,), (size, 1), (4, size), (size,) * 2, (0,), (0, 4)), rng)
    del file[name]
    chunks = tuple(min(each, 64) or 1 for each in shape) if rng.integers(2) else None
    more = {"compression": "gzip"} if chunks else {}
    try:
        file.create_dataset(name, shape, kind, chunks=chunks, fillvalue=None, **more)
    except (ValueError, OSError):
        file.create_dataset(name, (0,), kind)


def filled_bomb(file: h5py.File, rng: Rng) -> None:
    """An array of many equal numbers, which cost nothing in the file."""
    name = of(places(file, h5py.Dataset), rng)
    kind = file[name].dtype
    shape = of(((1 << 20,), (1 << 24,), (1 << 12, 1 << 14), (256, 256, 256)), rng)
    del file[name]
    more = {"chunks": tuple(min(each, 1 << 20) for each in shape), "compression": "gzip"}
    file.create_dataset(name, shape, kind, fillvalue=kind.type(1), **more)


def other_filter(file: h5py.File, rng: Rng) -> None:
    """The same array behind other filters."""
    name, values = _array(file, rng)
    if not np.ndim(values):
        return
    more = of(
        (
            {"compression": "lzf"},
            {"compression": "gzip", "compression_opts": 9, "fletcher32": True},
            {"scaleoffset": 0},
            {"chunks": True, "maxshape": (None,) * np.ndim(values)},
        ),
        rng,
    )
    try:
        _replace(file, name, values, **more)
    except (TypeError, ValueError):
        file.create_dataset(name, data=values)


def missing(file: h5py.File, rng: Rng) -> None:
    """An array or a group less."""
    names = [*places(file, h5py.Dataset), *places(file, h5py.Group)]
    del file[of(names, rng)]


def one_more(file: h5py.File, rng: Rng) -> None:
    """A group or an array of any name."""
    group = file[of(["/", *places(file, h5py.Group)], rng)]
    name = of(("extra", "0", "7", "99", "projection", "neuron", "labels", "Δ", "a" * 3000), rng)
    if name in group:
        return
    form = rng.integers(3)
    if form == 0:
        group.create_group(name)
    else:
        group[name] = of((np.bytes_("text"), whole(rng) >> 1, real(rng), np.zeros(3)), rng)


def linked(file: h5py.File, rng: Rng) -> None:
    """A link in the place of what it links to: soft, hard, or into another file."""
    names = [*places(file, h5py.Dataset), *places(file, h5py.Group)]
    name, other = of(names, rng), of(names, rng)
    link = of(
        (
            h5py.SoftLink(f"/{other}"),
            h5py.SoftLink(f"/{name}"),
            h5py.ExternalLink("n.h5", other),
            h5py.ExternalLink("/dev/zero", other),
            file[other],
            file,
        ),
        rng,
    )
    del file[name]
    with suppress(ValueError, OSError, RuntimeError):
        file[name] = link


def elsewhere(file: h5py.File, rng: Rng) -> None:
    """Numbers that stand in another file, or in no file."""
    name, values = _array(file, rng)
    shape, kind = np.shape(values), np.asarray(values).dtype
    if not shape:
        return
    del file[name]
    if rng.integers(2):
        size = int(np.prod(shape)) * kind.itemsize
        file.create_dataset(name, shape, kind, external=[("m.bin", 0, size)])
    else:
        layout = h5py.VirtualLayout(shape, kind)
        layout[:] = h5py.VirtualSource("other.h5", "x", shape)
        file.create_virtual_dataset(name, layout)


def other_word(file: h5py.File, rng: Rng) -> None:
    """A type, a code or a schedule of another name, known or not."""
    words = (*TEXTS, *WORDS)
    named = [n for n in places(file, h5py.Dataset) if file[n].dtype.kind == "S"]
    text = of(words, rng)
    raw = of((text.encode("utf-8", "replace"), b"\xff\xfe", text.encode("utf-16", "replace")), rng)
    if named and rng.integers(2):
        _replace(file, of(named, rng), np.bytes_(raw))
        return
    keys = [key for key in file.attrs if isinstance(file.attrs[key], str | bytes)]
    if keys:
        file.attrs[of(keys, rng)] = of((np.bytes_(raw), text.replace("\0", "0")), rng)


def name_of_layer(file: h5py.File, rng: Rng) -> None:
    """A name that another layer has, or that means something elsewhere."""
    group = file[of([n for n in places(file, h5py.Group) if "name" in file[n].attrs], rng)]
    names = [each.attrs.get("name", b"") for each in file["layer"].values()]
    texts = (*(t.replace("\0", "0").encode() for t in TEXTS), *names)
    group.attrs["name"] = of(texts, rng) if rng.integers(4) else whole(rng)


def attribute(file: h5py.File, rng: Rng) -> None:
    """An attribute with another number, another shape, or gone."""
    keys = [*file.attrs]
    key, form = of(keys, rng), rng.integers(6)
    if form == 0:
        del file.attrs[key]
    elif form == 1:
        file.attrs[key] = whole(rng)
    elif form == 2:
        file.attrs[key] = real(rng)
    elif form == 3:
        file.attrs[key] = np.array([real(rng)] * int(rng.integers(0, 5)))
    elif form == 4:
        file.attrs[key] = h5py.Empty("f8")
    else:
        for index in range(int(of((1, 70, 300), rng))):
            file.attrs[f"more{index}"] = real(rng)


def swapped_layers(file: h5py.File, rng: Rng) -> None:
    """Layers in another order, or one of them twice."""
    layers = file["layer"]
    names = [*layers]
    first, second = of(names, rng), of(names, rng)
    if first == second:
        file.copy(layers[first], layers, str(len(names)))
        return
    layers.move(first, "swapped")
    layers.move(second, first)
    layers.move("swapped", second)


def other_group(file: h5py.File, rng: Rng) -> None:
    """A group or an array of one layer in the place of another's."""
    kinds = (h5py.Group, h5py.Dataset)
    names = places(file, of(kinds, rng))
    name = of(names, rng)
    same = [each for each in names if each.rpartition("/")[2] == name.rpartition("/")[2]]
    other = of(same, rng)
    if name == other or other.startswith(f"{name}/") or name.startswith(f"{other}/"):
        return
    del file[name]
    file.copy(other, name)


WORDS = (
    *("input", "flatten", "conv", "dense", "CUBA", "CUBA_ATF", "CUBA_ATF_GRADED", "CUBA_DELTA"),
    *("CUBA_DELTA_OUT", "CUBA_CURRENT", "CUBA_SOFT", "CUBA_SOFT_OFFSET", "CUBA_COPIES"),
    *("CUBA_ATF_OUT", "graded", "changes", "bits", "current", "planes", "pipelined"),
    *("sequential", "loihi", "loihi1", "bit-serial", "rate", "offset-spike", "one-spike", "delta"),
)
MUTATIONS: tuple[Mutation, ...] = (
    one_number,
    one_number,
    all_numbers,
    within_the_ranges,
    within_the_ranges,
    other_type,
    other_shape,
    declared_shape,
    filled_bomb,
    other_filter,
    missing,
    one_more,
    linked,
    elsewhere,
    other_word,
    name_of_layer,
    attribute,
    swapped_layers,
    other_group,
)
