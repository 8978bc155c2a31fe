"""The family of laws that integrate and fire: v ← v + a + B; s = [v ≥ θ]; v ← v − s·θ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from snnc.compiler.laws.base import (
    Bounds,
    Circuit,
    Fault,
    Integers,
    Parameter,
    Sent,
    Shape,
    Train,
    per_neuron,
    too_few,
    too_high,
)


@dataclass(frozen=True, eq=False)
class IntegrateAndFire:
    """Facts of the potential, whatever it starts from.

    The bias is added in every time step. Under a constant current v may saturate: a neuron that
    fires in every step, or never, goes on doing so, and the bounds are those of the first step.
    """

    threshold: Integers
    """θ for each channel: what one spike takes off."""
    initial: Integers
    """v(0) for each channel, before any calibration: ⌊θ/2⌋."""
    time_steps: int
    """T, the time steps that the read-out counts."""

    accepts: ClassVar[tuple[Train, ...]] = ("spikes",)
    train: ClassVar[Train] = "spikes"
    is_constant: ClassVar[bool] = False
    accumulates: ClassVar[bool] = False
    integrates: ClassVar[bool] = True
    circuit: ClassVar[Circuit] = "programmable"
    copies: ClassVar[int] = 1

    @property
    def step_of_level(self) -> Integers:
        """θ: a level is a spike."""
        return self.threshold

    @property
    def first_threshold(self) -> Integers:
        """θ."""
        return self.threshold

    def current(self, sums: Bounds) -> Bounds:
        """The sums."""
        return sums

    def parameters(self) -> Iterator[Parameter]:
        """θ and v(0)."""
        yield Parameter("thresholds", self.threshold.shape)
        yield Parameter("initial potentials", self.initial.shape)

    def faults(self, state_max: int) -> Iterator[Fault]:
        """A neuron starts between 0 and its threshold, which is a state."""
        few = [*too_few(self.time_steps, self.threshold)]
        yield from few or too_high(int(self.threshold.max()), state_max)
        if np.any(self.initial < 0) or np.any(self.initial >= self.threshold):
            low, high = self.initial.min(), self.initial.max()
            yield Fault(f"initial potential {low}..{high}; allowed: from 0 to below the threshold")

    def staircase(self, bias: Integers, shape: Shape) -> None:
        """None: the number depends on the order of the spikes."""


def from_rest(sums: Bounds, total_bias: Integers, initial: Integers) -> Bounds:
    """The bounds of v for a neuron that starts from v(0).

    Args:
        sums: of Σ w·n over all steps, or over one of a constant current.
        total_bias: over as many steps.
        initial: v(0), broadcasting over the sums.
    """
    low = sums.low + np.minimum(total_bias, 0)
    return Bounds(low, sums.high + np.maximum(total_bias, 0) + initial)


def spikes_of_train(sent: Sent) -> Integers:
    """The spikes of each neuron in trains (time steps, images, *shape), over all images."""
    return np.asarray(sent.sum(axis=(0, 1), dtype=np.int64))


def spread(values: Integers, shape: Shape) -> Integers:
    """Values for each channel, so that they broadcast over a population."""
    return per_neuron(values, shape).astype(np.int64, copy=False)
