"""Sums and products of convolutions are convolutions, wherever their borders allow."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.operators import Conv, Floats, Shape, per_channel

LIMIT = 1 << 27
"""The most weights that a convolution may become on the way to one projection."""
SEEN_LIMIT = 1 << 24
"""The most places that are looked at to hold two borders against each other."""


class NotComposableError(Exception):
    """The chain is no single projection; the message says why."""


def scale_channels(conv: Conv, scale: Floats, shape: Shape) -> Conv | None:
    """Scale each output channel's kernel, if the scale is one number a channel."""
    if prod(scale.shape[1:]) != 1:
        return None
    factors = np.broadcast_to(scale.reshape(-1), shape[:1])
    weights = conv.weights * per_channel(factors, conv.weights.ndim)
    return Conv(
        weights, np.zeros(len(weights)), conv.strides, conv.pads, conv.dilations, conv.groups
    )


def fuse(first: Conv, second: Conv, source: Shape) -> Conv | None:
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
        _after(before, (count - 1) * stride + span - size - before, stride)
        for before, count, stride, span, size in zip(
            befores, result, strides, draft.span, source[1:], strict=True
        )
    )
    return Conv(weights, draft.bias, strides, (*befores, *afters), dilations, groups)


def _after(before: int, read: int, stride: int) -> int:
    """The pad behind the source: as many zeros as are read, or up to a stride more, unread.

    It equals the pad before wherever it can, for netx knows even pads alone.
    """
    return min(max(before, read, 0), read + stride - 1)


def _borders_agree(first: Conv, second: Conv, source: Shape) -> bool:
    """Whether the second's padding zeros are also zeros to the composed kernel.

    A position that the second pads must see nothing of the source through the first: all of its
    taps lie outside.
    """
    middle = first.shape_of(source)
    for axis, (size, count) in enumerate(zip(source[1:], middle[1:], strict=True)):
        before, after = second.borders[axis]
        outside = np.concatenate([np.arange(-before, 0), np.arange(count, count + after)])
        if len(outside) * first.kernel[axis] > SEEN_LIMIT:
            return False
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
    channels = np.einsum(rule, taps, tap_of(second, (0,) * len(steps))).shape[:2]
    result = _zeros((*channels, *spans))
    for tap in np.ndindex(*second.kernel):
        where = tuple(
            slice(t * step // d, t * step // d + (k1 - 1) * d1 // d + 1, max(d1 // d, 1))
            for t, step, d, k1, d1 in zip(
                tap, steps, dilations, first.kernel, first.dilations, strict=True
            )
        )
        index = (slice(None), slice(None), *where)
        result[index] += np.einsum(rule, taps, tap_of(second, tap), optimize=True)
    return result


def tap_of(conv: Conv, tap: Shape) -> Floats:
    """The weights of one tap: (out channels, in channels / groups)."""
    flat = conv.weights.reshape(*conv.weights.shape[:2], -1)
    return flat[:, :, np.ravel_multi_index(tap, conv.kernel)]


def ungrouped(conv: Conv) -> Floats:
    """The same weights with zeros between the groups: (out channels, in channels, *kernel)."""
    out, width = conv.weights.shape[:2]
    _require_room((out, width * conv.groups, *conv.kernel))
    return without_groups(conv.weights, conv.groups)


def without_groups(weights: npt.NDArray[Any], groups: int) -> npt.NDArray[Any]:
    """Weights (out channels, in channels / groups, *kernel) with zeros between the groups."""
    out, width, *kernel = weights.shape
    if groups == 1:
        return weights
    full = np.zeros((out, width * groups, *kernel), weights.dtype)
    group = np.arange(out) // (out // groups)
    columns = group[:, None] * width + np.arange(width)
    full[np.arange(out)[:, None], columns] = weights
    return full


def uncropped(conv: Conv) -> Conv | None:
    """Taps of weight 0 in place of pads below 0, which no synapse has."""
    grown = [(max(0, -before), max(0, -after)) for before, after in conv.borders]
    if not any(map(any, grown)):
        return conv
    if any(d > 1 and any(g) for d, g in zip(conv.dilations, grown, strict=True)):
        return uncropped(_undilated(conv))
    weights = _grown(conv.weights, grown)
    pads = tuple(max(each, 0) for each in conv.pads)
    return Conv(weights, conv.bias, conv.strides, pads, conv.dilations, conv.groups)


def _undilated(conv: Conv) -> Conv:
    """The same with the gaps between the taps filled with zeros."""
    weights = _zeros((*conv.weights.shape[:2], *conv.span))
    taps = (slice(None, None, d) for d in conv.dilations)
    index = (slice(None), slice(None), *taps)
    weights[index] = conv.weights
    return replace(conv, weights=weights, dilations=(1,) * len(conv.span))


def merged(first: Conv, second: Conv) -> Conv | None:
    """The sum of two convolutions of one source and one result; None where strides differ."""
    if first.strides != second.strides:
        return None
    pair = [first, second]
    if first.groups != second.groups:
        pair = [replace(each, weights=ungrouped(each), groups=1) for each in pair]
    befores = tuple(max(a[0], b[0]) for a, b in zip(*(each.borders for each in pair), strict=True))
    if first.dilations != second.dilations or not all(_reaches(each, befores) for each in pair):
        pair = [_undilated(each) for each in pair]
    begun = [_begun_at(each, befores) for each in pair]
    longest = np.max([each.kernel for each in begun], axis=0)
    weights = [_ended_at(each.weights, longest) for each in begun]
    afters = tuple(
        max((c.kernel[i], c.borders[i][1]) for c in begun)[1] for i in range(len(longest))
    )
    return replace(begun[0], weights=weights[0] + weights[1], pads=(*befores, *afters))


def _reaches(conv: Conv, befores: Shape) -> bool:
    """Whether whole taps lead from a convolution's pads to larger ones."""
    gaps = zip(befores, conv.borders, conv.dilations, strict=True)
    return all((wanted - before) % d == 0 for wanted, (before, _), d in gaps)


def _begun_at(conv: Conv, befores: Shape) -> Conv:
    """The same with taps of weight 0 in front, so that its pads may be these."""
    gaps = zip(befores, conv.borders, conv.dilations, strict=True)
    taps = [((wanted - before) // d, 0) for wanted, (before, _), d in gaps]
    pads = (*befores, *(after for _, after in conv.borders))
    return replace(conv, weights=_grown(conv.weights, taps), pads=pads)


def _ended_at(weights: Floats, kernel: Floats) -> Floats:
    """The same with taps of weight 0 at the end."""
    missing = [(0, int(size) - n) for size, n in zip(kernel, weights.shape[2:], strict=True)]
    return _grown(weights, missing)


def _grown(weights: Floats, taps: list[tuple[int, int]]) -> Floats:
    """The same with taps of weight 0 before and after, along each axis of space."""
    space = (n + sum(more) for n, more in zip(weights.shape[2:], taps, strict=True))
    _require_room((*weights.shape[:2], *space))
    return np.pad(weights, [(0, 0), (0, 0), *taps])


def _zeros(shape: Shape) -> Floats:
    _require_room(shape)
    return np.zeros(shape)


def _require_room(shape: Shape) -> None:
    if prod(map(int, shape)) > LIMIT:
        what = f"as a convolution it has weights of shape {shape}; allowed: {LIMIT} weights"
        raise NotComposableError(what)
