"""Accumulate, then fire bit by bit: docs/codes/bit-serial.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from snnc.compiler.laws.base import (
    Fault,
    Integers,
    Planes,
    Sent,
    Train,
    bits_for,
    over_images,
    span_of,
    too_long,
)
from snnc.compiler.laws.on_staircase import OnStaircase
from snnc.compiler.laws.planes import bits_of, count_spikes
from snnc.compiler.limits import LEAD


@dataclass(frozen=True, eq=False)
class BitSerial(OnStaircase):
    """It sends n = clip(⌊(Σ w·n + B)/Δ⌋, 0, N) as bits, the highest first."""

    lead: int = 0
    """Fire steps before the highest bit, always silent: they let unequal sources end together."""

    accepts: ClassVar[tuple[Train, ...]] = ("bits", "once")
    train: ClassVar[Train] = "bits"
    is_constant: ClassVar[bool] = False
    accumulates: ClassVar[bool] = True

    @property
    def turn(self) -> int:
        """T: a fire step for each bit, and the silent ones before."""
        return bits_for(self.levels) + self.lead

    @property
    def potential_steps(self) -> int:
        """What is left of v after one bit decides the next."""
        return self.turn

    @property
    def planes(self) -> int:
        """One for each fire step."""
        return self.turn

    def faults(self, state_max: int) -> Iterator[Fault]:
        """Thresholds are states, and a few fire steps are silent."""
        yield from super().faults(state_max)
        yield from too_long("silent fire steps", self.lead, LEAD)

    def window(self, train: Train, turn: int) -> int:
        """A step for each bit of the source."""
        return turn

    def fires_at(self, arrive: int, complete: int) -> int:
        """In the step of the last bit."""
        return complete

    def stretched(self, turn: int) -> Self:
        """The first steps are silent."""
        return replace(self, lead=turn - bits_for(self.levels))

    def relay(self, channels: int, levels: int, *, constant: bool) -> BitSerial:
        """Δ = 1 gives every level back."""
        return BitSerial(np.ones(channels, np.int64), levels)

    def bit_planes(self, sent: Sent) -> Planes:
        """The bits of n."""
        return bits_of(sent, self.planes)

    def spikes_in(self, planes: Planes) -> int:
        """Each bit is a spike."""
        return count_spikes(planes)

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """The ones among the bits of n."""
        return ones_in(sent)

    def __str__(self) -> str:
        step = span_of(self.step)
        return f"fires {self.levels} levels in {self.turn} steps, threshold {step}"


def ones_in(numbers: Sent) -> Integers:
    """The ones among the bits of numbers (images, …), summed over the images."""
    ones = np.zeros(numbers.shape[1:], np.int64)
    for place in range(int(numbers.max(initial=0)).bit_length()):
        ones += over_images(numbers >> place & 1)
    return ones
