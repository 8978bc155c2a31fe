"""All spikes of T time steps at once, by copies of each neuron: docs/codes/one-spike.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from snnc.compiler.codes.base import Staircases, SweepGrid, SweepPoint
from snnc.compiler.codes.spike_counts import SpikeCountCode
from snnc.compiler.inputs import Input, PlanesInput
from snnc.compiler.laws.base import Shape
from snnc.compiler.options import Encoding, InputCode
from snnc.compiler.passes.spike_at_once import spike_at_once
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.target import STOCK, Target


@dataclass(frozen=True)
class OneSpikeCode(SpikeCountCode):
    """Parallel spike generation in one time step, on stock CUBA neurons (OneSpike)."""

    name: ClassVar[str] = "one-spike"
    is_exact: ClassVar[bool] = True
    runs_on_stock: ClassVar[bool] = True
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

    @classmethod
    def points(cls, grid: SweepGrid, network: Staircases) -> Iterator[SweepPoint]:
        """One: as many groups as the most levels.

        An activation that has fewer becomes finer, so levels are the source's if all have as many.
        """
        yield SweepPoint(cls(), 1, error_free=network.one_size)
