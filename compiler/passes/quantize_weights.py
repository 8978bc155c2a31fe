"""Floats become integers: the step Δ of each channel, its weights and its bias.

One unit of the membrane is 1/Δ of a level, so w = round(W·Δ/2^e) and B = round(b·Δ), where W and b
are in levels: the half step of QCFS is already part of b. Only weights lose anything; weights that
are whole numbers times one factor do not (compiler/quantization/grid.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Conv, Floats, MatMul, Source, Staircase, per_channel
from snnc.compiler.quantization.grid import finest_exponent, on_grid, spacing
from snnc.compiler.quantization.layer import Layer, Precision, layer_of, saturated
from snnc.compiler.quantization.scale import exponent, resolution, steps
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Firing,
    Input,
    Integers,
    Population,
    Projection,
    Provenance,
    Readout,
    SpikingNetwork,
    planar,
)


def quantize_weights(
    network: Network, spiking_input: Input, precision: Precision
) -> SpikingNetwork:
    """Lower a composed network to integers.

    Raises:
        SnncError: for every layer whose weights or sums cannot be held by the target.
    """
    nodes = network.by_name
    named = _population_names(network)
    levels = {node.name: _levels(node, spiking_input) for node in network}
    populations: list[Population] = []
    problems: list[Problem] = []
    for end in network:
        if isinstance(end.operator, Staircase) or end is network.output:
            layer = layer_of(end, nodes, levels)
            try:
                populations.append(_population(layer, named, precision))
            except SnncError as error:
                problems.extend(error.problems)
    if problems:
        raise SnncError(*problems)
    provenance = Provenance(target=precision.target.name, remarks=network.remarks)
    return SpikingNetwork(spiking_input, tuple(populations), provenance=provenance)


def _population_names(network: Network) -> Mapping[str, str]:
    """A population is called by its sums, which have the name of the layer the user wrote."""
    names = {node.name: node.name for node in network if isinstance(node.operator, Source)}
    taken = set(names)
    for node in network:
        if isinstance(node.operator, Staircase):
            sums = node.sources[0]
            names[node.name] = sums if sums not in taken else node.name
            taken.add(names[node.name])
    output = network.output.name
    return {**names, output: output if output not in taken else f"{output}.output"}


def _levels(node: Node, spiking_input: Input) -> int:
    if isinstance(node.operator, Staircase):
        return node.operator.levels
    return spiking_input.levels


def _population(layer: Layer, names: Mapping[str, str], precision: Precision) -> Population:
    if isinstance(layer.node.operator, Staircase):
        return _firing(layer, layer.node.operator.levels, names, precision)
    return _readout(layer, names, precision)


def _firing(
    layer: Layer, levels: int, names: Mapping[str, str], precision: Precision
) -> Population:
    layer = replace(layer, bias=saturated(layer, levels))
    r = spacing(layer, precision)
    grid = None if r is None else on_grid(layer, levels, r, precision)
    if r is not None and grid is not None:
        projections = _on_one_grid(layer, names, r, grid.exponent)
        return _made(layer, names, projections, grid.bias, Firing(grid.step, levels))
    scale = steps(layer, levels, precision)
    projections = _rounded(layer, names, scale, precision)
    neuron = Firing(scale.astype(np.int64), levels)
    return _made(layer, names, projections, _bias(layer, scale), neuron)


def _readout(layer: Layer, names: Mapping[str, str], precision: Precision) -> Population:
    r = spacing(layer, precision)
    shift = None if r is None else finest_exponent(layer, r, precision)
    if r is not None and shift is not None:
        scale = 2.0**shift / r
        projections = _on_one_grid(layer, names, r, shift)
    else:
        scale = resolution(layer, precision)
        projections = _rounded(layer, names, scale, precision)
    return _made(layer, names, projections, _bias(layer, scale), Readout(1.0 / scale))


def _made(
    layer: Layer,
    names: Mapping[str, str],
    projections: tuple[Projection, ...],
    bias: Integers,
    neuron: Firing | Readout,
) -> Population:
    shape = planar(layer.node.shape)
    bias = bias.reshape(shape) if bias.ndim > 1 else bias
    return Population(names[layer.node.name], shape, projections, bias, neuron)


def _bias(layer: Layer, scale: Floats) -> Integers:
    return np.asarray(np.round(layer.bias * per_channel(scale, layer.bias.ndim)), np.int64)


def _on_one_grid(
    layer: Layer, names: Mapping[str, str], r: Floats, shift: int
) -> tuple[Projection, ...]:
    """The whole numbers that the weights are."""
    return tuple(
        Projection(
            names[node.sources[0]],
            _connection(node, np.round(rows / r[:, None, None]).astype(np.int64)),
            shift,
        )
        for node, rows in zip(layer.projections, layer.rows, strict=True)
    )


def _rounded(
    layer: Layer, names: Mapping[str, str], scale: Floats, precision: Precision
) -> tuple[Projection, ...]:
    """The nearest whole numbers, shared between two synapses where one is too coarse."""
    found: list[Projection] = []
    for index, node in enumerate(layer.projections):
        wide = precision.doubled or layer.is_narrow(index)
        source = names[node.sources[0]]
        found += _projections(node, source, layer.rows[index], scale, precision, wide=wide)
    return tuple(found)


def _projections(
    node: Node, source: str, rows: Floats, scale: Floats, precision: Precision, *, wide: bool
) -> Iterator[Projection]:
    shift = exponent(rows, scale, precision.weight_max(rows, wide=wide))
    if wide and shift + precision.shift > precision.target.max_weight_exponent:
        shift, wide = exponent(rows, scale, precision.weight_max(rows, wide=False)), False
    weights = np.round(rows * per_channel(scale / 2.0**shift, 3)).astype(np.int64)
    yield from _synapses(node, source, weights, rows, scale, shift, precision.shift if wide else 0)


def _synapses(
    node: Node,
    source: str,
    weights: Integers,
    rows: Floats,
    scale: Floats,
    shift: int,
    doubled: int,
) -> Iterator[Projection]:
    """One projection; or two, the upper worth 2^doubled of the lower, where that is needed."""
    error = _error(weights * 2.0**shift / per_channel(scale, 3), rows)
    half = (1 << doubled) >> 1
    lower = ((weights + half) & ((1 << doubled) - 1)) - half if doubled else weights
    parts = ((lower, shift), ((weights - lower) >> doubled, shift + doubled))
    if np.abs(weights).max() < 1 << doubled:
        parts = ((weights, shift), (np.zeros_like(weights), shift))
    for values, each in parts:
        if values.any() or values is parts[0][0]:
            yield Projection(source, _connection(node, values), each, error)


def _error(found: Floats, rows: Floats) -> float:
    """How far rounded weights are from the float ones, relative to these."""
    size = float(np.linalg.norm(rows))
    return float(np.linalg.norm(found - rows)) / size if size else 0.0


def _connection(node: Node, weights: Integers) -> Connection:
    operator = node.operator
    if isinstance(operator, MatMul):
        return Dense(weights.reshape(operator.weights.shape))
    assert isinstance(operator, Conv)
    kernel = weights.reshape(*operator.weights.shape[:2], *_planar(operator.kernel, 1))
    befores, afters = (_planar(tuple(side), 0) for side in zip(*operator.borders, strict=True))
    return Convolution(
        kernel,
        _planar(operator.strides, 1),
        (*befores, *afters),
        _planar(operator.dilations, 1),
        operator.groups,
    )


def _planar(sizes: Sequence[int], missing: int) -> tuple[int, int]:
    """One axis of space becomes a row of a plane: (1, length)."""
    return (sizes[0], sizes[1]) if len(sizes) == 2 else (missing, sizes[0])
