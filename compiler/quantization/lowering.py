"""One layer becomes a population of integers: on its staircase, in spikes, or as the read-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from snnc.compiler.laws import Firing, Integers, Neuron, OffsetSpike, Rate, Readout
from snnc.compiler.operators import Floats, per_channel
from snnc.compiler.quantization.common_factors import WholeRows, whole_rows
from snnc.compiler.quantization.layer import Layer, Precision, saturated
from snnc.compiler.quantization.magnified import magnified
from snnc.compiler.quantization.observer import Observer, RoundedLayer
from snnc.compiler.quantization.scale import held_bias, resolution, steps
from snnc.compiler.quantization.shortcuts import kept_rows
from snnc.compiler.quantization.synapses import rounded, taken_over
from snnc.compiler.quantization.units import fitted
from snnc.compiler.quantization.whole_numbers import (
    NO_COMMON_FACTOR,
    Kept,
    NotKept,
    WholeNumbers,
    on_grid,
)
from snnc.compiler.quantization.whole_scales import (
    SpikingStep,
    finest_exponent,
    spiking_step,
    with_whole_biases,
)
from snnc.compiler.spiking import Population, Projection, planar


class LevelLaw(Protocol):
    """Makes a neuron that sends the levels of a staircase."""

    def __call__(self, step: Integers, levels: int) -> Firing:
        """The neuron with Δ of each channel and N."""
        ...


@dataclass(frozen=True)
class LoweringContext:
    """What every layer of a network shares."""

    names: Mapping[str, str]
    """Of populations, by the node that ends them."""
    precision: Precision
    observer: Observer | None = None
    """Calibration images, if there are any."""

    def at(self, bits: int | None) -> LoweringContext:
        """The same with weights of so many bits; of as many as before if none are named."""
        if bits is None:
            return self
        return replace(self, precision=replace(self.precision, weight_bits=bits))

    def bias(self, layer: Layer, lost: tuple[Floats, ...]) -> Floats:
        """The layer's bias, with what makes up for the rows that are lost."""
        if self.observer is None:
            return layer.bias
        shift = self.observer.shift(layer.node, layer.in_levels(lost)) / layer.bias_worth
        return layer.bias + per_channel(layer.gain * shift, layer.bias.ndim)


@dataclass(frozen=True, eq=False)
class Lowered:
    """A population, and what became of its weights where they were whole numbers already."""

    population: Population
    whole: WholeNumbers | NotKept | Kept | None = None
    """None where they were no whole numbers."""
    rounded: RoundedLayer | None = None
    """What became of its weights where they did not stay as they were."""
    recoded: int | None = None
    """The levels that its staircase had, of a code whose levels are others; else None."""


def on_levels(layer: Layer, levels: int, context: LoweringContext, law: LevelLaw) -> Lowered:
    """A population that sends the levels of the layer's staircase."""
    precision = context.precision
    layer = saturated(layer, levels)
    rows = kept_rows(layer, precision)
    whole = on_grid(layer, levels, rows, precision) if rows else None
    if rows and isinstance(whole, WholeNumbers):
        weights = rows.times(whole.times)
        projections = taken_over(layer, context.names, weights, whole.exponent, precision)
        neuron = law(whole.step, levels)
        return Lowered(made(layer, context, projections, whole.bias, neuron), whole)
    fate = _fate(layer, rows, whole)
    layer = fitted(saturated(magnified(layer, levels), levels), precision)
    scale = steps(layer, levels, precision)
    projections, lost = rounded(layer, context.names, scale, precision)
    bias = _whole(context.bias(layer, lost), scale)
    neuron = law(scale.astype(np.int64), levels)
    population = made(layer, context, projections, bias, neuron)
    return Lowered(population, fate, _became(layer, lost, bias, scale))


def on_spikes(
    layer: Layer, context: LoweringContext, neuron: Callable[[Integers], Rate | OffsetSpike]
) -> Lowered:
    """A population that integrates and fires.

    Args:
        layer: in thresholds for one spike, see `snnc.compiler.quantization.spikes`.
        context: of the network.
        neuron: makes the law from the thresholds of the channels.
    """
    precision = context.precision
    rows = kept_rows(layer, precision)
    found = spiking_step(layer, rows, precision) if rows else None
    if rows and isinstance(found, SpikingStep):
        weights = rows.times(found.times)
        projections = taken_over(layer, context.names, weights, found.exponent, precision)
        bias = _whole(layer.bias, found.step.astype(np.float64))
        population = made(layer, context, projections, bias, neuron(found.step))
        return Lowered(population, Kept())
    fate = _fate(layer, rows, found)
    layer = fitted(layer, precision)
    scale = steps(layer, 1, precision)
    projections, lost = rounded(layer, context.names, scale, precision)
    bias = held_bias(layer, _whole(context.bias(layer, lost), scale), scale, precision)
    population = made(layer, context, projections, bias, neuron(scale.astype(np.int64)))
    return Lowered(population, fate, _became(layer, lost, bias, scale))


def shown(
    layer: Layer, context: LoweringContext, readout: Callable[[Floats], Readout] = Readout
) -> Lowered:
    """The read-out; `readout` makes its law from the units of the channels."""
    precision = context.precision
    rows = kept_rows(layer, precision)
    rows = rows and with_whole_biases(layer, rows)
    found = finest_exponent(layer, rows, precision) if rows else None
    fate: NotKept | Kept | None = Kept()
    became: RoundedLayer | None = None
    if rows and isinstance(found, int):
        scale, bias = 2.0**found / rows.r, layer.bias
        projections = taken_over(layer, context.names, rows, found, precision)
    else:
        fate = _fate(layer, rows, found)
        layer = fitted(layer, precision)
        scale = resolution(layer, precision)
        projections, lost = rounded(layer, context.names, scale, precision)
        bias = context.bias(layer, lost)
        became = layer.rounded(lost, bias)
    times = layer.time_steps
    neuron = readout(1.0 / (scale * times))
    population = made(layer, context, projections, _whole(bias * times, scale), neuron)
    return Lowered(population, fate, became)


def _became(layer: Layer, lost: tuple[Floats, ...], bias: Integers, scale: Floats) -> RoundedLayer:
    """What is left of a layer that fires.

    Half a unit more of the bias: floats must not miss a threshold that whole sums just reach.
    """
    return layer.rounded(lost, (bias + 0.5) / per_channel(scale, bias.ndim))


def _fate(layer: Layer, rows: WholeRows | None, found: object) -> NotKept | None:
    """Why whole-number weights were rounded; None where they were none."""
    if rows is None and len(layer.rows) > 1:
        parts = [whole_rows([each]) for each in layer.rows]
        apart = all(part is not None and part.is_certain for part in parts)
        return NO_COMMON_FACTOR if apart else None
    return found if isinstance(found, NotKept) and rows and rows.is_certain else None


def made(
    layer: Layer,
    context: LoweringContext,
    projections: tuple[Projection, ...],
    bias: Integers,
    neuron: Neuron,
) -> Population:
    """The population of a layer, named and shaped as its result."""
    shape = planar(layer.node.shape)
    bias = bias.reshape(shape) if bias.ndim > 1 else bias
    return Population(context.names[layer.node.name], shape, projections, bias, neuron)


def _whole(bias: Floats, scale: Floats) -> Integers:
    return np.asarray(np.round(bias * per_channel(scale, bias.ndim)), np.int64)
