"""Levels as rates of spikes: docs/codes/rate.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from snnc.compiler.codes.base import Staircases, SweepGrid, SweepPoint
from snnc.compiler.codes.settings import graded_pixels_alone
from snnc.compiler.codes.spike_counts import SpikeCountCode
from snnc.compiler.errors import Problem
from snnc.compiler.options import CompileOptions
from snnc.compiler.target import Target


@dataclass(frozen=True)
class RateCode(SpikeCountCode):
    """The rate code of QCFS networks (Bu et al., ICLR 2022)."""

    name: ClassVar[str] = "rate"

    def problems(self, options: CompileOptions, target: Target) -> Iterator[Problem]:
        """Pixels are a current."""
        yield from graded_pixels_alone(self.name, options.input_code, "a current")
        yield from super().problems(options, target)

    @classmethod
    def points(cls, grid: SweepGrid, network: Staircases) -> Iterator[SweepPoint]:
        """One for every T."""
        for steps in dict.fromkeys(grid.timesteps):
            yield SweepPoint(cls(steps), steps, error_free=None)
