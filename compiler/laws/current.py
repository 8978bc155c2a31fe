"""The relay of a constant current, as which rate codes send pixels: docs/codes/rate.md."""

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
from snnc.compiler.laws.planes import bits_of, count_payloads
from snnc.compiler.limits import COUNTED


@dataclass(frozen=True, eq=False)
class Current(OnStaircase):
    """It receives one step of a current, and sends n in every step of its own turn."""

    turn: int
    """The time steps in which it sends."""
    delay: int = 0
    """Time steps between receiving and sending."""

    accepts: ClassVar[tuple[Train, ...]] = ("spikes",)
    train: ClassVar[Train] = "spikes"
    potential_steps: ClassVar[int] = 1
    is_constant: ClassVar[bool] = True
    accumulates: ClassVar[bool] = False

    @property
    def planes(self) -> int:
        """One for each bit of the payload."""
        return bits_for(self.levels)

    def faults(self, state_max: int) -> Iterator[Fault]:
        """Thresholds are states, and it waits for no longer than a turn may take."""
        yield from super().faults(state_max)
        yield from too_long("time steps of delay", self.delay, COUNTED)

    def window(self, train: Train, turn: int) -> int:
        """One step says it all."""
        return 1

    def fires_at(self, arrive: int, complete: int) -> int:
        """After its delay."""
        return arrive + self.delay

    def stretched(self, turn: int) -> Self:
        """Unchanged."""
        return self

    def relay(self, channels: int, levels: int, *, constant: bool) -> Current:
        """Δ = 1 gives every level back."""
        return replace(self, step=np.ones(channels, np.int64), levels=levels)

    def bit_planes(self, sent: Sent) -> Planes:
        """The bits of the payload, once for all steps."""
        return bits_of(sent, self.planes)

    def spikes_in(self, planes: Planes) -> int:
        """A payload is one spike in each step."""
        return self.turn * count_payloads(planes)

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """One for each step of each image in which it sends anything."""
        return self.turn * over_images(sent != 0)

    def __str__(self) -> str:
        step = span_of(self.step)
        return f"sends {self.levels} levels graded {self.turn} times, threshold {step}"
