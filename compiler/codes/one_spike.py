"""All spikes of T time steps at once, by copies of each neuron: docs/codes/one-spike.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from snnc.compiler.codes.base import Staircases, SweepGrid, SweepPoint
from snnc.compiler.codes.spike_counts import SpikeCountCode
from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import Input, PlanesInput
from snnc.compiler.laws import Copies, Floats, Integers, Rate
from snnc.compiler.laws.base import Shape, per_neuron
from snnc.compiler.options import Encoding, InputCode
from snnc.compiler.passes.spike_at_once import as_copies, at_once, copied, spike_at_once
from snnc.compiler.quantization.common_factors import whole_rows
from snnc.compiler.quantization.layer import Layer, saturated
from snnc.compiler.quantization.lowering import Lowered, LoweringContext, made
from snnc.compiler.quantization.synapses import most_times, taken_over
from snnc.compiler.quantization.thresholds import Thresholds
from snnc.compiler.quantization.whole_numbers import Kept
from snnc.compiler.spiking import Population, SpikingNetwork, planar
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

    def _keeps(self, layer: Layer, constant: Sequence[bool]) -> bool:
        """Whether a level has a copy of its own, here and in the sources, and levels are even."""
        sent = [n for n, c in zip(layer.levels, constant, strict=True) if not c]
        return layer.thresholds is None and {layer.highest, *sent} == {self.steps}

    def limits(self, target: Target) -> Target:
        """Those of stock neurons."""
        return STOCK

    def rewritten(self, network: SpikingNetwork) -> SpikingNetwork:
        """The rate network becomes copies of stock neurons."""
        return spike_at_once(network)

    def lowered(self, layer: Layer, constant: Sequence[bool], context: LoweringContext) -> Lowered:
        """As the rate network's; whole-number weights meet the real thresholds, copy by copy."""
        exact = _exact(layer, context) if self._keeps(layer, constant) else None
        try:
            found = self._as_rates(layer, constant, context)
        except SnncError:
            if exact is None:
                raise
            return Lowered(exact[0], Kept())
        if exact is not None and not _is_alike(found, constant, *exact):
            return Lowered(exact[0], Kept())
        other = layer.highest is not None and layer.highest != self.steps
        return replace(found, recoded=layer.highest if other else None)

    def _as_rates(
        self, layer: Layer, constant: Sequence[bool], context: LoweringContext
    ) -> Lowered:
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


def _exact(layer: Layer, context: LoweringContext) -> tuple[Population, Integers] | None:
    """Copies with a threshold each, ⌈(j − b)/r⌉ − 1, and the greatest sums.

    None where weights are no whole numbers, or stock neurons do not hold them.
    """
    precision, levels = context.precision, layer.highest
    assert levels is not None
    layer = saturated(layer, levels)
    rows = whole_rows(layer.rows)
    if rows is None or np.any(most_times(layer, rows, precision)[0] < 1):
        return None
    asked = Thresholds.of(layer, levels, rows, precision.target)
    if asked.farthest_sum.max() > precision.target.state_max:
        return None
    thresholds = np.moveaxis(asked.met, 2, 0) - 1
    if layer.bias.ndim > 1:
        thresholds = thresholds[:, :, asked.neurons]
        thresholds = thresholds.reshape(levels, *planar(layer.node.shape))
    else:
        thresholds = thresholds[:, :, 0]
    projections = taken_over(layer, context.names, rows, 0, precision)
    none = np.zeros(len(rows.r), np.int64)
    population = copied(made(layer, context, projections, none, Copies(thresholds)), thresholds)
    if population.bias.max() > STOCK.bias_max:
        return None
    return population, asked.high


def _is_alike(found: Lowered, constant: Sequence[bool], exact: Population, top: Integers) -> bool:
    """Whether the copies of a rate network's layer give every sum the level that exact ones do.

    Args:
        found: the layer of the rate network.
        constant: for each of its projections whether its source is the input.
        exact: copies with the weights as they are.
        top: (channels,), the greatest sum.
    """
    if not isinstance(found.whole, Kept):
        return False
    copies = at_once(found.population, constant)
    times = _peak(copies) // np.maximum(_peak(exact), 1)
    ours, theirs = _met(copies, np.maximum(times, 1), top), _met(exact, np.ones_like(times), top)
    return bool(np.all(ours == theirs))


def _peak(population: Population) -> Integers:
    weights = [each.connection.weights for each in population.projections]
    sizes = [np.abs(w).reshape(population.shape[0], -1).max(1) for w in weights]
    return np.asarray(np.max(sizes, axis=0))


def _met(copies: Population, times: Integers, top: Integers) -> Integers:
    """(copies, channels) or (copies, *shape): the least sum that each copy fires at, up to top."""
    assert isinstance(copies.neuron, Copies)
    thresholds, shape = copies.neuron.thresholds, copies.neuron.thresholds.shape[1:]
    bias, m, most = (per_neuron(each, shape) for each in (copies.bias, times, top))
    return np.minimum((thresholds - bias) // m, most) + 1
