"""Keep the sum, send the change of the level: docs/codes/delta.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from snnc.compiler.laws.base import (
    Bounds,
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
from snnc.compiler.laws.readout import Readout


@dataclass(frozen=True, eq=False)
class Delta(OnStaircase):
    """It sends n_t − n_{t−1} as the signed payload of one spike, and nothing where nothing changed.

    S_t = S_{t−1} + Σ w·Δn is kept for good, in whole numbers and so without drift, and
    n_t = clip(⌊(S_t + B)/Δ⌋, 0, N). Before the first frame every level is 0, so S_t is the sum
    Σ w·n_t of the frame alone (the sigma-delta neuron of lava-dl's SDNN; Brehove et al., arXiv
    2505.06417).
    """

    accepts: ClassVar[tuple[Train, ...]] = ("changes",)
    train: ClassVar[Train] = "changes"
    turn: ClassVar[int] = 1
    potential_steps: ClassVar[int] = 1
    is_constant: ClassVar[bool] = False
    accumulates: ClassVar[bool] = True

    @property
    def planes(self) -> int:
        """One for each bit of the change, in two's complement."""
        return bits_for(self.levels) + 1

    def window(self, train: Train, turn: int) -> int:
        """The one step of its source."""
        return turn

    def fires_at(self, arrive: int, complete: int) -> int:
        """In the step in which all changes of the frame are there."""
        return complete

    def current(self, sums: Bounds) -> Bounds:
        """A change is the difference of two frames, and so is every partial sum of changes."""
        return changes_of(sums)

    def stretched(self, turn: int) -> Self:
        """Unchanged."""
        return self

    def relay(self, channels: int, levels: int, *, constant: bool) -> Delta:
        """Δ = 1 gives every level back, and so every change."""
        return Delta(np.ones(channels, np.int64), levels)

    def bit_planes(self, sent: Sent) -> Planes:
        """The bits of the change."""
        return bits_of(sent, self.planes)

    def spikes_in(self, planes: Planes) -> int:
        """A payload is one spike."""
        return count_payloads(planes)

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """One for each frame in which its level changes."""
        return over_images(sent != 0)

    def __str__(self) -> str:
        return f"sends changes of {self.levels} levels, threshold {span_of(self.step)}"


@dataclass(frozen=True, eq=False)
class DeltaReadout(Readout):
    """It keeps the sum of all changes, and shows v = S_t + B in every frame."""

    accepts: ClassVar[tuple[Train, ...]] = ("changes",)

    def current(self, sums: Bounds) -> Bounds:
        """See `Delta`."""
        return changes_of(sums)


def changes_of(sums: Bounds) -> Bounds:
    """The bounds of the difference of two sums, each within bounds that hold 0.

    Every partial sum of Σ w·Δn is the difference of two partial sums of Σ w·n.
    """
    return Bounds(sums.low - sums.high, sums.high - sums.low)


def changes_between(numbers: Sent, before: Sent) -> Sent:
    """What changes from each frame to the next (frames, *shape), given the one before the first."""
    frames = np.concatenate([before[None], numbers]).astype(np.int32)
    return np.diff(frames, axis=0)
