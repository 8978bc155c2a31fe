"""What has weights. Feature maps are (channels, *space)."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from snnc.compiler.operators.base import (
    Floats,
    Shape,
    pad,
    per_channel,
    split_pads,
    times,
    windows_along,
)

BLOCK = 1 << 22
"""Numbers of the windows that are laid out at once."""


@dataclass(frozen=True, eq=False)
class Source:
    """The network's input."""

    shape: Shape
    channels_last: bool = False
    """Whether the source model itself has the channels last; a sample here has them first."""

    def shape_of(self, *sources: Shape) -> Shape:
        """The declared shape."""
        return self.shape

    def apply(self, *sources: Floats) -> Floats:
        """An input computes nothing; the evaluator fills it in."""
        raise NotImplementedError

    def __str__(self) -> str:
        return "input"


@dataclass(frozen=True, eq=False)
class Conv:
    """Cross-correlation with zero padding, over one or two axes of space."""

    weights: Floats
    """(out channels, in channels / groups, *kernel)."""
    bias: Floats
    """(out channels,), or one value for each neuron: the shape of the result."""
    strides: Shape
    pads: Shape
    """Zeros before each axis of space, then after each; a negative number crops."""
    dilations: Shape
    groups: int = 1

    @property
    def kernel(self) -> Shape:
        """Taps along each axis of space."""
        return self.weights.shape[2:]

    @property
    def span(self) -> Shape:
        """Source positions from the first tap to the last, along each axis of space."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True))

    @property
    def borders(self) -> tuple[tuple[int, int], ...]:
        """The pads as (before, after) for each axis of space."""
        return split_pads(self.pads)

    def shape_of(self, *sources: Shape) -> Shape:
        """(out channels, *space)."""
        space = sources[0][1:]
        counts = windows_along(space, self.pads, self.kernel, self.strides, self.dilations)
        return (self.weights.shape[0], *counts)

    def apply(self, *sources: Floats) -> Floats:
        """Σ over taps and channels of the group, plus the bias."""
        (source,) = sources
        windows = self.windows(pad(source, self.borders))
        batch, space = len(windows), windows.shape[2 : 2 + len(self.kernel)]
        rows = self.weights.reshape(self.groups, self.weights.shape[0] // self.groups, -1)
        sums = np.empty((batch, *rows.shape[:2], prod(space)), np.result_type(source, rows))
        # every position sees a window of its own: all of them at once could fill the memory
        size = max(1, BLOCK // max(1, batch * prod(self.kernel) * source.shape[1]))
        for start in range(0, prod(space), size):
            block = np.arange(start, min(start + size, prod(space)))
            places: tuple[Any, ...] = (slice(None), slice(None), *np.unravel_index(block, space))
            seen = np.moveaxis(windows[places], 1, 2)
            grouped = seen.reshape(batch, len(block), self.groups, -1)
            sums[..., block] = np.einsum("bpgf,gof->bgop", grouped, rows, optimize=True)
        result: Floats = sums.reshape(batch, -1, *space) + per_channel(self.bias, len(space) + 1)
        return result

    def windows(self, padded: Floats) -> Floats:
        """View what each output position sees: (batch, channels, *space, *kernel)."""
        axes = list(range(2, 2 + len(self.kernel)))
        views = np.lib.stride_tricks.sliding_window_view(padded, self.span, axis=axes)  # type: ignore[call-overload]
        steps = (slice(None, None, step) for step in (*self.strides, *self.dilations))
        index = (slice(None), slice(None), *steps)
        return np.asarray(views[index])

    def __str__(self) -> str:
        kernel, strides = times(self.kernel), times(self.strides)
        text = f"conv {kernel} stride {strides} pads {','.join(map(str, self.pads))}"
        text += f" dilation {times(self.dilations)}" if set(self.dilations) != {1} else ""
        return text + (f" groups {self.groups}" if self.groups > 1 else "")


@dataclass(frozen=True, eq=False)
class MatMul:
    """Every element of the source, in C, H, W order, meets every neuron."""

    weights: Floats
    """(neurons, elements)."""
    bias: Floats
    """(neurons,), or the shape of the result."""
    result: Shape = ()
    """The shape of the result, if the neurons are more than a row."""

    def shape_of(self, *sources: Shape) -> Shape:
        """(neurons,), or the shape that was asked for."""
        return self.result or (self.weights.shape[0],)

    def apply(self, *sources: Floats) -> Floats:
        """Weights times inputs, plus the bias."""
        sums = sources[0].reshape(len(sources[0]), -1) @ self.weights.T
        shape = self.shape_of()
        return sums.reshape(-1, *shape) + per_channel(self.bias, len(shape))

    def __str__(self) -> str:
        return f"matmul {times(self.weights.shape[::-1])}"
