"""Operators that move elements and weigh nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from snnc.compiler.operators.base import Floats, Shape, pad, split_pads, times
from snnc.compiler.operators.linear import Conv

Indices: TypeAlias = npt.NDArray[np.intp]


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
class Transpose:
    """The axes of a sample in another order: axis i of the result is the source's axes[i]."""

    axes: Shape

    def shape_of(self, *sources: Shape) -> Shape:
        """The sizes in the new order."""
        return tuple(sources[0][axis] for axis in self.axes)

    def apply(self, *sources: Floats) -> Floats:
        """A view."""
        return sources[0].transpose(0, *(axis + 1 for axis in self.axes))

    def __str__(self) -> str:
        return f"transpose {','.join(map(str, self.axes))}"


@dataclass(frozen=True, eq=False)
class Tile:
    """Copies of the source, side by side along the axes."""

    repeats: Shape

    def shape_of(self, *sources: Shape) -> Shape:
        """Every size so many times."""
        return tuple(size * count for size, count in zip(sources[0], self.repeats, strict=True))

    def apply(self, *sources: Floats) -> Floats:
        """The copies."""
        return np.tile(sources[0], (1, *self.repeats))

    def __str__(self) -> str:
        return f"tile {times(self.repeats)}"


@dataclass(frozen=True, eq=False)
class Select:
    """Channels of the source: some in another order, some left out or repeated, some all 0.

    A concatenation is the sum of its sources, each with channels of 0 around it.
    """

    channels: Indices
    """For each channel of the result that of the source, or NONE."""

    NONE: ClassVar[int] = -1
    """A channel of zeros."""

    @classmethod
    def placed(cls, count: int, first: int, channels: int) -> Self:
        """So many channels as those from the first on, of more."""
        chosen = np.full(channels, cls.NONE)
        chosen[first : first + count] = np.arange(count)
        return cls(chosen)

    @property
    def kept(self) -> Indices:
        """The channels of the result that are not 0."""
        return np.flatnonzero(self.channels != self.NONE)

    @property
    def repeats(self) -> bool:
        """Whether a channel of the source stands twice in the result."""
        chosen = self.channels[self.kept]
        return len(np.unique(chosen)) < len(chosen)

    def shape_of(self, *sources: Shape) -> Shape:
        """(channels, *space)."""
        return (len(self.channels), *sources[0][1:])

    def apply(self, *sources: Floats) -> Floats:
        """Zeros, and what was chosen among them."""
        batch, _, *space = sources[0].shape
        result = np.zeros((batch, len(self.channels), *space))
        result[:, self.kept] = sources[0][:, self.channels[self.kept]]
        return result

    def behind(self, first: Self) -> Select:
        """The one selection that does what another does and then this one."""
        chosen = np.where(self.channels == self.NONE, self.NONE, first.channels[self.channels])
        return Select(chosen)

    def scattered(self, values: Floats, count: int, axis: int) -> Floats:
        """What weights of the result's channels are to the source's, of which there are so many."""
        weights = np.moveaxis(values, axis, 0)
        found = np.zeros((count, *weights.shape[1:]))
        if self.repeats:
            np.add.at(found, self.channels[self.kept], weights[self.kept])
        else:
            found[self.channels[self.kept]] = weights[self.kept]
        return np.moveaxis(found, 0, axis)

    def __str__(self) -> str:
        chosen = self.channels[self.kept]
        if len(chosen) and np.array_equal(chosen, np.arange(chosen[0], chosen[0] + len(chosen))):
            which = f"channels {chosen[0]} to {chosen[-1]}"
        else:
            which = f"{len(chosen)} channels"
        return f"{which} as some of {len(self.channels)}"


@dataclass(frozen=True, eq=False)
class Spread:
    """Zeros between the pixels: the first step of a transposed convolution."""

    strides: Shape
    """From one pixel to the next, along each axis of space."""

    def shape_of(self, *sources: Shape) -> Shape:
        """(channels, *space)."""
        channels, *space = sources[0]
        axes = zip(space, self.strides, strict=True)
        return (channels, *((size - 1) * stride + 1 for size, stride in axes))

    def apply(self, *sources: Floats) -> Floats:
        """Zeros, and the pixels among them."""
        result = np.zeros((len(sources[0]), *self.shape_of(sources[0].shape[1:])))
        result[self.pixels] = sources[0]
        return result

    @property
    def pixels(self) -> tuple[slice, ...]:
        """Where the pixels are among the zeros, of a batch."""
        return (slice(None), slice(None), *(slice(None, None, step) for step in self.strides))

    def __str__(self) -> str:
        return f"spread {times(self.strides)}"
