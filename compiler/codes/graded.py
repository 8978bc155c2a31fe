"""Levels as payloads of single spikes: docs/codes/graded.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from snnc.compiler.codes.base import Staircases, SweepGrid, SweepPoint
from snnc.compiler.codes.levels import LevelCode
from snnc.compiler.laws import Graded
from snnc.compiler.quantization.lowering import LevelLaw


@dataclass(frozen=True)
class GradedCode(LevelCode):
    """One spike in one time step."""

    name: ClassVar[str] = "graded"
    law: ClassVar[LevelLaw] = Graded

    @classmethod
    def points(cls, grid: SweepGrid, network: Staircases) -> Iterator[SweepPoint]:
        """One."""
        yield SweepPoint(cls(), 1, error_free=True)
