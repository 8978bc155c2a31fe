"""A chain of linear operators as one: a convolution where that is exact, else a matrix.

Only the linear part is composed here, biases left out: what a chain makes of constants is the
value it gives for an input of zeros, which `snnc.compiler.passes.compose_chains` evaluates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

import numpy as np

from snnc.compiler.operators import (
    Affine,
    AveragePool,
    Conv,
    Floats,
    MatMul,
    Operator,
    Pad,
    Reshape,
    Shape,
    per_channel,
)

MATRIX_LIMIT = 1 << 26
"""The most synapses that a chain may become as a matrix."""


class NotComposableError(Exception):
    """The chain is no single projection; the message says why."""


def compose(operators: Sequence[Operator], source: Shape) -> Conv | MatMul:
    """The one projection, without bias, that does what the operators do to a source of this shape.

    Raises:
        NotComposableError: if neither a convolution nor a matrix of sensible size does.
    """
    steps = list(_elementary(operators, source))
    if len(source) > 1 and not any(isinstance(op, MatMul | Reshape) for op, _ in steps):
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
        elif isinstance(operator, Conv | MatMul | Affine | Reshape):
            yield operator, shape
        else:
            raise NotComposableError(f"{operator} is not linear")
        shape = operator.shape_of(shape)


def _as_convolution(steps: Iterable[tuple[Operator, Shape]], source: Shape) -> Conv | None:
    """Fold from the source on; None where some border or scale is no convolution's."""
    result = Pad((0,) * (2 * (len(source) - 1))).as_conv(source[0])
    for operator, shape in steps:
        if isinstance(operator, Affine):
            scaled = _scale_channels(result, operator.scale, shape)
        else:
            assert isinstance(operator, Conv)
            scaled = _fuse(result, operator, source)
        if scaled is None:
            return None
        result = scaled
    return result if min(result.pads) >= 0 else None


def _scale_channels(conv: Conv, scale: Floats, shape: Shape) -> Conv | None:
    """Scale each output channel's kernel, if the scale is one number a channel."""
    if prod(scale.shape[1:]) != 1:
        return None
    factors = np.broadcast_to(scale.reshape(-1), shape[:1])
    weights = conv.weights * per_channel(factors, conv.weights.ndim)
    return Conv(
        weights, np.zeros(len(weights)), conv.strides, conv.pads, conv.dilations, conv.groups
    )


def _fuse(first: Conv, second: Conv, source: Shape) -> Conv | None:
    """The convolution that does what two do, one after the other."""
    if not _borders_agree(first, second, source):
        return None
    dilations = tuple(
        d2 * s if k1 == 1 else (d1 if k2 == 1 else 1)
        for k1, k2, d1, d2, s in zip(
            first.kernel,
            second.kernel,
            first.dilations,
            second.dilations,
            first.strides,
            strict=True,
        )
    )
    weights, groups = _fused_weights(first, second, dilations)
    strides = tuple(a * b for a, b in zip(first.strides, second.strides, strict=True))
    befores = tuple(
        b1 + b2 * s
        for (b1, _), (b2, _), s in zip(first.borders, second.borders, first.strides, strict=True)
    )
    draft = Conv(
        weights, np.zeros(len(weights)), strides, (0,) * (2 * len(strides)), dilations, groups
    )
    result = second.shape_of(first.shape_of(source))[1:]
    afters = tuple(
        (count - 1) * stride + span - size - before
        for count, stride, span, size, before in zip(
            result, strides, draft.span, source[1:], befores, strict=True
        )
    )
    kept = tuple(0 if -s < after < 0 else after for after, s in zip(afters, strides, strict=True))
    return Conv(weights, draft.bias, strides, (*befores, *kept), dilations, groups)


def _borders_agree(first: Conv, second: Conv, source: Shape) -> bool:
    """Whether the second's padding zeros are also zeros to the composed kernel.

    A position that the second pads must see nothing of the source through the first: all of its
    taps lie outside.
    """
    middle = first.shape_of(source)
    for axis, (size, count) in enumerate(zip(source[1:], middle[1:], strict=True)):
        before, after = second.borders[axis]
        outside = np.concatenate([np.arange(-before, 0), np.arange(count, count + after)])
        taps = np.arange(first.kernel[axis]) * first.dilations[axis] - first.borders[axis][0]
        seen = outside[:, None] * first.strides[axis] + taps[None, :]
        if np.any((seen >= 0) & (seen < size)):
            return False
    return True


def _fused_weights(first: Conv, second: Conv, dilations: Shape) -> tuple[Floats, int]:
    """Convolve the kernels, keeping as many groups as both allow."""
    middle = first.weights.shape[0]
    first_is_depthwise = first.groups == middle and first.weights.shape[1] == 1
    second_is_depthwise = second.groups == middle == second.weights.shape[0]
    if first_is_depthwise:
        group = np.arange(second.weights.shape[0]) // (second.weights.shape[0] // second.groups)
        channels = group[:, None] * second.weights.shape[1] + np.arange(second.weights.shape[1])
        taps = first.weights[channels, 0]
        return _spread(first, second, dilations, taps, "oi...,oi->oi..."), second.groups
    if second_is_depthwise:
        return _spread(first, second, dilations, first.weights, "oi...,ox->oi..."), first.groups
    dense = (
        Conv(ungrouped(first), first.bias, first.strides, first.pads, first.dilations),
        Conv(ungrouped(second), second.bias, second.strides, second.pads, second.dilations),
    )
    return _spread(*dense, dilations, dense[0].weights, "mi...,om->oi..."), 1


def _spread(first: Conv, second: Conv, dilations: Shape, taps: Floats, rule: str) -> Floats:
    """Add a copy of the first kernel for each tap of the second, where that tap looks."""
    steps = tuple(d * s for d, s in zip(second.dilations, first.strides, strict=True))
    spans = tuple(
        ((k1 - 1) * d1 + (k2 - 1) * step) // d + 1
        for k1, d1, k2, step, d in zip(
            first.kernel, first.dilations, second.kernel, steps, dilations, strict=True
        )
    )
    channels = np.einsum(rule, taps, _tap(second, (0,) * len(steps))).shape[:2]
    result = np.zeros((*channels, *spans))
    for tap in np.ndindex(*second.kernel):
        where = tuple(
            slice(t * step // d, t * step // d + (k1 - 1) * d1 // d + 1, max(d1 // d, 1))
            for t, step, d, k1, d1 in zip(
                tap, steps, dilations, first.kernel, first.dilations, strict=True
            )
        )
        index = (slice(None), slice(None), *where)
        result[index] += np.einsum(rule, taps, _tap(second, tap), optimize=True)
    return result


def _tap(conv: Conv, tap: Shape) -> Floats:
    """The weights of one tap: (out channels, in channels / groups)."""
    flat = conv.weights.reshape(*conv.weights.shape[:2], -1)
    return flat[:, :, np.ravel_multi_index(tap, conv.kernel)]


def ungrouped(conv: Conv) -> Floats:
    """The same weights with zeros between the groups: (out channels, in channels, *kernel)."""
    out, width = conv.weights.shape[:2]
    if conv.groups == 1:
        return conv.weights
    full = np.zeros((out, width * conv.groups, *conv.kernel))
    group = np.arange(out) // (out // conv.groups)
    columns = group[:, None] * width + np.arange(width)
    full[np.arange(out)[:, None], columns] = conv.weights
    return full


def _as_matrix(steps: list[tuple[Operator, Shape]], source: Shape) -> MatMul:
    """Pull the rows of the result's identity, or of the last matrix, back to the source."""
    last = max((i for i, (op, _) in enumerate(steps) if isinstance(op, MatMul)), default=-1)
    tail = steps[last + 1 :]
    shape = steps[-1][0].shape_of(steps[-1][1]) if steps else source
    neurons = prod(shape)
    if neurons * prod(source) > MATRIX_LIMIT:
        raise NotComposableError(
            f"as a matrix it has {neurons * prod(source)} synapses; allowed: {MATRIX_LIMIT}"
        )
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
        return rows @ operator.weights
    if isinstance(operator, Conv):
        return _transposed(rows, operator, before)
    return rows.reshape(len(rows), *before)


def _transposed(rows: Floats, conv: Conv, before: Shape) -> Floats:
    """Scatter each tap's share to where the convolution read it."""
    sizes = [n + max(b, 0) + max(a, 0) for n, (b, a) in zip(before[1:], conv.borders, strict=True)]
    padded = np.zeros((len(rows), before[0], *sizes))
    grouped = rows.reshape(len(rows), conv.groups, -1, *rows.shape[2:])
    counts = rows.shape[2:]
    for tap in np.ndindex(*conv.kernel):
        kernel = _tap(conv, tap).reshape(conv.groups, -1, conv.weights.shape[1])
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
