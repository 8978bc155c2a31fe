"""The projections of a population in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.network import Node
from snnc.compiler.operators import Conv, Floats, MatMul
from snnc.compiler.quantization.common_factors import WholeRows
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.rounding import Rounded, round_projection
from snnc.compiler.quantization.scale import is_wide
from snnc.compiler.spiking import Connection, Convolution, Dense, Projection


def most_times(layer: Layer, rows: WholeRows, precision: Precision) -> tuple[Integers, ...]:
    """For each exponent how often each channel's whole weights fit into those of the chip.

    Those that may be shared between two synapses are not shifted besides.
    """
    reduced = [in_one_synapse(each, precision) for each in rows.weights]
    alone = [times_held(each, precision, wide=False) for each, _ in reduced]
    most = precision.target.max_weight_exponent
    shared = [
        times_held(each, precision, wide=True)
        if is_wide(layer, k, precision) and precision.shift <= most
        else alone[k]
        for k, each in enumerate(rows.weights)
    ]
    room = most - max(shift for _, shift in reduced)
    ones = np.min(alone, axis=0)
    return (np.min(shared, axis=0), *[ones] * room, *[0 * ones] * (most - room))


def in_one_synapse(weights: Integers, precision: Precision) -> tuple[Integers, int]:
    """Weights without the power of 2 that keeps them from one synapse, and its exponent.

    The weights themselves and 0, if they fit or nothing helps.
    """
    bits = int(np.bitwise_or.reduce(weights, axis=None))
    shift = 0
    while times_held(weights >> shift, precision, wide=False).min() < 1:
        if bits >> shift & 1 or shift == precision.target.max_weight_exponent:
            return weights, 0
        shift += 1
    return weights >> shift, shift


def times_held(weights: Integers, precision: Precision, *, wide: bool) -> Integers:
    """How often the weights of each channel fit."""
    peak = np.maximum(np.abs(weights).max((1, 2)), 1)
    found = precision.weight_max(weights.astype(np.float64), wide=wide) // peak
    # two's complement has one number more below 0
    half = 1 << (precision.synapse_bits - 1)
    once = (weights.min((1, 2)) >= -half) & (weights.max((1, 2)) < half)
    return np.asarray(np.maximum(found, once), np.int64)


def taken_over(
    layer: Layer,
    names: Mapping[str, str],
    rows: WholeRows,
    shift: int,
    precision: Precision,
) -> tuple[Projection, ...]:
    """The projections of whole weights, each in one synapse or, where that is too few, in two."""
    found: list[Projection] = []
    errors = rows.errors or (0.0,) * len(rows.weights)
    for node, each, error in zip(layer.projections, rows.weights, errors, strict=True):
        reduced, more = in_one_synapse(each, precision)
        wide = bool(times_held(reduced, precision, wide=False).min() < 1)
        integers = Rounded(reduced, shift + more, wide, error, np.zeros(len(each)))
        found += _synapses(node, names[node.sources[0]], integers, precision)
    return tuple(found)


def rounded(
    layer: Layer, names: Mapping[str, str], scale: Floats, precision: Precision
) -> tuple[tuple[Projection, ...], tuple[Floats, ...]]:
    """The projections in whole numbers, and what each of the layer's rows lost."""
    found, lost = list[Projection](), list[Floats]()
    for index, node in enumerate(layer.projections):
        integers = round_projection(layer, index, scale, precision)
        source = names[node.sources[0]]
        found += _synapses(node, source, integers, precision)
        lost.append(integers.lost)
    return tuple(found), tuple(lost)


def _synapses(
    node: Node, source: str, integers: Rounded, precision: Precision
) -> Iterator[Projection]:
    """One projection; or two, the upper worth 2^shift of the lower, where one is too coarse.

    Both have the sign of the weight, so that no sum of parts exceeds the sum of the weights.
    """
    weights, shift = integers.weights, precision.shift
    if not integers.wide or np.abs(weights).max() < 1 << shift:
        yield Projection(source, _connection(node, weights), integers.exponent, integers.error)
        return
    lower = np.sign(weights) * (np.abs(weights) & ((1 << shift) - 1))
    for values, more in ((lower, 0), ((weights - lower) >> shift, shift)):
        if values.any():
            connection = _connection(node, values)
            yield Projection(source, connection, integers.exponent + more, integers.error)


def _connection(node: Node, weights: Integers) -> Connection:
    operator = node.operator
    if isinstance(operator, MatMul):
        return Dense(weights.reshape(operator.weights.shape))
    assert isinstance(operator, Conv)
    # (channels, 1, fan-in) becomes (channels, in channels of a group, rows, columns)
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
