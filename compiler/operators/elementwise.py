"""Operators that treat every element alike, and so keep the shape."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from snnc.compiler.operators.base import Floats, Shape, per_channel, span_of


class Elementwise:
    """An operator whose result has the shape of its sources."""

    def shape_of(self, *sources: Shape) -> Shape:
        """Unchanged."""
        return sources[0]


@dataclass(frozen=True, eq=False)
class Affine(Elementwise):
    """scale · x + offset, for each element."""

    scale: Floats
    offset: Floats

    def apply(self, *sources: Floats) -> Floats:
        """Scale, then shift."""
        result: Floats = sources[0] * self.scale + self.offset
        return result

    def __str__(self) -> str:
        return f"affine x {span_of(self.scale)} + {span_of(self.offset)}"


@dataclass(frozen=True, eq=False)
class BatchNorm(Elementwise):
    """gamma · (x − mean) / √(variance + epsilon) + beta, for each channel."""

    gamma: Floats
    beta: Floats
    mean: Floats
    variance: Floats
    epsilon: float

    def apply(self, *sources: Floats) -> Floats:
        """What the affine map with the same numbers gives."""
        return self.as_affine(sources[0].ndim - 1).apply(*sources)

    def as_affine(self, rank: int) -> Affine:
        """The affine map over samples of this rank."""
        scale = self.gamma / np.sqrt(self.variance + self.epsilon)
        offset = self.beta - self.mean * scale
        return Affine(per_channel(scale, rank), per_channel(offset, rank))

    def __str__(self) -> str:
        return "batch norm"


@dataclass(frozen=True, eq=False)
class Add(Elementwise):
    """The sum of several tensors of one shape."""

    def apply(self, *sources: Floats) -> Floats:
        """Element by element."""
        return np.asarray(sum(sources))

    def __str__(self) -> str:
        return "add"


@dataclass(frozen=True, eq=False)
class Clip(Elementwise):
    """No less than low, no more than high; a ReLU is 0 … ∞."""

    low: Floats
    high: Floats

    def apply(self, *sources: Floats) -> Floats:
        """Element by element."""
        return np.asarray(np.minimum(np.maximum(sources[0], self.low), self.high))

    def __str__(self) -> str:
        return f"clip {span_of(self.low)} {span_of(self.high)}"


@dataclass(frozen=True, eq=False)
class Floor(Elementwise):
    """The next whole number below."""

    def apply(self, *sources: Floats) -> Floats:
        """Element by element."""
        return np.asarray(np.floor(sources[0]))

    def __str__(self) -> str:
        return "floor"


@dataclass(frozen=True, eq=False)
class Round(Elementwise):
    """The nearest whole number; at exactly .5 the even one, as ONNX has it."""

    def apply(self, *sources: Floats) -> Floats:
        """Element by element."""
        return np.asarray(np.round(sources[0]))

    def __str__(self) -> str:
        return "round"


@dataclass(frozen=True, eq=False)
class Staircase(Elementwise):
    """n = clip(⌊x + shift⌋, 0, levels): the one activation that spikes can carry.

    Or, with thresholds t_1 … t_N of its own, the number of those that x + shift reaches.
    """

    levels: int
    shift: Floats = field(default_factory=lambda: np.array(0.0))
    """½ of QCFS; 0 once the biases before it are shifted."""
    thresholds: Floats | None = None
    """Where the levels 1 … N begin, if not at 1 … N: (levels,) and axes that broadcast over a
    sample. They rise from 1 to N."""
    serves: str = ""
    """What it is made for, where it is no activation of the model: "max pools"."""

    def apply(self, *sources: Floats) -> Floats:
        """Element by element."""
        shifted = sources[0] + self.shift
        if self.thresholds is None:
            return np.asarray(np.clip(np.floor(shifted), 0, self.levels))
        found = np.zeros_like(shifted)
        for each in self.thresholds:
            found += shifted >= each
        return found

    def __str__(self) -> str:
        shift = f" of x + {span_of(self.shift)}" if np.any(self.shift) else ""
        uneven = ", uneven" if self.thresholds is not None else ""
        return f"staircase 0..{self.levels}{shift}{uneven}"
