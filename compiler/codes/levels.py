"""The family of codes that send the levels themselves, whatever train carries them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from typing_extensions import Self

from snnc.compiler.codes.plain import PlainCode
from snnc.compiler.errors import Problem
from snnc.compiler.inputs import Input
from snnc.compiler.laws import Readout
from snnc.compiler.laws.base import Shape
from snnc.compiler.options import AveragePools, CompileOptions, Encoding, InputCode
from snnc.compiler.quantization.layer import Layer
from snnc.compiler.quantization.lowering import LevelLaw, Lowered, LoweringContext, on_levels, shown
from snnc.compiler.target import Target


class LevelCode(PlainCode):
    """What codes of levels share: a layer keeps its staircase, and an image its turn."""

    is_exact: ClassVar[bool] = True
    law: ClassVar[LevelLaw]
    """Makes a neuron from its steps and levels."""
    readout: ClassVar[type[Readout]] = Readout

    def problems(self, options: CompileOptions, target: Target) -> Iterator[Problem]:
        """None of its own."""
        yield from ()

    def settled(self, levels: int) -> Self:
        """Nothing is left open."""
        return self

    def average_pool(self, wanted: AveragePools) -> AveragePools:
        """As wanted."""
        return wanted

    def input(self, encoding: Encoding, code: InputCode, name: str, shape: Shape) -> Input:
        """Pixels are levels too."""
        return encoding.input(name, shape, code)

    def lowered(self, layer: Layer, constant: Sequence[bool], context: LoweringContext) -> Lowered:
        """On the staircase that the layer has."""
        if layer.highest is None:
            return shown(layer, context, type(self).readout)
        assert layer.thresholds is None, "only copies have uneven levels"
        return on_levels(layer, layer.highest, context, type(self).law)
