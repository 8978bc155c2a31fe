"""Levels as bits, one time step after the other: docs/codes/bit-serial.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from snnc.compiler.codes.base import Staircases, SweepGrid, SweepPoint
from snnc.compiler.codes.levels import LevelCode
from snnc.compiler.laws import BitSerial
from snnc.compiler.quantization.lowering import LevelLaw


@dataclass(frozen=True)
class BitSerialCode(LevelCode):
    """Error-free conversion in T = ⌈log2 Q⌉ time steps."""

    timesteps: int | None = None
    """T; fewer than the levels have bits make it coarser."""

    name: ClassVar[str] = "bit-serial"
    law: ClassVar[LevelLaw] = BitSerial

    @property
    def coarsest(self) -> int | None:
        """T bits."""
        return self.timesteps

    @classmethod
    def points(cls, grid: SweepGrid, network: Staircases) -> Iterator[SweepPoint]:
        """A point for each T below the bits of the levels, and one at their bits.

        More time steps would be the same network.
        """
        for steps in dict.fromkeys(grid.timesteps):
            if steps < network.bits:
                yield SweepPoint(cls(steps), steps, error_free=False)
        yield SweepPoint(cls(), network.bits, error_free=True)
