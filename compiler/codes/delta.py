"""Changes of levels from frame to frame: docs/codes/delta.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from snnc.compiler.codes.base import Staircases, SweepGrid, SweepPoint
from snnc.compiler.codes.levels import LevelCode
from snnc.compiler.codes.settings import graded_pixels_alone
from snnc.compiler.errors import Problem
from snnc.compiler.inputs import ChangesInput, Input
from snnc.compiler.laws import Delta, DeltaReadout, Readout
from snnc.compiler.laws.base import Shape
from snnc.compiler.options import CompileOptions, Encoding, InputCode
from snnc.compiler.quantization.layer import Layer
from snnc.compiler.quantization.lowering import LevelLaw, Lowered, LoweringContext
from snnc.compiler.target import Target


@dataclass(frozen=True)
class DeltaCode(LevelCode):
    """For streams of frames: the levels of graded, of which only the changes are sent."""

    name: ClassVar[str] = "delta"
    law: ClassVar[LevelLaw] = Delta
    readout: ClassVar[type[Readout]] = DeltaReadout

    def problems(self, options: CompileOptions, target: Target) -> Iterator[Problem]:
        """Changes of pixels are payloads."""
        yield from graded_pixels_alone(self.name, options.input_code, "changes")

    def input(self, encoding: Encoding, code: InputCode, name: str, shape: Shape) -> Input:
        """Pixels send their changes too."""
        return encoding.sent_as(ChangesInput, name, shape, encoding.levels)

    def lowered(self, layer: Layer, constant: Sequence[bool], context: LoweringContext) -> Lowered:
        """As in graded, with room for changes: they reach as far below 0 as above it."""
        return super().lowered(replace(layer, swings=True), constant, context)

    @classmethod
    def points(cls, grid: SweepGrid, network: Staircases) -> Iterator[SweepPoint]:
        """One; the images of the data set are the frames of one stream."""
        yield SweepPoint(cls(), 1, error_free=True)
