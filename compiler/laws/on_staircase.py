"""The family of laws whose number is n = clip(⌊(Σ w·n + B)/Δ⌋, 0, N): they differ in sending it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from snnc.compiler.laws.base import (
    Bounds,
    Circuit,
    Fault,
    Integers,
    Parameter,
    Shape,
    WholeStaircase,
    bits_for,
    levels_fit,
)


@dataclass(frozen=True, eq=False)
class OnStaircase:
    """Facts of the number, whatever train sends it."""

    step: Integers
    """Δ for each channel (the first axis of the shape), whole and at least 1."""
    levels: int
    """N, the highest level."""

    summed_steps: ClassVar[int] = 1
    integrates: ClassVar[bool] = False
    circuit: ClassVar[Circuit] = "programmable"
    copies: ClassVar[int] = 1
    settings: ClassVar[Mapping[str, int]] = {}

    @property
    def step_of_level(self) -> Integers:
        """Δ."""
        return self.step

    @property
    def first_threshold(self) -> Integers:
        """Δ·2^(bits − 1), the threshold of the highest bit of n."""
        return self.step << (bits_for(self.levels) - 1)

    def current(self, sums: Bounds) -> Bounds:
        """The sums."""
        return sums

    def potential(self, sums: Bounds, bias: Integers, shape: Shape, *, steady: bool) -> Bounds:
        """The sums and the bias."""
        return Bounds(sums.low + bias, sums.high + bias)

    def parameters(self) -> Iterator[Parameter]:
        """Δ."""
        yield Parameter("thresholds", self.step.shape)

    def faults(self, state_max: int) -> Iterator[Fault]:
        """Thresholds are states."""
        return levels_fit(self.levels, self.step, state_max)

    def staircase(self, bias: Integers, shape: Shape) -> WholeStaircase:
        """Δ and N say it all."""
        return WholeStaircase(bias, self.step, self.levels)
