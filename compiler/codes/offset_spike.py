"""Rates whose offset spikes are calibrated away: docs/codes/offset-spike.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from snnc.compiler.codes.base import Staircases, SweepGrid, SweepPoint
from snnc.compiler.codes.settings import graded_pixels_alone
from snnc.compiler.codes.spike_counts import SpikeCountCode
from snnc.compiler.errors import Problem
from snnc.compiler.laws import Integers, OffsetSpike
from snnc.compiler.limits import STEPS, TURN
from snnc.compiler.options import CompileOptions
from snnc.compiler.target import Target

DEFAULT_RHO = 4
"""As in Hao et al., ICLR 2023."""


@dataclass(frozen=True)
class OffsetSpikeCode(SpikeCountCode):
    """The rate code, each neuron calibrated to every image (Hao et al., ICLR 2023)."""

    rho: int | None = None
    """Time steps of one calibration."""
    iterations: int | None = None
    """Calibrations; each moves one spike."""
    light: bool = False
    """Whether the residual potential is kept instead."""

    name: ClassVar[str] = "offset-spike"

    @property
    def series(self) -> str:
        """A curve for each number of calibrations, and one of the light variant."""
        if self.light:
            return f"{self.name}, light"
        times = f", {self.iterations} iterations" if (self.iterations or 1) > 1 else ""
        return f"{self.name}{times}"

    def problems(self, options: CompileOptions, target: Target) -> Iterator[Problem]:
        """The residual is kept once; pixels are a current."""
        if self.light and (self.iterations or 1) > 1:
            what = f"{self.iterations} with `light`, which keeps the residual once"
            yield Problem("`iterations`", what, "leave one of them out")
        yield from graded_pixels_alone(self.name, options.input_code, "a current")
        counts = [n for n in (self.timesteps, self.rho, self.iterations) if n is not None]
        turn = self.settled(1).neuron(np.ones(1, np.int64)).turn
        if STEPS.holds(*counts) and not TURN.holds(turn):
            what = f"a turn of {turn} time steps or more; allowed: {TURN}"
            yield Problem("`rho`, `iterations`", what, "choose smaller ones, or fewer `timesteps`")
        yield from super().problems(options, target)

    def settled(self, levels: int) -> Self:
        """ρ = 4 and one calibration, where nothing else was chosen."""
        rho = DEFAULT_RHO if self.rho is None else self.rho
        iterations = 1 if self.iterations is None else self.iterations
        return replace(super().settled(levels), rho=rho, iterations=iterations)

    def neuron(self, threshold: Integers) -> OffsetSpike:
        """With v(0) = θ/2 before any calibration."""
        assert self.rho is not None
        assert self.iterations is not None
        counts = self.steps, self.rho, self.iterations
        return OffsetSpike(threshold, threshold // 2, *counts, self.light)

    @classmethod
    def points(cls, grid: SweepGrid, network: Staircases) -> Iterator[SweepPoint]:
        """One for every T on each curve."""
        curves = [cls(rho=grid.rho, iterations=n) for n in dict.fromkeys(grid.iterations)]
        curves += [cls(rho=grid.rho, light=True)] * grid.light
        for curve in curves:
            for steps in dict.fromkeys(grid.timesteps):
                yield SweepPoint(replace(curve, timesteps=steps), steps, error_free=None)
