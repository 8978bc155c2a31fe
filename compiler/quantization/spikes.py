"""Layers of a rate code: what one spike adds, in thresholds of the neuron that receives it.

A staircase of N levels becomes a threshold θ worth all of them, and a source of N' levels sends
spikes worth N' each: over T steps a neuron that receives its input evenly fires n·T/N spikes (Bu et
al., ICLR 2022). The half step of the staircase, which bit-serial neurons have in their bias, is the
initial potential θ/2 here. Where all numbers are whole, as in a max pool, there is no such half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from snnc.compiler.laws import OffsetSpike, Rate
from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.quantization.layer import Layer


def in_spikes(
    layer: Layer, constant: Sequence[bool], law: Rate | OffsetSpike, *, steady_is_exact: bool
) -> Layer:
    """The layer in thresholds for one spike, its reach that of all time steps.

    Args:
        layer: in levels.
        constant: for each projection whether its source is the input, a constant current.
        law: of the neurons, whatever their thresholds.
        steady_is_exact: whether a layer under a constant current rounds its bias once.
    """
    fires = layer.highest is not None
    levels = layer.highest or 1
    worth = [1 if c else n for c, n in zip(constant, layer.levels, strict=True)]
    half = 0.5 if fires and (layer.thresholds is not None or not _is_whole(layer)) else 0.0
    counted = law.levels if fires else law.time_steps
    steady = fires and all(constant)
    times = 1 if steady else counted
    margin = 1.0 if steady else law.margin if fires else 0.0
    found = replace(
        layer,
        rows=tuple(r * (n / levels) for r, n in zip(layer.rows, worth, strict=True)),
        levels=tuple(times * (n if c else 1) for c, n in zip(constant, layer.levels, strict=True)),
        bias=(layer.bias - half) / levels,
        # of all projections or of none
        statistics=tuple(_scaled(s, n) for s, n in zip(layer.statistics, worth, strict=False)),
        time_steps=times,
        margin=margin,
        swings=fires and not steady and law.swings,
        keeps=law.keeps_residual,
        repeated=fires and not (steady and steady_is_exact),
        worth=tuple(levels / n for n in worth),
        bias_worth=float(levels),
    )
    return _saturated(found) if fires else found


def _is_whole(layer: Layer) -> bool:
    """Whether a staircase rounds nothing, as behind a sum or a difference of levels."""
    arrays = (*layer.rows, layer.bias)
    return all(np.array_equal(each, np.round(each)) for each in arrays)


def _scaled(statistics: Statistics, worth: int) -> Statistics:
    """The same in spikes for each time step."""
    return Statistics(statistics.covariance / worth**2)


def _saturated(layer: Layer) -> Layer:
    """Pull in a bias beyond which the neuron never fires, or always: the same spikes."""
    low, high = (
        each.reshape(-1, *(1,) * (layer.bias.ndim - 1)) / layer.time_steps for each in layer.reach
    )
    return replace(layer, bias=np.clip(layer.bias, -high - 1.0, 2.0 - low))
