"""Floats become integers: the step Δ of each channel, its weights and its bias.

One unit of the membrane is 1/Δ of a level, so w = round(W·Δ/2^e) and B = round(b·Δ), where W and b
are in levels: the half step of QCFS is already part of b. Only weights lose anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Add, Conv, Floats, MatMul, Source, Staircase, per_channel
from snnc.compiler.spiking import (
    Convolution,
    Dense,
    Firing,
    Input,
    Neuron,
    Population,
    Projection,
    Provenance,
    Readout,
    SpikingNetwork,
    planar,
)
from snnc.compiler.target import Target

FINEST_STEP = 64
"""Where weights are large, an exponent makes every Δ at least this: the bias rounds to ½/Δ."""
SEARCHED_FAN_IN = 64
"""Up to this fan-in a slightly smaller Δ may round much better; beyond, the errors average out."""
SEARCHED_STEPS = 48


@dataclass(frozen=True)
class Precision:
    """What weights may be made of."""

    target: Target
    weight_bits: int

    def weight_max(self, weights: Floats) -> int:
        """The largest weight: unsigned where no sign mixes, two's complement without its least."""
        mixed = bool(np.any(weights < 0) and np.any(weights > 0))
        return int((1 << (self.weight_bits - mixed)) - 1)


@dataclass(frozen=True, eq=False)
class _Layer:
    """A population before quantisation: float rows over the levels of its sources."""

    node: Node
    projections: tuple[Node, ...]
    rows: tuple[Floats, ...]
    """For each projection (channels, neurons that differ, fan-in): levels of the result for one
    level of the source. A convolution's neurons are all alike, a matrix' all different."""
    levels: tuple[int, ...]
    """The highest level of each source."""
    bias: Floats

    @property
    def reach(self) -> tuple[Floats, Floats]:
        """The least and the greatest sum of each channel, in levels, without the bias."""
        pairs = list(zip(self.rows, self.levels, strict=True))
        low = sum(np.minimum(rows, 0).sum(2).min(1) * n for rows, n in pairs)
        high = sum(np.maximum(rows, 0).sum(2).max(1) * n for rows, n in pairs)
        return np.asarray(low), np.asarray(high)


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
            layer = _layer(end, nodes, levels)
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


def _layer(end: Node, nodes: Mapping[str, Node], levels: Mapping[str, int]) -> _Layer:
    sums = nodes[end.sources[0]] if isinstance(end.operator, Staircase) else end
    if isinstance(sums.operator, Add):
        projections = tuple(nodes[each] for each in sums.sources)
    else:
        projections = (sums,)
    rows, bias = [], np.zeros(1)
    for node in projections:
        assert isinstance(node.operator, Conv | MatMul)
        alike = isinstance(node.operator, Conv)
        fan_in = node.operator.weights[0].size
        rows.append(node.operator.weights.reshape(end.shape[0], 1 if alike else -1, fan_in))
        bias = per_channel(bias, len(node.shape)) if node.operator.bias.ndim > 1 else bias
        bias = bias + node.operator.bias
    reached = tuple(levels[node.sources[0]] for node in projections)
    return _Layer(end, projections, tuple(rows), reached, bias)


def _population(layer: _Layer, names: Mapping[str, str], precision: Precision) -> Population:
    operator = layer.node.operator
    if isinstance(operator, Staircase):
        layer = replace(layer, bias=_saturated(layer, operator.levels))
        scale = _steps(layer, operator.levels, precision)
        neuron: Neuron = Firing(scale.astype(np.int64), operator.levels)
    else:
        scale = _resolution(layer, precision)
        neuron = Readout(1.0 / scale)
    exponents = [_exponent(rows, scale, precision) for rows in layer.rows]
    projections = tuple(
        _projection(node, names[node.sources[0]], rows, scale, exponent)
        for node, rows, exponent in zip(layer.projections, layer.rows, exponents, strict=True)
    )
    bias = np.round(layer.bias * per_channel(scale, layer.bias.ndim)).astype(np.int64)
    shape = planar(layer.node.shape)
    if bias.ndim > 1:
        bias = bias.reshape(shape)
    return Population(names[layer.node.name], shape, projections, bias, neuron)


def _saturated(layer: _Layer, levels: int) -> Floats:
    """Pull in a bias beyond which the neuron gives 0, or N, whatever arrives: the same result."""
    low, high = (per_channel(each, layer.bias.ndim) for each in layer.reach)
    return np.clip(layer.bias, -high - 1.0, levels + 1.0 - low)


def _steps(layer: _Layer, levels: int, precision: Precision) -> Floats:
    """Δ of each channel: odd, and as large as weights, threshold and state allow."""
    largest = _largest_scale(layer, precision)
    coarsest = float(np.min(largest, where=largest > 0, initial=np.inf))
    shift = max(0, int(np.ceil(np.log2(FINEST_STEP / coarsest)))) if coarsest > 0 else 0
    shift = min(shift, precision.target.max_weight_exponent)
    state = precision.target.state_max
    threshold = state // (2 * (levels + 1))
    steps = np.minimum(
        largest * 2.0**shift, np.minimum(_state_scale(layer, shift, precision), threshold)
    )
    odd = np.floor((np.floor(steps) - 1) / 2) * 2 + 1
    if np.any(odd < 1):
        raise SnncError(_too_large(layer, largest * 2.0**precision.target.max_weight_exponent))
    return _best_rounded(layer, odd, shift)


def _largest_scale(layer: _Layer, precision: Precision) -> Floats:
    """The scale at which the finest of a channel's projections fills its weights."""
    scales = []
    for rows in layer.rows:
        peak = np.abs(rows).max((1, 2))
        scales.append(
            np.divide(
                precision.weight_max(rows), peak, where=peak > 0, out=np.full(len(rows), np.inf)
            )
        )
    finest = np.max(np.where(np.isinf(scales), 0.0, scales), axis=0)
    return np.where(finest > 0, finest, float(precision.weight_max(layer.rows[0])))


def _state_scale(layer: _Layer, shift: int, precision: Precision) -> Floats:
    """The scale up to which every sum, each weight rounded the wrong way, fits the state."""
    low, high = layer.reach
    flat = layer.bias.reshape(len(layer.bias), -1)
    least, most = np.minimum(flat.min(1), 0), np.maximum(flat.max(1), 0)
    span = np.maximum(high + most, -(low + least))
    slack = sum(
        r.shape[2] * n * 2.0 ** (shift - 1) for r, n in zip(layer.rows, layer.levels, strict=True)
    )
    room = precision.target.state_max - slack - 1
    return np.divide(room, span, where=span > 0, out=np.full(len(span), np.inf))


def _too_large(layer: _Layer, largest: Floats) -> Problem:
    worst = 1.0 / largest.min()
    return Problem(
        layer.node.name,
        f"one level of its source moves it by {worst:g} of its threshold; allowed: less than 1 "
        "of what the weights can hold",
        "raise the activation's threshold, or its number of levels",
    )


def _best_rounded(layer: _Layer, steps: Floats, shift: int) -> Floats:
    """Among odd steps up to a quarter smaller, the one whose weights round best."""
    rows = layer.rows[0].reshape(len(steps), -1)
    if rows.shape[1] > SEARCHED_FAN_IN or len(layer.rows) > 1:
        return steps
    offers = 2 * np.round(np.linspace(0, 0.125, SEARCHED_STEPS)[:, None] * steps)
    candidates = np.maximum(steps - offers, 1)
    scaled = rows * (candidates / 2.0**shift)[:, :, None]
    errors = np.square((np.round(scaled) - scaled) / candidates[:, :, None]).sum(2)
    return np.asarray(candidates[errors.argmin(0), np.arange(len(steps))])


def _resolution(layer: _Layer, precision: Precision) -> Floats:
    """Units of the membrane for one unit of the logit: what the weights can hold."""
    return np.minimum(_largest_scale(layer, precision), _state_scale(layer, 0, precision))


def _exponent(rows: Floats, scale: Floats, precision: Precision) -> int:
    """The least shift under which every weight of a projection is in range."""
    peak = float((np.abs(rows).max((1, 2)) * scale).max())
    allowed = precision.weight_max(rows) + 0.5
    return max(0, int(np.ceil(np.log2(peak / allowed)))) if peak > 0 else 0


def _projection(node: Node, source: str, rows: Floats, scale: Floats, exponent: int) -> Projection:
    weights = np.round(rows * per_channel(scale / 2.0**exponent, 3)).astype(np.int64)
    operator = node.operator
    if isinstance(operator, MatMul):
        return Projection(source, Dense(weights.reshape(operator.weights.shape)), exponent)
    assert isinstance(operator, Conv)
    kernel = weights.reshape(*operator.weights.shape[:2], *_planar(operator.kernel, 1))
    befores, afters = (_planar(tuple(side), 0) for side in zip(*operator.borders, strict=True))
    connection = Convolution(
        kernel,
        _planar(operator.strides, 1),
        (*befores, *afters),
        _planar(operator.dilations, 1),
        operator.groups,
    )
    return Projection(source, connection, exponent)


def _planar(sizes: Sequence[int], missing: int) -> tuple[int, int]:
    """One axis of space becomes a row of a plane: (1, length)."""
    return (sizes[0], sizes[1]) if len(sizes) == 2 else (missing, sizes[0])
