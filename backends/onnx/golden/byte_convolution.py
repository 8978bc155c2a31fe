"""A convolutional population as one QLinearConv on bytes, where that is provably exact.

QLinearConv gives clip(round(a·s), 0, 255) with the int32 sum a = Σ w·n + b and a float32 scale s.
With an odd Δ, ⌊(z + B)/Δ⌋ = round((z + B − (Δ − 1)/2)/Δ) and no quotient ever lies half-way. So
b = B − (Δ − 1)/2 and s = 1/Δ give the level, if rounding errors never carry a quotient across a
half: those of s and of the product together are less than 2^-23 of it, the highest half that
matters is N − ½, and the nearest quotient is 1/(2Δ) away from it. Hence (2N − 1)·Δ < 2^23. Beyond,
the order is kept and the clip decides alike.

Processors without dot products of bytes add pairs of products u8·s8 in 16 bits and saturate there.
Up to 127 levels no pair reaches that; above, both factors are given unsigned, which is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from snnc.backends.onnx.blocks import window_of
from snnc.backends.onnx.byte_sums import BYTE, ByteWeights, byte_stages, span, unsigned
from snnc.compiler.laws import Integers
from snnc.compiler.laws.base import WholeStaircase
from snnc.compiler.spiking import Convolution, Node, Population, Projection

SIGNED_LEVELS = 127
"""Levels up to which a pair of products with signed bytes stays within 16 bits."""
EXACT_QUOTIENTS = 1 << 23


@dataclass(frozen=True, eq=False)
class ByteConvolution:
    """The constants of a QLinearConv."""

    shift: int
    """Bits by which numbers are shifted to the left first, where weights have no room for it."""
    stages: tuple[Convolution, ...]
    """What is convolved: perhaps sums over windows before the kernel."""
    weights: ByteWeights
    """(out channels, in channels / groups, height, width), int8 or uint8."""
    scale: npt.NDArray[np.float32]
    """1/Δ of each channel."""
    bias: npt.NDArray[np.int32]
    """(out channels,)."""


def byte_convolution(
    population: Population, staircase: WholeStaircase, source: Node
) -> ByteConvolution | None:
    """The population as one operator on bytes; None where it takes floats."""
    projection, *others = population.projections
    connection = projection.connection
    if others or not isinstance(connection, Convolution) or not quotients_are_exact(staircase):
        return None
    levels = source.sends.levels
    if staircase.bias.ndim > 1 or max(staircase.levels, levels) > BYTE:
        return None
    bias = staircase.bias - (staircase.step - 1) // 2
    scale = (1 / staircase.step).astype(np.float32)
    for shift in sorted({0, projection.exponent}):
        highest = levels << shift
        if highest > BYTE:
            break
        stages = byte_stages(connection, source.shape, population.shape, highest)
        kernel = stages[-1].weights << (projection.exponent - shift)
        weights = _as_bytes(kernel, window_of(stages) * highest)
        if weights is not None:
            return ByteConvolution(shift, stages, weights, scale, bias.astype(np.int32))
    return None


@dataclass(frozen=True, eq=False)
class ByteSum:
    """The constants of a convolution of bytes that gives whole sums."""

    stages: tuple[Convolution, ...]
    weights: ByteWeights
    middle: int | None
    """What stands for 0 where sums are bytes themselves; None where they have 32 bits."""


def byte_sum(projection: Projection, source: Node, shape: tuple[int, ...]) -> ByteSum | None:
    """Σ w·n of one projection among others; None where it takes floats.

    ConvInteger is quick where a kernel reads all channels. Kernels that read one of them are
    quick as QLinearConv alone, whose sums must be bytes.
    """
    connection, law = projection.connection, source.sends
    # a train is read time step by time step
    levels = 1 if law.train == "spikes" and not law.is_constant else law.levels
    if not isinstance(connection, Convolution) or levels > BYTE:
        return None
    stages = byte_stages(connection, source.shape, shape, levels)
    weights, highest = stages[-1].weights, window_of(stages) * levels
    if connection.groups == 1:
        found, middle = unsigned(weights, weights[0].size * highest), None
    else:
        by_channel = weights.reshape(len(weights), -1)
        low, high = (
            highest * int(e.sum(1).max()) for e in (-by_channel.clip(max=0), by_channel.clip(min=0))
        )
        found = _as_bytes(weights, highest) if max(low, high) <= SIGNED_LEVELS else None
        middle = SIGNED_LEVELS
    return None if found is None else ByteSum(stages, found, middle)


def quotients_are_exact(staircase: WholeStaircase) -> bool:
    """Whether quotients that are rounded to float32 round to the same whole number."""
    odd = bool(np.all(staircase.step % 2 == 1))
    return odd and (2 * staircase.levels - 1) * int(staircase.step.max()) < EXACT_QUOTIENTS


def _as_bytes(weights: Integers, levels: int) -> ByteWeights | None:
    low, high = span(weights)
    if levels <= SIGNED_LEVELS and low >= -128 and high <= 127:
        return ByteWeights(weights.astype(np.int8), np.array(0, np.int8))
    return unsigned(weights, weights[0].size * levels)
