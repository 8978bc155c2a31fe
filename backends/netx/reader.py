"""A netx file (schema.py) becomes a spiking network again, once nothing in it is left to trust."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import cast, get_args

import h5py
import numpy as np

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import (
    ANY,
    MEND,
    fault,
    integer_of,
    read_floats,
    read_group,
    read_integer,
    read_integers,
    read_pair,
    read_word,
    read_words,
    text_of,
    word_of,
)
from snnc.backends.netx.copies import collapsed, repeated
from snnc.backends.netx.inputs import read_input
from snnc.backends.netx.laws import BY_NAME, LAWS, read_neuron
from snnc.backends.netx.placement import read_placement
from snnc.backends.netx.stock import runs_in_stock_netx
from snnc.backends.netx.survey import require_plain
from snnc.compiler.codes import CODES
from snnc.compiler.errors import Problem, SnncError, refusal, shortened
from snnc.compiler.files import require_regular
from snnc.compiler.laws import Copies, Integers
from snnc.compiler.limits import EXPONENT, EXTENT, MOST_NEURONS, PAD, STATE, SWITCH, WEIGHT
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Population,
    Projection,
    Provenance,
    Schedule,
    SpikingNetwork,
)
from snnc.compiler.target import ALIASES, TARGETS, find_target


def read(path: Path) -> SpikingNetwork:
    """Read a file that snnc wrote; neither PyTorch nor Lava is needed.

    Raises:
        SnncError: with every fault found in the layers, or in the network that they make.
    """
    with _faults_of_hdf5(path):
        require_regular(path, "name a file that snnc compile wrote")
        with h5py.File(path, "r") as file:
            require_plain(file)
            network = _network(file)
    try:
        with _faults_of_hdf5(path):
            require_legal(network)
    except SnncError as error:
        problems = (replace(each, where=f"{path} {each.where}") for each in error.problems)
        raise SnncError(*problems) from error
    return network


UNREADABLE = (
    OSError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    TypeError,
    ValueError,
    MemoryError,
)
"""What h5py and NumPy raise over a file that is damaged, or is something else."""


@contextmanager
def _faults_of_hdf5(path: Path) -> Iterator[None]:
    """The one place where a fault that the HDF5 library finds becomes a message."""
    try:
        yield
    except FileNotFoundError as error:
        raise refusal(str(path), "the file does not exist", "run snnc compile first") from error
    except UNREADABLE as error:
        reason = shortened(str(error) or type(error).__name__)
        raise refusal(str(path), f"cannot be read as HDF5 ({reason})", MEND) from error


def _network(file: h5py.File) -> SpikingNetwork:
    _require_version(file)
    schedule = word_of(file, schema.SCHEDULE, *get_args(Schedule))
    layers = _layers(read_group(file, schema.LAYER))
    populations: list[Population] = []
    problems: list[Problem] = []
    for index, layer in enumerate(layers):
        if layer.kind in (schema.CONVOLUTION, schema.DENSE):
            try:
                populations.append(_population(layer, layers[:index]))
            except SnncError as error:
                problems += error.problems
    if problems:
        raise SnncError(*problems)
    network = SpikingNetwork(
        read_input(file, layers[0].name, layers[0].shape),
        tuple(populations),
        cast(Schedule, schedule),
        find_target(word_of(file, schema.TARGET, *TARGETS, *ALIASES)),
        word_of(file, schema.CODE, *CODES),
        _provenance(file),
        read_placement(file),
    )
    for layer in layers:
        if _is_stock(layer) and not runs_in_stock_netx(network):
            what = f"it says {schema.STOCK!r}, and stock netx would build another network"
            raise fault(layer.group, what, f"{schema.NEURON}/{schema.TYPE}")
    return network


def _is_stock(layer: _Layer) -> bool:
    if layer.kind not in (schema.CONVOLUTION, schema.DENSE):
        return False
    neuron = read_group(layer.group, schema.NEURON)
    return read_word(neuron, schema.TYPE, schema.STOCK, *BY_NAME) == schema.STOCK


def _require_version(file: h5py.File) -> None:
    found = integer_of(file, schema.SCHEMA_VERSION)
    if found != schema.VERSION:
        what = f"schema version {found}; allowed: {schema.VERSION}"
        raise refusal(file.filename, what, "compile the model again with this snnc")


def _provenance(file: h5py.File) -> Provenance:
    return Provenance(
        source_sha256=text_of(file, schema.SOURCE_SHA256),
        labels=read_words(file, schema.LABELS),
        remarks=read_words(file, schema.REMARKS),
    )


@dataclass(frozen=True)
class _Layer:
    """What a later layer needs to know of one: whose levels it sends, and in what shape."""

    group: h5py.Group
    kind: str
    name: str
    shape: tuple[int, ...]
    copies: int = 1


def _layers(root: h5py.Group) -> list[_Layer]:
    layers: list[_Layer] = []
    for index in range(len(root)):
        layers.append(_layer(read_group(root, str(index)), layers))
    if not layers:
        raise fault(root, "no layers; at least an input is needed")
    return layers


def _layer(group: h5py.Group, before: list[_Layer]) -> _Layer:
    kinds = (schema.FLATTEN, schema.CONVOLUTION, schema.DENSE) if before else (schema.INPUT,)
    kind = read_word(group, schema.TYPE, *kinds)
    name = text_of(group, schema.NAME)
    shape = tuple(map(int, read_integers(group, schema.SHAPE, ANY, (1,), (3,))))
    if min(shape) < 1 or prod(shape) > MOST_NEURONS:
        what = f"shape {shape}; allowed: 1..{MOST_NEURONS} neurons"
        raise fault(group, what, schema.SHAPE)
    if kind == schema.FLATTEN:
        source = _source(group, before)
        if shape != (prod(source.shape),):
            raise fault(group, f"{shape}; allowed: ({prod(source.shape)},)", schema.SHAPE)
        return _Layer(group, kind, source.name, source.shape, source.copies)
    return _Layer(group, kind, name, shape, 1 if kind == schema.INPUT else _copies(group, shape))


def _copies(group: h5py.Group, shape: tuple[int, ...]) -> int:
    neuron = read_group(group, schema.NEURON)
    if schema.COPIES not in neuron:
        return 1
    read_word(neuron, schema.TYPE, schema.STOCK, LAWS[Copies].type_name)
    found = read_integer(neuron, schema.COPIES)
    if found < 1 or shape[0] % found:
        what = f"{found}; allowed: what divides {shape[0]} channels"
        raise fault(neuron, what, schema.COPIES)
    return found


def _source(group: h5py.Group, before: list[_Layer]) -> _Layer:
    index = int(read_integers(group, schema.SOURCE, ANY, (1,))[0])
    if not 0 <= index < len(before):
        raise fault(group, f"layer {index}; allowed: 0..{len(before) - 1}", schema.SOURCE)
    return before[index]


def _population(layer: _Layer, before: list[_Layer]) -> Population:
    groups = [layer.group]
    if schema.PROJECTION in layer.group:
        further = read_group(layer.group, schema.PROJECTION)
        groups += [read_group(further, str(k)) for k in range(len(further))]
    copies = layer.copies
    shape = (layer.shape[0] // copies, *layer.shape[1:])
    return Population(
        layer.name,
        shape,
        tuple(_projection(each, layer, before) for each in groups),
        _bias(layer),
        read_neuron(read_group(layer.group, schema.NEURON), shape, copies),
        bool(read_integer(layer.group, schema.RELAY, SWITCH)),
    )


def _bias(layer: _Layer) -> Integers:
    bias = read_integers(layer.group, schema.BIAS, STATE, layer.shape[:1], layer.shape)
    first = bias[:: layer.copies]
    if layer.copies > 1 and not np.array_equal(bias, repeated(first, layer.copies)):
        raise fault(layer.group, "the copies of a neuron differ; allowed: one value", schema.BIAS)
    return first


def _projection(group: h5py.Group, layer: _Layer, before: list[_Layer]) -> Projection:
    source = _source(group, before)
    connection: Connection
    if read_word(group, schema.TYPE, schema.CONVOLUTION, schema.DENSE) == schema.CONVOLUTION:
        connection = _convolution(group, layer.shape)
        shapes = (source.shape, layer.shape)
    else:
        if source.kind != schema.FLATTEN and len(source.shape) != 1:
            what = f"a dense layer listens to {source.shape}; allowed: (neurons,)"
            raise fault(group, what, schema.SOURCE)
        sizes = (prod(layer.shape), prod(source.shape))
        connection = Dense(read_integers(group, schema.WEIGHT, WEIGHT, sizes))
        shapes = (source.shape, layer.shape)
    found: Connection | None = connection
    if (source.copies, layer.copies) != (1, 1):
        found = collapsed(connection, shapes, (source.copies, layer.copies))
    if found is None:
        raise fault(group, "the copies of a neuron differ; allowed: one set", schema.WEIGHT)
    return Projection(source.name, found, *_scaling(group))


def _scaling(group: h5py.Group) -> tuple[int, float]:
    error = float(read_floats(group, schema.WEIGHT_ERROR, ()))
    if not error >= 0:
        raise fault(group, f"{error}; allowed: 0 or more", schema.WEIGHT_ERROR)
    return read_integer(group, schema.WEIGHT_EXPONENT, EXPONENT), error


def _convolution(group: h5py.Group, shape: tuple[int, ...]) -> Convolution:
    pads = tuple(map(int, read_integers(group, schema.PADDING, PAD, (2,), (4,))))
    return Convolution(
        read_integers(group, schema.WEIGHT, WEIGHT, (shape[0], None, None, None)),
        read_pair(group, schema.STRIDE, EXTENT),
        cast(tuple[int, int, int, int], pads * (4 // len(pads))),
        read_pair(group, schema.DILATION, EXTENT),
        read_integer(group, schema.GROUPS, EXTENT),
    )
