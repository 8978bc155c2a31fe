"""Floats become integers: the step Δ of each channel, its weights and its bias.

One unit of the membrane is 1/Δ of a level, so w = round(W·Δ/2^e) and B = round(b·Δ), where W and b
are in levels: the half step of QCFS is already part of b. Only weights lose anything; weights that
are whole numbers times one factor do not (compiler/quantization/grid.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from types import MappingProxyType

import numpy as np

from snnc.compiler.codes import Coding
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Network, Node
from snnc.compiler.neurons import BitSerial, Firing, Graded, Integers, Readout
from snnc.compiler.operators import Floats, Source, Staircase, per_channel
from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.quantization.grid import (
    Grid,
    finest_exponent,
    finest_step,
    multiple,
    on_grid,
    spacing,
)
from snnc.compiler.quantization.layer import Layer, Precision, layer_of, saturated
from snnc.compiler.quantization.rounding import clipped
from snnc.compiler.quantization.scale import bias_room, resolution, steps
from snnc.compiler.quantization.spikes import in_spikes
from snnc.compiler.quantization.synapses import on_one_grid, rounded
from snnc.compiler.spiking import (
    Input,
    Population,
    Projection,
    Provenance,
    SpikingNetwork,
    planar,
)

BIT_SERIAL = Coding()


def quantize_weights(
    network: Network,
    spiking_input: Input,
    precision: Precision,
    heard: Mapping[str, Statistics] = MappingProxyType({}),
    coding: Coding = BIT_SERIAL,
) -> SpikingNetwork:
    """Lower a composed network to integers; with error feedback where statistics are given.

    Of the codes that count spikes the result is the rate network.

    Raises:
        SnncError: for every layer whose weights or sums cannot be held by the target.
    """
    nodes = network.by_name
    named = _population_names(network)
    levels = {node.name: _levels(node, spiking_input) for node in network}
    populations: list[Population] = []
    problems: list[Problem] = []
    grids: list[Grid] = []
    for end in network:
        if isinstance(end.operator, Staircase) or end is network.output:
            layer = layer_of(end, nodes, levels, heard)
            try:
                if coding.counts_spikes:
                    constant = [_is_constant(each, nodes) for each in layer.projections]
                    layer = in_spikes(layer, constant, coding)
                populations.append(_population(layer, named, precision, grids, coding))
            except SnncError as error:
                problems.extend(error.problems)
    if problems:
        raise SnncError(*problems)
    remarks = (*network.remarks, *_taken_over(grids), *_coarse(populations, precision))
    provenance = Provenance(target=precision.target.name, remarks=remarks)
    return SpikingNetwork(spiking_input, tuple(populations), provenance=provenance)


def _is_constant(projection: Node, nodes: Mapping[str, Node]) -> bool:
    return isinstance(nodes[projection.sources[0]].operator, Source)


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


def _taken_over(grids: list[Grid]) -> Iterator[str]:
    """What the owner of a quantised model wants to know: whether every threshold is met."""
    moved, thresholds = sum(g.moved for g in grids), sum(g.thresholds for g in grids)
    if moved:
        yield (
            f"the weights of {len(grids)} layers are whole numbers already and stay unchanged; "
            f"{moved} of their {thresholds} thresholds are met one unit of the sum too early or "
            "too late, for want of more than 24 bits"
        )


def _coarse(populations: Sequence[Population], precision: Precision) -> Iterator[str]:
    """What the owner wants to know of layers whose sums leave their weights few bits."""
    largest = {each.name: _largest_weight(each) for each in populations}
    least = (1 << precision.synapse_bits) >> 3
    coarse = {name: weight for name, weight in largest.items() if 0 < weight < least}
    if coarse:
        name, weight = min(coarse.items(), key=itemgetter(1))
        yield (
            f"{len(coarse)} layers cannot use the bits of their weights, {name} with weights up to "
            f"{weight} least of all: all that they hear must fit {precision.target.state_bits} "
            "bits; fewer --timesteps or --input-bits leave more"
        )


def _largest_weight(population: Population) -> int:
    """Of the projections that were rounded; 0 if none was."""
    rounded_ones = [each for each in population.projections if each.error]
    return max((int(np.abs(e.connection.weights).max()) for e in rounded_ones), default=0)


def _population(
    layer: Layer,
    names: Mapping[str, str],
    precision: Precision,
    grids: list[Grid],
    coding: Coding,
) -> Population:
    if not isinstance(layer.node.operator, Staircase):
        return _readout(layer, names, precision, coding)
    if coding.counts_spikes:
        return _rate(layer, names, precision, coding)
    return _firing(layer, layer.node.operator.levels, names, precision, grids, coding)


def _firing(
    layer: Layer,
    levels: int,
    names: Mapping[str, str],
    precision: Precision,
    grids: list[Grid],
    coding: Coding,
) -> Population:
    law = Graded if coding.code == "graded" else BitSerial
    layer = replace(layer, bias=saturated(layer, levels))
    r = spacing(layer, precision)
    grid = None if r is None else on_grid(layer, levels, r, precision)
    if r is not None and grid is not None:
        grids.append(grid)
        projections = on_one_grid(layer, names, r, grid.exponent)
        return _made(layer, names, projections, grid.bias, law(grid.step, levels))
    layer = clipped(layer, precision)
    scale = steps(layer, levels, precision)
    projections, bias = rounded(layer, names, scale, precision)
    neuron = law(scale.astype(np.int64), levels)
    return _made(layer, names, projections, _whole(bias, scale), neuron)


def _rate(
    layer: Layer, names: Mapping[str, str], precision: Precision, coding: Coding
) -> Population:
    r = spacing(layer, precision)
    found = None if r is None else finest_step(layer, r, precision)
    room = bias_room(layer, precision)
    if r is not None and found is not None and np.all(found[0] <= room):
        step, shift = found
        times = np.minimum(multiple(layer, r, shift, precision), np.floor(room / step))
        step = step * times.astype(np.int64)
        projections = on_one_grid(layer, names, r / times, shift)
        bias = _whole(layer.bias, step.astype(np.float64))
        return _made(layer, names, projections, bias, coding.neuron(step))
    layer = clipped(layer, precision)
    scale = steps(layer, 1, precision)
    projections, real = rounded(layer, names, scale, precision)
    return _made(
        layer, names, projections, _whole(real, scale), coding.neuron(scale.astype(np.int64))
    )


def _readout(
    layer: Layer, names: Mapping[str, str], precision: Precision, coding: Coding
) -> Population:
    r = spacing(layer, precision)
    shift = None if r is None else finest_exponent(layer, r, precision)
    if r is not None and shift is not None:
        scale, bias = 2.0**shift / r, layer.bias
        projections = on_one_grid(layer, names, r, shift)
    else:
        layer = clipped(layer, precision)
        scale = resolution(layer, precision)
        projections, bias = rounded(layer, names, scale, precision)
    times = layer.time_steps
    neuron = Readout(1.0 / (scale * times), coding.steps if coding.counts_spikes else 0)
    return _made(layer, names, projections, _whole(bias * times, scale), neuron)


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


def _whole(bias: Floats, scale: Floats) -> Integers:
    return np.asarray(np.round(bias * per_channel(scale, bias.ndim)), np.int64)
