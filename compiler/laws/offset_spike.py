"""Integrate and fire from a calibrated potential: docs/codes/offset-spike.md."""

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
class OffsetSpike(IntegrateAndFire):
    """A rate neuron that first listens for rho steps, and moves v(0) so that it fires as it should.

    Its train goes into a bit register. The turn: the train as it is fired, `span` steps; its first
    rho steps again for every further calibration of its targets; the whole train once more (Hao et
    al., ICLR 2023).
    """

    rho: int
    """Steps of one calibration."""
    iterations: int = 1
    """Calibrations; each mends one spike."""
    light: bool = False
    """Whether the residual potential itself becomes v(0), where it tells of an offset."""

    @property
    def span(self) -> int:
        """Length of the train."""
        return max(self.time_steps, self.rho)

    @property
    def levels(self) -> int:
        """The most spikes of the train."""
        return self.span

    @property
    def wait(self) -> int:
        """Time steps from the first spike that arrives to the first that is fired."""
        return self.span + (self.iterations - 1) * self.rho

    @property
    def turn(self) -> int:
        """The train as it comes, its beginnings, and the train again."""
        return self.wait + self.span

    @property
    def summed_steps(self) -> int:
        """The length of the train."""
        return self.span

    @property
    def potential_steps(self) -> int:
        """V serves the whole turn."""
        return self.turn

    @property
    def planes(self) -> int:
        """One for each step of the turn."""
        return self.turn

    @property
    def margin(self) -> float:
        """Thresholds that the potential needs beyond the sums, see `potential`."""
        return float(self.levels + self.iterations + 1)

    @property
    def swings(self) -> bool:
        """Whether it may start as far below 0 as the sums reach above it."""
        return True

    @property
    def keeps_residual(self) -> bool:
        """Whether it may start where the sums left it."""
        return self.light

    @property
    def settings(self) -> Mapping[str, int]:
        """T, ρ and the number of calibrations."""
        return {"T": self.time_steps, "rho": self.rho, "iterations": self.iterations}

    def window(self, train: Train, turn: int) -> int:
        """All of its source's turn, which is as long as its own."""
        return self.turn

    def fires_at(self, arrive: int, complete: int) -> int:
        """After its calibrations."""
        return arrive + self.wait

    def potential(self, sums: Bounds, bias: Integers, shape: Shape, *, steady: bool) -> Bounds:
        """The bounds of a calibrated potential.

        It starts where a spike just fails or just comes about, at −S + kθ for some partial sum S
        and k ≤ M, or one θ away from where it started before: so it lies within
        −high − Kθ … max(v(0), −low + Mθ) + Kθ for sums low … high over M steps and K calibrations.
        One that is kept, the light variant, starts up to K sums away from v(0) or 0.
        """
        initial, threshold = spread(self.initial, shape), spread(self.threshold, shape)
        total = bias if steady else bias * self.span
        if steady:
            return from_rest(sums, total, initial)
        low, high = sums.low + np.minimum(total, 0), sums.high + np.maximum(total, 0)
        if self.light:
            rounds = self.iterations + 1
            return Bounds(rounds * low, rounds * high + initial)
        moved = self.iterations * threshold
        highest = np.maximum(initial, self.span * threshold - low) + moved
        return Bounds(low - high - moved, highest + high)

    def stretched(self, turn: int) -> Self:
        """Unchanged."""
        return self

    def relay(self, channels: int, levels: int, *, constant: bool) -> OffsetSpike | Current:
        """A train is repeated by θ = 1 from 0 on; a current in all steps of the turn."""
        ones = np.ones(channels, np.int64)
        if constant:
            return Current(ones, levels, self.turn, self.wait)
        return replace(self, threshold=ones, initial=0 * ones)

    def bit_planes(self, sent: Sent) -> Planes:
        """The train, its beginnings and the train again."""
        planes = steps_of(sent)
        again = [planes[:, : self.rho]] * (self.iterations - 1)
        return np.concatenate([planes, *again, planes], axis=1)

    def spikes_in(self, planes: Planes) -> int:
        """All of them, those that are sent again too."""
        return count_spikes(planes)

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """The spikes of the train twice, and those of its beginnings."""
        again = (self.iterations - 1) * spikes_of_train(sent[: self.rho])
        return 2 * spikes_of_train(sent) + again

    def __str__(self) -> str:
        rounds = "light" if self.light else f"{self.iterations} times"
        return (
            f"calibrates for {self.rho} steps {rounds}, then fires for {self.span}, "
            f"threshold {span_of(self.threshold)}"
        )
