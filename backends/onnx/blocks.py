"""A kernel that is constant in blocks, computed as sums over windows and a small kernel.

An average pool that was composed into the convolution behind it leaves a kernel whose weights are
equal in blocks as large as the pool's window, and whose strides are multiples of it. The chip needs
the whole kernel. An engine need not multiply every number of a window by the same weight: with
w[a·p + q] = w'[p] for q < a, and a stride of a·s',

    Σ_i w[i]·n[a·s'·y − pad + i] = Σ_p w'[p]·S[s'·y − ⌊pad/a⌋ + p],
    S[y] = Σ_q n[a·y − pad mod a + q]

along each axis: an identity of whole numbers, read off the weights. Products and partial sums on
the right are partial sums of the left, so whatever holds these exactly holds those too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, prod

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.spiking import Convolution

PLANES = 3
"""Axes of (channels, height, width)."""
EXACT = 1 << 24
"""Below this float32 holds every whole number."""
GAIN = 2
"""A kernel is taken apart where that saves at least this factor of multiplications."""


def in_blocks(
    convolution: Convolution, source: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[Convolution, ...]:
    """The convolutions that compute it, one after the other: sums over windows first if that pays.

    Args:
        convolution: reads planes of shape source, (channels, height, width).
        source: what it reads.
        shape: what it gives, (out channels, height, width).
    """
    window = (_block(convolution, 0), _block(convolution, 1))
    if prod(window) == 1:
        return (convolution,)
    rows, columns = (_axis(convolution, source, shape, each, window[each]) for each in (0, 1))
    if rows is None or columns is None:
        return (convolution,)
    sums = Convolution(
        np.ones((source[0], 1, *window), np.int32),
        window,
        _pads(rows.pads_of_sums, columns.pads_of_sums),
        groups=source[0],
    )
    small = Convolution(
        convolution.weights[:, :, :: window[0], :: window[1]],
        (convolution.strides[0] // window[0], convolution.strides[1] // window[1]),
        _pads(rows.pads, columns.pads),
        groups=convolution.groups,
    )
    planes = (source[0], rows.count, columns.count)
    stages = (sums, small)
    cost = _products(sums, planes) + _products(small, shape)
    return stages if cost * GAIN <= _products(convolution, shape) else (convolution,)


def pooled_weights(weights: Integers, source: tuple[int, ...], highest: int) -> Integers | None:
    """A matrix (out, channels) for the sums of planes; None where places are weighed differently.

    A global average pool that was composed into a matrix leaves one weight for all of a plane.

    Args:
        weights: (out, neurons of the source).
        source: the shape that it reads.
        highest: the highest number that it reads.
    """
    if len(source) != PLANES or (places := prod(source[1:])) == 1 or places * highest >= EXACT:
        return None
    by_plane = weights.reshape(len(weights), source[0], places)
    first = by_plane[:, :, 0]
    return first if np.all(by_plane == first[:, :, None]) else None


def window_of(stages: tuple[Convolution, ...]) -> int:
    """How many numbers of the source at most stand behind one that the last stage reads."""
    return prod(prod(each.weights.shape[2:]) for each in stages[:-1])


@dataclass(frozen=True)
class _Axis:
    """One axis of the sums and of the small kernel behind them."""

    count: int
    """Sums along it."""
    pads_of_sums: tuple[int, int]
    pads: tuple[int, int]


def _axis(
    convolution: Convolution, source: tuple[int, ...], shape: tuple[int, ...], axis: int, block: int
) -> _Axis | None:
    """Sums that reach as far as anything of the source is read; None where nothing is."""
    size, results = source[1 + axis], shape[1 + axis]
    before, aside = divmod(convolution.pads[axis], block)
    kernel, stride = (
        each // block for each in (convolution.weights.shape[2 + axis], convolution.strides[axis])
    )
    read = (results - 1) * stride + kernel - before
    if read < 1:
        return None
    behind = -(size + aside) % block
    if (size + aside + behind) // block > read:
        behind = 0
    count = (size + aside + behind) // block
    return _Axis(count, (aside, behind), (before, max(read - count, 0)))


def _block(convolution: Convolution, axis: int) -> int:
    """The longest block along an axis in which the weights of every kernel are equal."""
    if convolution.dilations[axis] != 1:
        return 1
    weights = np.moveaxis(convolution.weights, 2 + axis, -1)
    longest = gcd(weights.shape[-1], convolution.strides[axis])
    sizes = (each for each in range(longest, 1, -1) if longest % each == 0)
    return next((each for each in sizes if _is_constant(weights, each)), 1)


def _is_constant(weights: Integers, block: int) -> bool:
    blocks = weights.reshape(*weights.shape[:-1], -1, block)
    return bool(np.all(blocks == blocks[..., :1]))


def _pads(rows: tuple[int, int], columns: tuple[int, int]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right)."""
    return rows[0], columns[0], rows[1], columns[1]


def _products(convolution: Convolution, shape: tuple[int, ...]) -> int:
    return int(convolution.weights.size) * prod(shape[1:])
