"""Accumulate, then send all of n as one payload: docs/codes/graded.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from snnc.compiler.laws.base import (
    Integers,
    Planes,
    Sent,
    Train,
    bits_for,
    over_images,
    span_of,
)
from snnc.compiler.laws.on_staircase import OnStaircase
from snnc.compiler.laws.planes import bits_of, count_payloads


@dataclass(frozen=True, eq=False)
class Graded(OnStaircase):
    """It sends the same n as a bit-serial neuron, all of it as the payload of one spike."""

    accepts: ClassVar[tuple[Train, ...]] = ("bits", "once")
    train: ClassVar[Train] = "once"
    turn: ClassVar[int] = 1
    potential_steps: ClassVar[int] = 1
    is_constant: ClassVar[bool] = False
    accumulates: ClassVar[bool] = True

    @property
    def planes(self) -> int:
        """One for each bit of the payload."""
        return bits_for(self.levels)

    def window(self, train: Train, turn: int) -> int:
        """A step for each bit of the source."""
        return turn

    def fires_at(self, arrive: int, complete: int) -> int:
        """In the step in which the number is whole."""
        return complete

    def stretched(self, turn: int) -> Self:
        """Unchanged."""
        return self

    def relay(self, channels: int, levels: int, *, constant: bool) -> Graded:
        """Δ = 1 gives every level back."""
        return Graded(np.ones(channels, np.int64), levels)

    def bit_planes(self, sent: Sent) -> Planes:
        """The bits of the payload."""
        return bits_of(sent, self.planes)

    def spikes_in(self, planes: Planes) -> int:
        """A payload is one spike."""
        return count_payloads(planes)

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """One for each image in which it sends anything."""
        return over_images(sent != 0)

    def __str__(self) -> str:
        return f"sends {self.levels} levels graded, threshold {span_of(self.step)}"
