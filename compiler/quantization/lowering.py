"""One layer becomes a population of integers: on its staircase, in spikes, or as the read-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from snnc.compiler.laws import Firing, Integers, Neuron, OffsetSpike, Rate, Readout
from snnc.compiler.operators import Floats, per_channel
from snnc.compiler.quantization.layer import Layer, Precision, saturated
from snnc.compiler.quantization.observer import Observer, RoundedLayer
from snnc.compiler.quantization.scale import bias_room, resolution, steps
from snnc.compiler.quantization.synapses import on_one_grid, rounded
from snnc.compiler.quantization.units import fitted
from snnc.compiler.quantization.whole_numbers import (
    WholeNumbers,
    finest_exponent,
    finest_step,
    multiple,
    on_grid,
    spacing,
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
        return layer.bias + per_channel(shift, layer.bias.ndim)


@dataclass(frozen=True, eq=False)
class Lowered:
    """A population, and what became of its thresholds where its weights stayed as they were."""

    population: Population
    taken_over: WholeNumbers | None = None
    rounded: RoundedLayer | None = None
    """What became of its weights where they did not."""


def on_levels(layer: Layer, levels: int, context: LoweringContext, law: LevelLaw) -> Lowered:
    """A population that sends the levels of the layer's staircase."""
    precision = context.precision
    layer = replace(layer, bias=saturated(layer, levels))
    r = spacing(layer, precision)
    whole = None if r is None else on_grid(layer, levels, r, precision)
    if r is not None and whole is not None:
        projections = on_one_grid(layer, context.names, r, whole.exponent)
        neuron = law(whole.step, levels)
        return Lowered(_made(layer, context, projections, whole.bias, neuron), whole)
    layer = fitted(layer, precision)
    scale = steps(layer, levels, precision)
    projections, lost = rounded(layer, context.names, scale, precision)
    bias = _whole(context.bias(layer, lost), scale)
    neuron = law(scale.astype(np.int64), levels)
    population = _made(layer, context, projections, bias, neuron)
    return Lowered(population, rounded=_became(layer, lost, bias, scale))


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
    r = spacing(layer, precision)
    found = None if r is None else finest_step(layer, r, precision)
    room = bias_room(layer, precision)
    if r is not None and found is not None and np.all(found[0] <= room):
        step, shift = found
        times = np.minimum(multiple(layer, r, shift, precision), np.floor(room / step))
        step = step * times.astype(np.int64)
        projections = on_one_grid(layer, context.names, r / times, shift)
        bias = _whole(layer.bias, step.astype(np.float64))
        return Lowered(_made(layer, context, projections, bias, neuron(step)))
    layer = fitted(layer, precision)
    scale = steps(layer, 1, precision)
    projections, lost = rounded(layer, context.names, scale, precision)
    bias = _whole(context.bias(layer, lost), scale)
    population = _made(layer, context, projections, bias, neuron(scale.astype(np.int64)))
    return Lowered(population, rounded=_became(layer, lost, bias, scale))


def shown(
    layer: Layer, context: LoweringContext, readout: Callable[[Floats], Readout] = Readout
) -> Lowered:
    """The read-out; `readout` makes its law from the units of the channels."""
    precision = context.precision
    r = spacing(layer, precision)
    shift = None if r is None else finest_exponent(layer, r, precision)
    if r is not None and shift is not None:
        scale, bias, became = 2.0**shift / r, layer.bias, None
        projections = on_one_grid(layer, context.names, r, shift)
    else:
        layer = fitted(layer, precision)
        scale = resolution(layer, precision)
        projections, lost = rounded(layer, context.names, scale, precision)
        bias = context.bias(layer, lost)
        became = layer.rounded(lost, bias)
    times = layer.time_steps
    neuron = readout(1.0 / (scale * times))
    population = _made(layer, context, projections, _whole(bias * times, scale), neuron)
    return Lowered(population, rounded=became)


def _became(layer: Layer, lost: tuple[Floats, ...], bias: Integers, scale: Floats) -> RoundedLayer:
    """What is left of a layer that fires.

    Half a unit more of the bias: floats must not miss a threshold that whole sums just reach.
    """
    return layer.rounded(lost, (bias + 0.5) / per_channel(scale, bias.ndim))


def _made(
    layer: Layer,
    context: LoweringContext,
    projections: tuple[Projection, ...],
    bias: Integers,
    neuron: Neuron,
) -> Population:
    shape = planar(layer.node.shape)
    bias = bias.reshape(shape) if bias.ndim > 1 else bias
    return Population(context.names[layer.node.name], shape, projections, bias, neuron)


def _whole(bias: Floats, scale: Floats) -> Integers:
    return np.asarray(np.round(bias * per_channel(scale, bias.ndim)), np.int64)
