"""The family of codes in which a level is a number of spikes, each worth as much as the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from typing_extensions import Self

from snnc.compiler.codes.plain import PlainCode
from snnc.compiler.errors import Problem
from snnc.compiler.inputs import CurrentInput, Input
from snnc.compiler.laws import Floats, Integers, OffsetSpike, Rate, Readout
from snnc.compiler.laws.base import Shape
from snnc.compiler.options import AveragePools, CompileOptions, Encoding, InputCode
from snnc.compiler.quantization.layer import Layer
from snnc.compiler.quantization.lowering import Lowered, LoweringContext, on_spikes, shown
from snnc.compiler.quantization.magnified import sharpened
from snnc.compiler.quantization.spikes import in_spikes
from snnc.compiler.target import Target


@dataclass(frozen=True)
class SpikeCountCode(PlainCode):
    """What they share: a layer is lowered to neurons that integrate and fire."""

    timesteps: int | None = None
    """T; by default as many as the most levels."""

    is_exact: ClassVar[bool] = False
    steady_is_exact: ClassVar[bool] = False
    """Whether a layer under a constant current rounds its bias once, and not in every step."""

    @property
    def steps(self) -> int:
        """T, once it is settled."""
        assert self.timesteps is not None
        return self.timesteps

    def problems(self, options: CompileOptions, target: Target) -> Iterator[Problem]:
        """A sum has more levels than a train of spikes can tell apart."""
        if options.average_pool == "sum":
            what = (
                f"'sum' with the code {self.name!r}, in which a sum would be coarser than its parts"
            )
            yield Problem("`average_pool`", what, "leave it out")

    def settled(self, levels: int) -> Self:
        """As many time steps as levels, where none were chosen."""
        return self if self.timesteps is not None else replace(self, timesteps=levels)

    def average_pool(self, wanted: AveragePools) -> AveragePools:
        """Always composed: a sum would be coarser than its parts."""
        return "compose"

    def input(self, encoding: Encoding, code: InputCode, name: str, shape: Shape) -> Input:
        """A constant current for as long as a neuron's turn lasts."""
        turn = self.neuron(np.ones(1, np.int64)).turn
        return encoding.sent_as(CurrentInput, name, shape, encoding.levels, turn)

    def neuron(self, threshold: Integers) -> Rate | OffsetSpike:
        """The neuron that integrates and fires, with v(0) = θ/2."""
        return Rate(threshold, threshold // 2, self.steps)

    def readout(self, unit: Floats) -> Readout:
        """It counts the spikes of T time steps."""
        return Readout(unit, self.steps)

    def lowered(self, layer: Layer, constant: Sequence[bool], context: LoweringContext) -> Lowered:
        """In thresholds for one spike."""
        law = self.neuron(np.ones(1, np.int64))
        if layer.highest == 1 and layer.thresholds is None:
            layer = sharpened(layer, context.precision)
        counted = in_spikes(layer, constant, law, steady_is_exact=self.steady_is_exact)
        if layer.highest is None:
            return shown(counted, context, self.readout)
        return on_spikes(counted, context, self.neuron)
