"""A chain of linear operators as one: a convolution where that is exact, else a matrix.

Only the linear part is composed here, biases left out: what a chain makes of constants is the
value it gives for an input of zeros, which `snnc.compiler.passes.compose_chains` evaluates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod
from typing import TypeAlias

import numpy as np

from snnc.compiler.composition.convolutions import (
    NotComposableError,
    fuse,
    scale_channels,
    tap_of,
    uncropped,
)
from snnc.compiler.composition.selections import selections_last
from snnc.compiler.operators import (
    Affine,
    AveragePool,
    Conv,
    Floats,
    MatMul,
    Operator,
    Pad,
    Reshape,
    Select,
    Shape,
    Spread,
    Tile,
    Transpose,
)

MATRIX_LIMIT = 1 << 26
"""The most synapses that a chain may become as a matrix, unless a matrix of its own has more."""
ROWS_LIMIT = 1 << 28
"""The most numbers that it may be on its way there."""
TAPS_LIMIT = 1 << 18
"""The most taps that the windows of a chain may have, each of which is a step of composition."""

NO_CONVOLUTION: TypeAlias = MatMul | Reshape | Transpose | Tile | Spread
"""What no convolution does, whatever comes before or behind it."""


def compose(operators: Sequence[Operator], source: Shape) -> Conv | MatMul:
    """The one projection, without bias, that does what the operators do to a source of this shape.

    Raises:
        NotComposableError: if neither a convolution nor a matrix of sensible size does.
    """
    steps = list(_elementary(selections_last(operators, source), source))
    taps = sum(prod(op.kernel) for op, _ in steps if isinstance(op, Conv))
    if taps > TAPS_LIMIT:
        raise NotComposableError(f"its windows have {taps} taps; allowed: {TAPS_LIMIT}")
    if len(source) > 1 and not any(isinstance(op, NO_CONVOLUTION) for op, _ in steps):
        conv = _as_convolution(steps, source)
        if conv is not None:
            return conv
    return _as_matrix(steps, source)


def _elementary(operators: Iterable[Operator], shape: Shape) -> Iterable[tuple[Operator, Shape]]:
    """Pools and pads as convolutions; each operator with the shape of its source."""
    for operator in operators:
        if isinstance(operator, AveragePool):
            total = operator.as_sum(shape[0])
            yield total, shape
            yield Affine(operator.share(shape), np.array(0.0)), total.shape_of(shape)
        elif isinstance(operator, Pad):
            yield operator.as_conv(shape[0]), shape
        elif isinstance(operator, Conv | Affine | Select | NO_CONVOLUTION):
            yield operator, shape
        else:
            raise NotComposableError(f"{operator} is not linear")
        shape = operator.shape_of(shape)


def _as_convolution(steps: Iterable[tuple[Operator, Shape]], source: Shape) -> Conv | None:
    """Fold from the source on; None where some border or scale is no convolution's."""
    result = Pad((0,) * (2 * (len(source) - 1))).as_conv(source[0])
    for operator, shape in steps:
        if isinstance(operator, Affine):
            scaled = scale_channels(result, operator.scale, shape)
        else:
            conv = _selection(operator, shape) if isinstance(operator, Select) else operator
            assert isinstance(conv, Conv)
            scaled = fuse(result, conv, source)
        if scaled is None:
            return None
        result = scaled
    return uncropped(result)


def _selection(select: Select, shape: Shape) -> Conv:
    """A selection as a convolution with a single one for each channel that it keeps."""
    single = (1,) * (len(shape) - 1)
    channels = len(select.channels)
    weights = np.zeros((channels, shape[0], *single))
    weights[select.kept, select.channels[select.kept]] = 1.0
    return Conv(weights, np.zeros(channels), single, (0,) * (2 * len(single)), single)


def _as_matrix(steps: list[tuple[Operator, Shape]], source: Shape) -> MatMul:
    """Pull the rows of the result's identity, or of the last matrix, back to the source."""
    last = max((i for i, (op, _) in enumerate(steps) if isinstance(op, MatMul)), default=-1)
    tail = steps[last + 1 :]
    shape = steps[-1][0].shape_of(steps[-1][1]) if steps else source
    neurons = prod(shape)
    size = neurons * prod(source)
    allowed = max([MATRIX_LIMIT, *(op.weights.size for op, _ in steps if isinstance(op, MatMul))])
    if size > allowed:
        raise NotComposableError(f"as a matrix it has {size} synapses; allowed: {allowed}")
    widest = neurons * max((_width(*step) for step in steps), default=0)
    if widest > ROWS_LIMIT:
        raise NotComposableError(f"as a matrix it takes {widest} numbers; allowed: {ROWS_LIMIT}")
    if last >= 0 and all(isinstance(op, Affine | Reshape) for op, _ in tail):
        operator = steps[last][0]
        assert isinstance(operator, MatMul)
        rows = operator.weights * _row_scale(tail, neurons)
        steps = steps[:last]
    else:
        rows = np.eye(neurons).reshape(neurons, *shape)
    for operator, before in reversed(steps):
        rows = _pull_back(rows, operator, before)
    return MatMul(rows.reshape(neurons, -1), np.zeros(shape[0]), shape if len(shape) > 1 else ())


def _width(operator: Operator, before: Shape) -> int:
    """How many numbers a row is at a step: over its result, or over its source and its pads."""
    found = prod(operator.shape_of(before))
    if not isinstance(operator, Conv):
        return found
    axes = zip(before[1:], operator.borders, strict=True)
    padded = prod(n + max(b, 0) + max(a, 0) for n, (b, a) in axes)
    return max(found, before[0] * padded)


def _row_scale(tail: list[tuple[Operator, Shape]], neurons: int) -> Floats:
    """What the affine maps after the last matrix make of a row: (neurons, 1)."""
    scale = np.ones((neurons, 1))
    for operator, shape in tail:
        if isinstance(operator, Affine):
            scale *= np.broadcast_to(operator.scale, shape).reshape(neurons, 1)
    return scale


def _pull_back(rows: Floats, operator: Operator, before: Shape) -> Floats:
    """The transposed operator: rows over its result become rows over its source."""
    rows = rows.reshape(len(rows), *operator.shape_of(before))
    if isinstance(operator, Affine):
        return rows * operator.scale
    if isinstance(operator, MatMul):
        return rows.reshape(len(rows), -1) @ operator.weights
    if isinstance(operator, Conv):
        return _transposed(rows, operator, before)
    if isinstance(operator, Select):
        return operator.scattered(rows, before[0], 1)
    if isinstance(operator, Transpose):
        return rows.transpose(0, *(1 + axis for axis in np.argsort(operator.axes)))
    if isinstance(operator, Tile):
        copies = zip(operator.repeats, before, strict=True)
        split = rows.reshape(len(rows), *(n for copy in copies for n in copy))
        return np.asarray(split.sum(tuple(range(1, split.ndim, 2))))
    if isinstance(operator, Spread):
        return rows[operator.pixels]
    assert isinstance(operator, Reshape)
    return rows.reshape(len(rows), *before)


def _transposed(rows: Floats, conv: Conv, before: Shape) -> Floats:
    """Scatter each tap's share to where the convolution read it."""
    sizes = [n + max(b, 0) + max(a, 0) for n, (b, a) in zip(before[1:], conv.borders, strict=True)]
    padded = np.zeros((len(rows), before[0], *sizes))
    grouped = rows.reshape(len(rows), conv.groups, -1, *rows.shape[2:])
    counts = rows.shape[2:]
    for tap in np.ndindex(*conv.kernel):
        kernel = tap_of(conv, tap).reshape(conv.groups, -1, conv.weights.shape[1])
        share = np.einsum("rgo...,goi->rgi...", grouped, kernel, optimize=True)
        where = (
            slice(max(-b, 0) + t * d, max(-b, 0) + t * d + (n - 1) * s + 1, s)
            for t, d, s, n, (b, _) in zip(
                tap, conv.dilations, conv.strides, counts, conv.borders, strict=True
            )
        )
        index = (slice(None), slice(None), *where)
        padded[index] += share.reshape(len(rows), before[0], *counts)
    inner = (
        slice(max(b, 0), max(b, 0) + n) for (b, _), n in zip(conv.borders, before[1:], strict=True)
    )
    index = (slice(None), slice(None), *inner)
    return padded[index]
