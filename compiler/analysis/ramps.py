"""A function of one number as a sum of ramps, each of which a population can send."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.network import Builder
from snnc.compiler.operators import Add, Affine, Floats, Staircase

Sums: TypeAlias = npt.NDArray[np.floating[Any]]
HALF = np.array(0.5)


@dataclass(frozen=True, eq=False)
class Ramp:
    """Rise·n/L, with the level n = clip(⌊(x − start)·L/(end − start) + ½⌋, 0, L).

    All numbers broadcast over a sample: one, or one for each channel.
    """

    levels: int
    """L."""
    start: Floats
    end: Floats
    """Above start."""
    rise: Floats
    """From the lowest level to the highest; below 0 where the ramp falls."""
    thresholds: Floats | None = None
    """Where the levels 1 … L begin on the scale on which even ones begin at 1 … L:
    (levels, …); None for these."""

    def level(self, sums: Sums) -> Sums:
        """N, in the precision of the sums."""
        kind = sums.dtype.type
        scale = self.levels / (self.end - self.start)
        values = sums * kind(scale) if np.ndim(scale) == 0 else sums * scale.astype(kind)
        values += np.asarray(0.5 - self.start * scale).astype(kind)
        return Staircase(self.levels, thresholds=self.thresholds).apply(values)

    def add_to(self, builder: Builder, name: str, source: str, serves: str = "") -> str:
        """Write it behind a source; returns the node that gives it."""
        scale = np.asarray(self.levels / (self.end - self.start))
        sums = builder.add(f"{name}.levels", Affine(scale, -self.start * scale), source)
        fires = builder.add(name, Staircase(self.levels, HALF, self.thresholds, serves), sums)
        worth = Affine(np.asarray(self.rise / self.levels), np.array(0.0))
        return builder.add(f"{name}.value", worth, fires)


@dataclass(frozen=True, eq=False)
class Ramps:
    """Offset + the sum of some ramps."""

    ramps: tuple[Ramp, ...]
    offset: Floats
    """Broadcasts over a sample."""

    @property
    def levels(self) -> int:
        """Those of every ramp."""
        return self.ramps[0].levels

    @property
    def populations(self) -> int:
        """One for each ramp."""
        return len(self.ramps)

    @property
    def span(self) -> tuple[float, float]:
        """Where the first ramp begins and the last one ends."""
        starts, ends = zip(*((np.min(e.start), np.max(e.end)) for e in self.ramps), strict=True)
        return float(min(starts)), float(max(ends))

    def apply(self, sums: Sums) -> Sums:
        """What comes of sums, in their precision."""
        kind = sums.dtype.type
        total = np.zeros_like(sums) + np.asarray(self.offset).astype(kind)
        for each in self.ramps:
            total += each.level(sums) * np.asarray(each.rise / each.levels).astype(kind)
        return total

    def moved(self, offset: Floats) -> Ramps:
        """The same, with more to its offset."""
        return replace(self, offset=self.offset + offset)

    def add_to(self, builder: Builder, name: str, source: str) -> str:
        """Write them behind a source; returns the node that gives their sum."""
        several = len(self.ramps) > 1
        found = [
            each.add_to(
                builder,
                f"{name}.ramp{index}" if several else f"{name}.ramp",
                source,
                "more ramps of activations" if index > 1 else "",
            )
            for index, each in enumerate(self.ramps, 1)
        ]
        total = builder.add(f"{name}.sum", Add(), *found) if several else found[0]
        return builder.add(name, Affine(np.array(1.0), self.offset), total)
