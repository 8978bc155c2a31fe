"""A spiking network becomes a netx file (schema.py), the same bytes each time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from snnc.backends.netx import schema
from snnc.compiler.errors import refusal
from snnc.compiler.legality import verify
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Firing,
    Neuron,
    Population,
    Projection,
    SpikingNetwork,
)
from snnc.compiler.target import find_target


def write(network: SpikingNetwork, path: Path) -> None:
    """Write a network that obeys every rule; a reader of path sees all of the file or none.

    Raises:
        SnncError: for an illegal network, or a path that cannot be written.
    """
    verify(network, find_target(network.provenance.target))
    try:
        with _replacing(path) as partial, h5py.File(partial, "w") as file:
            _write_header(file, network)
            _write_layers(file.create_group(schema.LAYER), network)
    except (OSError, RuntimeError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise refusal(str(path), f"cannot be written: {reason}", "choose another -o") from error


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A path in the same folder that becomes the path asked for, unless something fails."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _write_header(file: h5py.File, network: SpikingNetwork) -> None:
    source, provenance = network.input, network.provenance
    for key, text in (
        (schema.SNNC_VERSION, version("snnc")),
        (schema.CODE, provenance.code),
        (schema.TARGET, provenance.target),
        (schema.SCHEDULE, network.schedule),
        (schema.SOURCE_SHA256, provenance.source_sha256),
        (schema.INPUT_CODE, source.code),
    ):
        file.attrs[key] = _texts(text)[0]
    file.attrs[schema.SCHEMA_VERSION] = schema.VERSION
    file.attrs[schema.INPUT_LEVELS] = source.levels
    file.attrs[schema.INPUT_LOW] = source.low
    file.attrs[schema.INPUT_STEP] = source.step
    file.attrs[schema.INPUT_MEAN] = np.array(source.mean, np.float64)
    file.attrs[schema.INPUT_STD] = np.array(source.std, np.float64)
    for key, texts in ((schema.LABELS, provenance.labels), (schema.REMARKS, provenance.remarks)):
        if texts:
            file[key] = _texts(*texts)


def _texts(*texts: str) -> npt.NDArray[np.bytes_]:
    """UTF-8 of one fixed length for all."""
    encoded = np.array([each.encode() for each in texts])
    return encoded.astype(h5py.string_dtype("utf-8", encoded.dtype.itemsize))


def _write_layers(root: h5py.Group, network: SpikingNetwork) -> None:
    """Number the layers; a flatten layer stands before the population that listens through it."""
    layers = _Layers(root)
    layers.add(network.input.name, schema.INPUT, network.input.shape)
    indices = {network.input.name: 0}
    shapes = {name: node.shape for name, node in network.nodes.items()}
    for population in network:
        sources = [
            layers.flattened(indices[each.source], shapes[each.source])
            if isinstance(each.connection, Dense) and len(shapes[each.source]) > 1
            else indices[each.source]
            for each in population.projections
        ]
        indices[population.name] = layers.count
        _write_population(layers, population, sources)


class _Layers:
    """The numbered groups of a file, written in order."""

    def __init__(self, root: h5py.Group) -> None:
        self.root = root
        self.count = 0

    def add(self, name: str, kind: str, shape: tuple[int, ...]) -> h5py.Group:
        group = self.root.create_group(str(self.count))
        self.count += 1
        group.attrs[schema.NAME] = _texts(name)[0]
        group[schema.TYPE] = np.bytes_(kind)
        group[schema.SHAPE] = np.array(shape, schema.COUNT_TYPE)
        return group

    def flattened(self, source: int, shape: tuple[int, ...]) -> int:
        group = self.add(f"{schema.FLATTEN} {source}", schema.FLATTEN, (int(np.prod(shape)),))
        group[schema.SOURCE] = np.array([source], schema.COUNT_TYPE)
        return self.count - 1


def _write_population(layers: _Layers, population: Population, sources: list[int]) -> None:
    kind = _type_of(population.projections[0].connection)
    group = layers.add(population.name, kind, population.shape)
    _write_projection(group, population.projections[0], sources[0])
    for k, (each, source) in enumerate(zip(population.projections[1:], sources[1:], strict=True)):
        further = group.create_group(f"{schema.PROJECTION}/{k}")
        further[schema.TYPE] = np.bytes_(_type_of(each.connection))
        _write_projection(further, each, source)
    _write_array(group, schema.BIAS, population.bias.astype(schema.STATE_TYPE))
    _write_neuron(group.create_group(schema.NEURON), population.neuron)


def _type_of(connection: Connection) -> str:
    return schema.DENSE if isinstance(connection, Dense) else schema.CONVOLUTION


def _write_projection(group: h5py.Group, projection: Projection, source: int) -> None:
    group[schema.SOURCE] = np.array([source], schema.COUNT_TYPE)
    weights = projection.connection.weights.astype(schema.WEIGHT_TYPE)
    _write_array(group, schema.WEIGHT, weights)
    group[schema.WEIGHT_EXPONENT] = schema.COUNT_TYPE(projection.exponent)
    group[schema.WEIGHT_ERROR] = np.float64(projection.error)
    if isinstance(projection.connection, Convolution):
        _write_geometry(group, projection.connection)


def _write_geometry(group: h5py.Group, convolution: Convolution) -> None:
    top, left, bottom, right = convolution.pads
    pads = (top, left) if (top, left) == (bottom, right) else convolution.pads
    outputs, inputs, *kernel = convolution.weights.shape
    for key, numbers in (
        (schema.STRIDE, convolution.strides),
        (schema.PADDING, pads),
        (schema.DILATION, convolution.dilations),
        (schema.GROUPS, convolution.groups),
        (schema.IN_CHANNELS, inputs * convolution.groups),
        (schema.OUT_CHANNELS, outputs),
        (schema.KERNEL_SIZE, kernel),
    ):
        group[key] = np.array(numbers, schema.COUNT_TYPE)


def _write_neuron(group: h5py.Group, neuron: Neuron) -> None:
    group[schema.CURRENT_DECAY] = group[schema.POTENTIAL_DECAY] = schema.COUNT_TYPE(0)
    if isinstance(neuron, Firing):
        group[schema.TYPE] = np.bytes_(schema.FIRING)
        _write_array(group, schema.STEP, neuron.step.astype(schema.STATE_TYPE))
        group[schema.LEVELS] = schema.COUNT_TYPE(neuron.levels)
        group[schema.TIME_STEPS] = schema.COUNT_TYPE(neuron.time_steps)
    else:
        group[schema.TYPE] = np.bytes_(schema.READOUT)
        _write_array(group, schema.UNIT, neuron.unit)


def _write_array(group: h5py.Group, key: str, values: npt.NDArray[np.generic]) -> None:
    if values.size > schema.MAX_NUMBERS:
        what = f"{key} has {values.size} numbers; allowed: {schema.MAX_NUMBERS}"
        raise refusal(group.name.strip("/"), what, "use a smaller layer")
    group.create_dataset(key, data=values, compression="gzip", shuffle=True)
