"""Windows of space as one number each."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from snnc.compiler.operators.base import Floats, Shape, pad, split_pads, times, windows_along
from snnc.compiler.operators.linear import Conv


@dataclass(frozen=True, eq=False)
class AveragePool:
    """The mean over windows of space."""

    kernel: Shape
    strides: Shape
    pads: Shape
    counts_pads: bool = False
    """Whether a padding zero counts as a pixel of the window."""

    def shape_of(self, *sources: Shape) -> Shape:
        """(channels, *space)."""
        channels, *space = sources[0]
        single = (1,) * len(space)
        return (
            channels,
            *windows_along(tuple(space), self.pads, self.kernel, self.strides, single),
        )

    def apply(self, *sources: Floats) -> Floats:
        """The window's sum over its number of pixels."""
        shape = sources[0].shape[1:]
        result: Floats = self.as_sum(shape[0]).apply(*sources) * self.share(shape)
        return result

    def as_sum(self, channels: int) -> Conv:
        """The windows' sums, as a depthwise convolution with ones."""
        ones = np.ones((channels, 1, *self.kernel))
        single = (1,) * len(self.kernel)
        return Conv(ones, np.zeros(channels), self.strides, self.pads, single, channels)

    def share(self, shape: Shape) -> Floats:
        """1/pixels of each window: a scalar, or (1, *space) where windows differ at the border."""
        if self.counts_pads or not any(self.pads):
            return np.array(1.0 / prod(self.kernel))
        counts = np.ones(1)
        for size, border, kernel, stride in zip(
            shape[1:], split_pads(self.pads), self.kernel, self.strides, strict=True
        ):
            starts = np.arange((size + sum(border) - kernel) // stride + 1) * stride - border[0]
            inside = np.minimum(starts + kernel, size) - np.maximum(starts, 0)
            counts = np.multiply.outer(counts, inside)
        return np.asarray(1.0 / counts)

    def __str__(self) -> str:
        return f"average pool {times(self.kernel)} stride {times(self.strides)}"


@dataclass(frozen=True, eq=False)
class MaxPool:
    """The greatest element of windows of space; what lies outside never counts."""

    kernel: Shape
    strides: Shape
    pads: Shape
    dilations: Shape

    def shape_of(self, *sources: Shape) -> Shape:
        """(channels, *space)."""
        channels, *space = sources[0]
        counts = windows_along(tuple(space), self.pads, self.kernel, self.strides, self.dilations)
        return (channels, *counts)

    def apply(self, *sources: Floats) -> Floats:
        """Window by window."""
        padded = pad(sources[0], split_pads(self.pads), -np.inf)
        windows = self._windows(sources[0].shape[1]).windows(padded)
        return np.asarray(windows.max(axis=tuple(range(-len(self.kernel), 0))))

    def tap(self, channels: int, axis: int, index: int) -> Conv:
        """A depthwise convolution that picks one element of every window along one axis.

        It gives 0 where the element lies outside.
        """
        space = len(self.kernel)
        reach = index * self.dilations[axis]
        span = (self.kernel[axis] - 1) * self.dilations[axis]
        before, after = split_pads(self.pads)[axis]
        befores, afters, strides = [0] * space, [0] * space, [1] * space
        befores[axis], afters[axis] = before - reach, after - (span - reach)
        strides[axis] = self.strides[axis]
        single = (1,) * space
        ones = np.ones((channels, 1, *single))
        return Conv(ones, np.zeros(channels), tuple(strides), (*befores, *afters), single, channels)

    def _windows(self, channels: int) -> Conv:
        """A depthwise convolution that looks at the same windows."""
        kernel = np.zeros((channels, 1, *self.kernel))
        return Conv(kernel, np.zeros(channels), self.strides, self.pads, self.dilations, channels)

    def __str__(self) -> str:
        return f"max pool {times(self.kernel)} stride {times(self.strides)}"
