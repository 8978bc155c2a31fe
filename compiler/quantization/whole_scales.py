"""Whole-number weights of neurons that count spikes, and of read-outs: how fine their units are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats
from snnc.compiler.quantization.common_factors import WholeRows
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.scale import bias_room
from snnc.compiler.quantization.synapses import most_times, times_held
from snnc.compiler.quantization.whole_numbers import FEWER, NotKept, too_far, too_many_bits

TOLERANCE = 1e-3
"""The share of a threshold by which it may be off; and of a unit, by which a bias may."""
CONSTANT = 1 << 11
"""Units of the bias of a neuron that nothing moves: a stock neuron holds twice as many."""
SMALLEST_SPAN = 4.0
"""Where sums are next to nothing, θ, v(0) and the bias still need so many thresholds."""


@dataclass(frozen=True, eq=False)
class SpikingStep:
    """Integers for neurons that integrate and fire."""

    step: Integers
    """(channels,): θ."""
    exponent: int
    times: Integers
    """(channels,): how often the weights fit into those of the file."""


def spiking_step(layer: Layer, rows: WholeRows, precision: Precision) -> SpikingStep | NotKept:
    """Thresholds for weights that stay as they are, and how often both fit; or why not."""
    most = most_times(layer, rows, precision)
    if np.any(most[0] < 1):
        return too_many_bits(layer, rows, precision)
    span = np.maximum(layer.span, SMALLEST_SPAN) / rows.r
    legal = _legal_exponents(span, most, precision)
    if not legal:
        return too_far(float(span.max()), precision)
    off = [np.abs(np.round(2.0**e / rows.r) - 2.0**e / rows.r) * rows.r / 2.0**e for e in legal]
    fits = [e for e, each in zip(legal, off, strict=True) if np.all(each <= TOLERANCE)]
    if not fits:
        worst = min(float(each.max()) for each in off)
        return NotKept(f"a threshold would be off by {100 * worst:.2g} % of itself", FEWER)
    exponent = fits[0]
    step = np.round(2.0**exponent / rows.r).astype(np.int64)
    room = bias_room(layer, precision)
    if np.any(step > room):
        return bias_too_far(layer, rows, precision)
    # half of the state; two synapses are taken only where one does not hold the weights
    state = np.floor(precision.target.state_max / (2.0 * span * 2.0**exponent) + TOLERANCE)
    fits = np.min([times_held(each, precision, wide=False) for each in rows.weights], axis=0)
    times = np.minimum(np.minimum(fits, np.floor(room / step)), state)
    times = np.maximum(times, 1.0).astype(np.int64)
    return SpikingStep(step * times, exponent, times)


def finest_exponent(layer: Layer, rows: WholeRows, precision: Precision) -> int | NotKept:
    """For a read-out, the least exponent at which the bias is whole, or else the greatest legal."""
    most = most_times(layer, rows, precision)
    if np.any(most[0] < 1):
        return too_many_bits(layer, rows, precision)
    span = layer.span / rows.r
    legal = _legal_exponents(span, most, precision)
    if not legal:
        return too_far(float(span.max()), precision)
    if np.any(2.0 ** legal[0] / rows.r > bias_room(layer, precision)):
        return bias_too_far(layer, rows, precision)
    bias = layer.bias.reshape(len(layer.bias), -1) / rows.r[:, None]
    whole = (e for e in legal if np.all(np.abs(bias * 2**e - np.round(bias * 2**e)) < TOLERANCE))
    return next(whole, legal[-1])


def with_whole_biases(layer: Layer, rows: WholeRows) -> WholeRows:
    """The same with a factor for each row of zeros of which its bias is a whole multiple."""
    bias = np.abs(layer.bias.reshape(len(layer.bias), -1)).max(1) * layer.time_steps
    constant = (rows.peak == 0) & (bias > 0)
    return replace(rows, r=np.where(constant, bias / CONSTANT, rows.r))


def _legal_exponents(span: Floats, most: Sequence[Integers], precision: Precision) -> list[int]:
    # two units of S are left for rounding
    state = precision.target.state_max
    return [e for e, m in enumerate(most) if np.all((m >= 1) & ((span + 2) * 2.0**e < state))]


def bias_too_far(layer: Layer, rows: WholeRows, precision: Precision) -> NotKept:
    """The reason of a bias that no stock neuron holds."""
    farthest = float((np.abs(layer.bias.reshape(len(layer.bias), -1)).max(1) / rows.r).max())
    what = f"their bias reaches {farthest:.3g} units of the sum; a stock neuron holds 4095"
    return NotKept(what, "use another `code`")
