"""Operators that move elements and weigh nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.compiler.operators.base import Floats, Shape, pad, split_pads, times
from snnc.compiler.operators.linear import Conv


@dataclass(frozen=True, eq=False)
class Pad:
    """Adds a border of one value, or crops."""

    pads: Shape
    value: float = 0.0

    def shape_of(self, *sources: Shape) -> Shape:
        """(channels, *space)."""
        borders = split_pads(self.pads)
        space = (n + sum(each) for n, each in zip(sources[0][1:], borders, strict=True))
        return (sources[0][0], *space)

    def apply(self, *sources: Floats) -> Floats:
        """The source within its border."""
        return pad(sources[0], split_pads(self.pads), self.value)

    def as_conv(self, channels: int) -> Conv:
        """The same for a value of 0, as a depthwise convolution with a single one."""
        single = (1,) * (len(self.pads) // 2)
        ones = np.ones((channels, 1, *single))
        return Conv(ones, np.zeros(channels), single, self.pads, single, channels)

    def __str__(self) -> str:
        return f"pad {','.join(map(str, self.pads))} with {self.value:g}"


@dataclass(frozen=True, eq=False)
class Reshape:
    """The same elements in the same order, under another shape."""

    shape: Shape

    def shape_of(self, *sources: Shape) -> Shape:
        """The new shape."""
        return self.shape

    def apply(self, *sources: Floats) -> Floats:
        """A view."""
        return sources[0].reshape(len(sources[0]), *self.shape)

    def __str__(self) -> str:
        return f"reshape {times(self.shape)}"


@dataclass(frozen=True, eq=False)
class Place:
    """The source as some of more channels; the others are 0.

    A concatenation is the sum of its sources, each in its place.
    """

    channels: int
    """Of the result."""
    first: int
    """The channel of the result that is the source's first."""

    def shape_of(self, *sources: Shape) -> Shape:
        """(channels, *space)."""
        return (self.channels, *sources[0][1:])

    def apply(self, *sources: Floats) -> Floats:
        """Zeros, and the source among them."""
        batch, count, *space = sources[0].shape
        result = np.zeros((batch, self.channels, *space))
        result[:, self.first : self.first + count] = sources[0]
        return result

    def __str__(self) -> str:
        return f"channels from {self.first} on of {self.channels}"
