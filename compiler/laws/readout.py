"""The last population, which has no activation and sends no spikes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import Self

from snnc.compiler.laws.base import (
    Bounds,
    Circuit,
    Fault,
    Floats,
    Integers,
    Parameter,
    Shape,
    Train,
    too_long,
)
from snnc.compiler.limits import COUNTED, is_size


@dataclass(frozen=True, eq=False)
class Readout:
    """It shows v = Σ w·n + B once, worth unit·v."""

    unit: Floats
    """Real value of one unit of v, for each channel."""
    time_steps: int = 0
    """T of a train whose spikes it counts; 0 for trains that say one number."""

    train: ClassVar[Train] = "once"
    levels: ClassVar[int] = 0
    turn: ClassVar[int] = 1
    potential_steps: ClassVar[int] = 1
    is_constant: ClassVar[bool] = False
    integrates: ClassVar[bool] = False
    circuit: ClassVar[Circuit] = "any"
    copies: ClassVar[int] = 1
    step_of_level: ClassVar[None] = None
    first_threshold: ClassVar[None] = None

    @property
    def accepts(self) -> tuple[Train, ...]:
        """Spikes where it counts them."""
        return ("spikes",) if self.time_steps else ("bits", "once")

    @property
    def summed_steps(self) -> int:
        """T."""
        return max(1, self.time_steps)

    @property
    def accumulates(self) -> bool:
        """Not where it counts the spikes of trains that run side by side."""
        return not self.time_steps

    @property
    def settings(self) -> Mapping[str, int]:
        """T, if it counts spikes."""
        return {"T": self.time_steps} if self.time_steps else {}

    def window(self, train: Train, turn: int) -> int:
        """The T steps that it counts, or all of another train."""
        return self.time_steps if train == "spikes" else turn

    def fires_at(self, arrive: int, complete: int) -> int:
        """In the step in which the sum is whole."""
        return complete

    def stretched(self, turn: int) -> Self:
        """Unchanged."""
        return self

    def current(self, sums: Bounds) -> Bounds:
        """The sums."""
        return sums

    def potential(self, sums: Bounds, bias: Integers, shape: Shape, *, steady: bool) -> Bounds:
        """The sums and the bias."""
        return Bounds(sums.low + bias, sums.high + bias)

    def parameters(self) -> Iterator[Parameter]:
        """The units."""
        yield Parameter("units", self.unit.shape)

    def faults(self, state_max: int) -> Iterator[Fault]:
        """A logit is unit·v: the order of the classes must survive."""
        if not (is_size(float(self.unit.min())) and is_size(float(self.unit.max()))):
            yield Fault("a unit is not finite and above 0")
        yield from too_long("time steps counted", self.time_steps, COUNTED)

    def __str__(self) -> str:
        return f"read out, unit {self.unit.min():.4g}..{self.unit.max():.4g}"
