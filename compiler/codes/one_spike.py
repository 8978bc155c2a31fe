"""All spikes of T time steps at once, by copies of each neuron: docs/codes/one-spike.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from snnc.compiler.codes.base import Staircases, SweepGrid, SweepPoint
from snnc.compiler.codes.spike_counts import SpikeCountCode
from snnc.compiler.inputs import Input, PlanesInput
from snnc.compiler.laws import Floats, Rate
from snnc.compiler.laws.base import Shape
from snnc.compiler.options import Encoding, InputCode
from snnc.compiler.passes.spike_at_once import as_copies, spike_at_once
from snnc.compiler.quantization.layer import Layer
from snnc.compiler.quantization.lowering import Lowered, LoweringContext
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.target import STOCK, Target


def resampled(thresholds: Floats, copies: int) -> Floats:
    """Where as many copies begin to fire: N levels shared among them, (copies, …).

    Copy k stands for the level (k − ½)·N/T + ½, which lies between two thresholds where T is not N.
    """
    levels = len(thresholds)
    place = (np.arange(copies) + 0.5) * levels / copies - 0.5
    below = np.clip(np.floor(place).astype(int), 0, max(levels - 2, 0))
    above = np.minimum(below + 1, levels - 1)
    share = (place - below)[:, None]
    return np.asarray(thresholds[below] + share * (thresholds[above] - thresholds[below]))


@dataclass(frozen=True)
class OneSpikeCode(SpikeCountCode):
    """Parallel spike generation in one time step, on stock CUBA neurons (OneSpike)."""

    name: ClassVar[str] = "one-spike"
    is_exact: ClassVar[bool] = True
    runs_on_stock: ClassVar[bool] = True
    has_uneven_levels: ClassVar[bool] = True
    steady_is_exact: ClassVar[bool] = True

    def input(self, encoding: Encoding, code: InputCode, name: str, shape: Shape) -> Input:
        """The current of the rate network, or its bits, each a neuron of its own."""
        if code == "graded":
            return super().input(encoding, code, name, shape)
        channels, *space = shape
        bits = encoding.bits
        return encoding.sent_as(PlanesInput, name, (channels * bits, *space), 1, bits)

    def limits(self, target: Target) -> Target:
        """Those of stock neurons."""
        return STOCK

    def rewritten(self, network: SpikingNetwork) -> SpikingNetwork:
        """The rate network becomes copies of stock neurons."""
        return spike_at_once(network)

    def lowered(self, layer: Layer, constant: Sequence[bool], context: LoweringContext) -> Lowered:
        """As the rate network has it; copies at once, where levels begin at uneven places."""
        lowered = super().lowered(layer, constant, context)
        thresholds, neuron = layer.thresholds, lowered.population.neuron
        if thresholds is None or not isinstance(neuron, Rate):
            return lowered
        # a rate neuron fires once more for each θ, the first time at θ/2: N levels are T·θ
        share = (resampled(thresholds, self.steps) - 0.5) * self.steps / len(thresholds)
        missing = np.ceil(share * neuron.threshold).astype(np.int64)
        rank = lowered.population.bias.ndim
        spread = missing.reshape(missing.shape + (1,) * (rank - 1))
        population = as_copies(lowered.population, list(constant), self.steps, spread)
        return replace(lowered, population=population)

    @classmethod
    def points(cls, grid: SweepGrid, network: Staircases) -> Iterator[SweepPoint]:
        """One: as many groups as the most levels.

        An activation that has fewer becomes finer, so levels are the source's if all have as many.
        """
        yield SweepPoint(cls(), 1, error_free=network.one_size)
