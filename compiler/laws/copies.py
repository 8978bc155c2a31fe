"""Copies of stock CUBA neurons with thresholds of their own: docs/codes/one-spike.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from snnc.compiler.laws.base import (
    Bounds,
    Circuit,
    Fault,
    Integers,
    Parameter,
    Planes,
    Sent,
    Shape,
    Train,
    WholeStaircase,
    over_images,
    per_neuron,
    span_of,
)
from snnc.compiler.laws.planes import count_spikes
from snnc.compiler.limits import COPIES
from snnc.compiler.target import STOCK


@dataclass(frozen=True, eq=False)
class Copies:
    """N stock neurons with the same weights; copy j fires if Σ w·n + B > threshold j.

    The number of copies that fire is the level, there at once.
    """

    thresholds: Integers
    """(N, channels), or (N, *shape): they rise with the copies."""

    accepts: ClassVar[tuple[Train, ...]] = ("once",)
    train: ClassVar[Train] = "once"
    turn: ClassVar[int] = 1
    summed_steps: ClassVar[int] = 1
    potential_steps: ClassVar[int] = 1
    is_constant: ClassVar[bool] = False
    accumulates: ClassVar[bool] = False
    integrates: ClassVar[bool] = False
    circuit: ClassVar[Circuit] = "stock"
    settings: ClassVar[Mapping[str, int]] = {}
    step_of_level: ClassVar[None] = None

    @property
    def levels(self) -> int:
        """N, the number of copies."""
        return len(self.thresholds)

    @property
    def copies(self) -> int:
        """N."""
        return len(self.thresholds)

    @property
    def planes(self) -> int:
        """One for each copy."""
        return len(self.thresholds)

    @property
    def first_threshold(self) -> Integers:
        """Those of all copies."""
        return self.thresholds

    def window(self, train: Train, turn: int) -> int:
        """One step: stock neurons forget what came before."""
        return turn

    def fires_at(self, arrive: int, complete: int) -> int:
        """At once."""
        return complete

    def current(self, sums: Bounds) -> Bounds:
        """The sums."""
        return sums

    def potential(self, sums: Bounds, bias: Integers, shape: Shape, *, steady: bool) -> Bounds:
        """The sums and the bias."""
        return Bounds(sums.low + bias, sums.high + bias)

    def parameters(self) -> Iterator[Parameter]:
        """The thresholds."""
        shape = self.thresholds.shape[1:]
        yield Parameter("thresholds of each copy", shape, by_neuron=True)

    def faults(self, state_max: int) -> Iterator[Fault]:
        """Thresholds of CUBA neurons have mantissas of 17 bits."""
        if not COPIES.holds(self.copies):
            yield Fault(f"{self.copies} copies; allowed: {COPIES}", is_size=True)
        low, high = int(self.thresholds.min()), int(self.thresholds.max())
        if low < 0 or high > STOCK.threshold_max:
            what = f"thresholds span {low}..{high}; allowed: 0..{STOCK.threshold_max}"
            yield Fault(what, is_size=True)
        if np.any(self.thresholds[1:] < self.thresholds[:-1]):
            yield Fault("thresholds of its copies fall")

    def staircase(self, bias: Integers, shape: Shape) -> WholeStaircase | None:
        """Thresholds that rise by equal steps, which are the same in a channel, are a staircase."""
        first, rises = self.thresholds[0], np.diff(self.thresholds, axis=0)
        step = rises[0] if len(rises) else np.ones_like(first)
        by_channel = step.reshape(len(step), -1)
        if np.any(rises != step) or np.any(by_channel != by_channel[:, :1]) or np.any(step < 1):
            return None
        start = per_neuron(first, shape) if bias.ndim > 1 else first
        known = bias if first.ndim == 1 else per_neuron(bias, shape)
        shift = per_neuron(by_channel[:, 0], start.shape) - start - 1
        return WholeStaircase(known + shift, by_channel[:, 0], self.levels)

    def stretched(self, turn: int) -> Self:
        """Unchanged."""
        return self

    def relay(self, channels: int, levels: int, *, constant: bool) -> Copies:
        """As many copies fire as did before."""
        return Copies(np.arange(levels)[:, None] * np.ones(channels, np.int64))

    def bit_planes(self, sent: Sent) -> Planes:
        """A plane for each copy."""
        neurons = sent.reshape(len(sent), -1)
        copies = range(1, self.levels + 1)
        return np.stack([np.packbits(neurons >= j, axis=1) for j in copies], axis=1)

    def spikes_in(self, planes: Planes) -> int:
        """Those of all copies."""
        return count_spikes(planes)

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """As many as copies fire."""
        return over_images(sent)

    def __str__(self) -> str:
        return f"fires at once in {self.levels} copies, thresholds {span_of(self.thresholds)}"
