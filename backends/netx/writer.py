"""A spiking network becomes a netx file (schema.py), the same bytes each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import cast

import h5py
import numpy as np

from snnc.backends.files import write_bytes
from snnc.backends.netx import schema
from snnc.backends.netx.arrays import texts, write_array
from snnc.backends.netx.copies import expanded, repeated
from snnc.backends.netx.inputs import write_input
from snnc.backends.netx.laws import write_neuron
from snnc.backends.netx.placement import write_placement
from snnc.backends.netx.stock import runs_in_stock_netx
from snnc.compiler.errors import refusal
from snnc.compiler.laws import Integers
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Node,
    Population,
    Projection,
    SpikingNetwork,
)


def write(network: SpikingNetwork, path: Path, *, inputs: Sequence[Path] = ()) -> None:
    """Write a network that obeys every rule; a reader of path sees all of the file or none.

    Args:
        network: any.
        path: the file to write.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for an illegal network, or a path that cannot be written.
    """
    write_bytes(path, content_of(network), inputs=inputs)


def content_of(network: SpikingNetwork) -> bytes:
    """The bytes of the file of a network.

    HDF5 never sees the disk, where it does not survive a write that fails.

    Raises:
        SnncError: for an illegal network.
    """
    require_legal(network)
    with h5py.File(
        "network.h5", "w", driver="core", backing_store=False, libver="earliest"
    ) as file:
        _write_header(file, network)
        _write_layers(file.create_group(schema.LAYER), network)
        if network.placement is not None:
            write_placement(file.create_group(schema.MAPPING), network.placement)
        file.flush()
        image: bytes = file.id.get_file_image()
    return image


def _write_header(file: h5py.File, network: SpikingNetwork) -> None:
    """Write where a network came from, its schedule and its input."""
    provenance = network.provenance
    for key, text in (
        (schema.SNNC_VERSION, version("snnc")),
        (schema.CODE, network.code),
        (schema.TARGET, network.target.name),
        (schema.SCHEDULE, network.schedule),
        (schema.SOURCE_SHA256, provenance.source_sha256),
    ):
        file.attrs[key] = texts(text)[0]
    file.attrs[schema.SCHEMA_VERSION] = schema.VERSION
    write_input(file, network.input)
    for key, lines in ((schema.LABELS, provenance.labels), (schema.REMARKS, provenance.remarks)):
        if lines:
            file[key] = texts(*lines)


def _write_layers(root: h5py.Group, network: SpikingNetwork) -> None:
    """Number the layers; a flatten layer stands before the population that listens through it."""
    layers = _Layers(root)
    layers.add(network.input.name, schema.INPUT, network.input.shape)
    indices = {network.input.name: 0}
    nodes = network.nodes
    stock = runs_in_stock_netx(network)
    for population in network:
        sources = [nodes[each.source] for each in population.projections]
        places = [
            layers.flattened(indices[node.name], _shape(node))
            if isinstance(each.connection, Dense) and len(node.shape) > 1
            else indices[node.name]
            for node, each in zip(sources, population.projections, strict=True)
        ]
        indices[population.name] = layers.count
        projections = [
            _between_copies(each, node, population)
            for node, each in zip(sources, population.projections, strict=True)
        ]
        _write_population(layers, population, projections, places, stock=stock)


def _shape(node: Node) -> tuple[int, ...]:
    return (node.shape[0] * node.sends.copies, *node.shape[1:])


def _between_copies(projection: Projection, source: Node, population: Population) -> Projection:
    """The projection as often as its neurons have copies."""
    copies, connection = (source.sends.copies, population.neuron.copies), projection.connection
    if copies == (1, 1):
        return projection
    numbers = connection.weights.size * copies[0] * copies[1]
    if numbers > schema.MAX_NUMBERS:
        what = f"{numbers} weights between the copies of neurons; allowed: {schema.MAX_NUMBERS}"
        raise refusal(population.name, what, "compile with fewer `timesteps`, or another `code`")
    weights = cast(Integers, connection.weights.astype(schema.WEIGHT_TYPE))
    shapes = (source.shape, population.shape)
    narrow = replace(connection, weights=weights)
    return replace(projection, connection=expanded(narrow, shapes, copies))


def _begin_layer(group: h5py.Group, name: str, kind: str, shape: tuple[int, ...]) -> None:
    """Fill what every layer has."""
    group.attrs[schema.NAME] = texts(name)[0]
    group[schema.TYPE] = np.bytes_(kind)
    group[schema.SHAPE] = np.array(shape, schema.COUNT_TYPE)


class _Layers:
    """The numbered groups of a file, written in order."""

    def __init__(self, root: h5py.Group) -> None:
        self.root = root
        self.count = 0

    def add(self, name: str, kind: str, shape: tuple[int, ...]) -> h5py.Group:
        group = self.root.create_group(str(self.count))
        self.count += 1
        _begin_layer(group, name, kind, shape)
        return group

    def flattened(self, source: int, shape: tuple[int, ...]) -> int:
        group = self.add(f"{schema.FLATTEN} {source}", schema.FLATTEN, (int(np.prod(shape)),))
        group[schema.SOURCE] = np.array([source], schema.COUNT_TYPE)
        return self.count - 1


def _write_population(
    layers: _Layers,
    population: Population,
    projections: Sequence[Projection],
    sources: Sequence[int],
    *,
    stock: bool,
) -> None:
    group = layers.add(population.name, _type_of(projections[0].connection), _shape(population))
    _write_projection(group, projections[0], sources[0])
    for k, (each, source) in enumerate(zip(projections[1:], sources[1:], strict=True)):
        further = group.create_group(f"{schema.PROJECTION}/{k}")
        further[schema.TYPE] = np.bytes_(_type_of(each.connection))
        _write_projection(further, each, source)
    bias = repeated(population.bias, population.neuron.copies)
    write_array(group, schema.BIAS, bias.astype(schema.STATE_TYPE))
    group[schema.RELAY] = schema.COUNT_TYPE(population.is_relay)
    write_neuron(group.create_group(schema.NEURON), population.neuron, stock=stock)


def _type_of(connection: Connection) -> str:
    return schema.DENSE if isinstance(connection, Dense) else schema.CONVOLUTION


def _write_projection(group: h5py.Group, projection: Projection, source: int) -> None:
    group[schema.SOURCE] = np.array([source], schema.COUNT_TYPE)
    weights = projection.connection.weights.astype(schema.WEIGHT_TYPE)
    write_array(group, schema.WEIGHT, weights)
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
