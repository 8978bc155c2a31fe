"""Sums of products of bytes, which ONNX Runtime adds in 32 bits.

Where a kernel is taken apart (blocks.py), sums of numbers take the place of numbers; they are bytes
too, or it stays whole.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from snnc.backends.onnx.blocks import in_blocks, window_of
from snnc.compiler.laws import Integers
from snnc.compiler.spiking import Convolution

BYTE = 255
"""The highest number that a byte holds."""
WIDEST_SUM = 1 << 31


class ByteWeights(NamedTuple):
    """Weights as bytes."""

    values: npt.NDArray[Any]
    zero_point: npt.NDArray[Any]
    """What stands for weight 0, a scalar of the values' type."""


def byte_stages(
    convolution: Convolution, source: tuple[int, ...], shape: tuple[int, ...], highest: int
) -> tuple[Convolution, ...]:
    """The convolutions of `in_blocks`, as far as each of them reads bytes.

    Args:
        convolution: what they compute.
        source: the shape that it reads.
        shape: the shape that it gives.
        highest: the highest number that it reads, a byte.
    """
    stages = in_blocks(convolution, source, shape)
    return stages if window_of(stages) * highest <= BYTE else (convolution,)


def unsigned(weights: Integers, reach: int) -> ByteWeights | None:
    """Weights as unsigned bytes; None where they, or the sums, do not fit.

    Args:
        weights: whole numbers.
        reach: the highest sum of all numbers that are weighed for one target.
    """
    low, high = span(weights)
    if high - low > BYTE or reach * BYTE >= WIDEST_SUM:
        return None
    return ByteWeights((weights - low).astype(np.uint8), np.array(-low, np.uint8))


def span(weights: Integers) -> tuple[int, int]:
    """The lowest and the highest weight; 0 is always between them."""
    return min(0, int(weights.min())), max(0, int(weights.max()))
