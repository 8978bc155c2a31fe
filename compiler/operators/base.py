"""What every operator of the network IR answers, and the words they share."""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Shape: TypeAlias = tuple[int, ...]


class Operator(Protocol):
    """One node's law."""

    def shape_of(self, *sources: Shape) -> Shape:
        """The shape of a sample of the result."""
        ...

    def apply(self, *sources: Floats) -> Floats:
        """The result for a batch."""
        ...


def per_channel(values: Floats, rank: int) -> Floats:
    """Make (channels,) broadcast over a sample of this rank; leave other ranks alone."""
    return values.reshape(-1, *(1,) * (rank - 1)) if values.ndim == 1 else values


def times(numbers: Shape) -> str:
    """Sizes as people write them: 3x32x32."""
    return "x".join(map(str, numbers))


def span_of(values: Floats) -> str:
    """The least and the greatest value, or the one there is."""
    low, high = float(np.min(values)), float(np.max(values))
    return f"{low:.6g}" if low == high else f"{low:.6g}..{high:.6g}"


def pad(batch: Floats, borders: tuple[tuple[int, int], ...], value: float = 0.0) -> Floats:
    """Surround the axes of space with a value; negative borders crop."""
    grow = [(max(before, 0), max(after, 0)) for before, after in borders]
    padded = np.pad(batch, [(0, 0), (0, 0), *grow], constant_values=value)
    crop = (slice(max(-b, 0), -max(-a, 0) or None) for b, a in borders)
    index = (slice(None), slice(None), *crop)
    return padded[index]


def windows_along(
    space: Shape, pads: Shape, kernel: Shape, strides: Shape, dilations: Shape
) -> Shape:
    """How many windows fit along each axis of space and its pads."""
    axes = zip(space, split_pads(pads), kernel, strides, dilations, strict=True)
    return tuple((n + sum(p) - (k - 1) * d - 1) // s + 1 for n, p, k, s, d in axes)


def split_pads(pads: Shape) -> tuple[tuple[int, int], ...]:
    """ONNX's order, all the befores and then all the afters, as pairs."""
    half = len(pads) // 2
    return tuple(zip(pads[:half], pads[half:], strict=True))
