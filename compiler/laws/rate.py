"""Integrate and fire for T time steps: docs/codes/rate.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from typing_extensions import Self

from snnc.compiler.laws.base import Bounds, Integers, Planes, Sent, Shape, Train, span_of
from snnc.compiler.laws.current import Current
from snnc.compiler.laws.integrate_and_fire import (
    IntegrateAndFire,
    from_rest,
    spikes_of_train,
    spread,
)
from snnc.compiler.laws.planes import count_spikes, steps_of


@dataclass(frozen=True, eq=False)
class Rate(IntegrateAndFire):
    """Integrate and fire with soft reset, from v(0) on (Bu et al., ICLR 2022)."""

    @property
    def levels(self) -> int:
        """The most spikes that it can send."""
        return self.time_steps

    @property
    def turn(self) -> int:
        """T."""
        return self.time_steps

    @property
    def summed_steps(self) -> int:
        """T."""
        return self.time_steps

    @property
    def potential_steps(self) -> int:
        """T: v decides every spike."""
        return self.time_steps

    @property
    def planes(self) -> int:
        """One for each time step."""
        return self.time_steps

    @property
    def margin(self) -> float:
        """Thresholds that the potential needs beyond the sums: v(0)."""
        return 1.0

    @property
    def swings(self) -> bool:
        """Whether it may start as far below 0 as the sums reach above it."""
        return False

    @property
    def keeps_residual(self) -> bool:
        """Whether it may start where the sums left it."""
        return False

    @property
    def settings(self) -> Mapping[str, int]:
        """T."""
        return {"T": self.time_steps}

    def window(self, train: Train, turn: int) -> int:
        """T steps of its source's train."""
        return self.time_steps

    def fires_at(self, arrive: int, complete: int) -> int:
        """From the first spike that arrives on."""
        return arrive

    def potential(self, sums: Bounds, bias: Integers, shape: Shape, *, steady: bool) -> Bounds:
        """The sums and the biases of all steps, and v(0)."""
        total = bias if steady else bias * self.time_steps
        return from_rest(sums, total, spread(self.initial, shape))

    def stretched(self, turn: int) -> Self:
        """Unchanged."""
        return self

    def relay(self, channels: int, levels: int, *, constant: bool) -> Rate | Current:
        """A train is repeated by θ = 1 from 0 on; a current in all steps of the turn."""
        ones = np.ones(channels, np.int64)
        if constant:
            return Current(ones, levels, self.turn)
        return replace(self, threshold=ones, initial=0 * ones)

    def bit_planes(self, sent: Sent) -> Planes:
        """The train."""
        return steps_of(sent)

    def spikes_in(self, planes: Planes) -> int:
        """All of them."""
        return count_spikes(planes)

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """The spikes of the train."""
        return spikes_of_train(sent)

    def __str__(self) -> str:
        threshold = span_of(self.threshold)
        return f"integrates and fires for {self.time_steps} steps, threshold {threshold}"
