"""The projections of a population in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.network import Node
from snnc.compiler.operators import Conv, Floats, MatMul
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.rounding import Rounded, round_projection
from snnc.compiler.spiking import Connection, Convolution, Dense, Projection


def on_one_grid(
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
