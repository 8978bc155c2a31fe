"""Units of the membrane for one level: as many as weights, threshold and state allow."""

from __future__ import annotations

import numpy as np

from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats, Staircase, per_channel
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.target import StockNeuron

FINEST_STEP = 64
"""Where weights are large, an exponent makes every Δ at least this: the bias rounds to ½/Δ."""
FINEST_JOIN = 2048
"""The same where shortcuts meet, whose few weights take the rounding of Δ to the next layer, and
where the bias is added in many time steps."""
BIAS_SHARE = 0.97
"""Of the room for a bias that is planned for: rounding moves it, and error feedback does."""
SHARP = 0.9
"""A shift must leave this share of the weights' resolution that a smaller one would."""
SEARCHED_FAN_IN = 64
"""Up to this fan-in a slightly smaller Δ may round much better; beyond, the errors average out."""
SEARCHED_STEPS = 48


def steps(layer: Layer, levels: int, precision: Precision) -> Floats:
    """Δ of each channel: odd, and as large as weights, threshold and state allow.

    Raises:
        SnncError: if not even Δ = 1 does.
    """
    largest = _largest(layer, precision)
    wanted = _shift(layer, largest, precision)
    if np.any(_state(layer, np.minimum(largest, _heaviest(layer, precision)), precision) < 1):
        raise SnncError(_too_much(layer, precision))
    shift, found = _placed_finest(layer, levels, largest, wanted, precision)
    # the greatest odd number that is not above it
    odd = np.floor((np.floor(found) - 1) / 2) * 2 + 1
    if np.any(odd < 1):
        raise SnncError(_too_large(layer, precision))
    return _best_rounded(layer, odd, shift)


def _placed_finest(
    layer: Layer, levels: int, largest: Floats, wanted: int, precision: Precision
) -> tuple[int, Floats]:
    """The greatest shift up to the wanted one that leaves weights sharp, and Δ with it.

    Rounding moves a sum the more, the farther weights are shifted, so none are sharper than those
    that are not shifted at all. Where no shift leaves them so and gives a Δ of 1 or more, the least
    does that gives one.
    """

    def sharpness(found: Floats, shift: int) -> float:
        return float((found / (largest * 2.0**shift)).min())

    offers = [_finest(layer, levels, largest, shift, precision) for shift in range(wanted + 1)]
    whole = [(shift, found) for shift, found in enumerate(offers) if found.min() >= 1]
    for shift, found in reversed(whole):
        if sharpness(found, shift) >= SHARP * sharpness(offers[0], 0):
            return shift, found
    return whole[0] if whole else (0, offers[0])


def _finest(layer: Layer, levels: int, largest: Floats, shift: int, precision: Precision) -> Floats:
    """The largest Δ of each channel with weights that are shifted so far."""
    fine = np.minimum(largest * 2.0**shift, _heaviest(layer, precision))
    # the ceiling (N + 1)·Δ − 1 may take half of the state
    threshold = precision.target.state_max // (2 * (levels + 1))
    found = np.minimum(fine, np.minimum(_state(layer, fine, precision), threshold))
    return np.minimum(found, bias_room(layer, precision))


def resolution(layer: Layer, precision: Precision) -> Floats:
    """Units of the membrane for one unit of the logit: what the weights can hold.

    A row without weights has a bias alone, in units as fine as the finest.
    """
    largest = _largest(layer, precision)
    silent = np.max([layer.peak(k) for k in range(len(layer.rows))], axis=0) == 0
    largest = np.where(silent, largest.max(), largest)
    fine = np.minimum(largest, _heaviest(layer, precision))
    return np.minimum(np.minimum(fine, _state(layer, fine, precision)), bias_room(layer, precision))


def bias_room(layer: Layer, precision: Precision) -> Floats:
    """The scale up to which stock neurons hold a bias above 0, or of any sign in a read-out.

    Below 0 it is part of their thresholds.
    """
    flat = layer.bias.reshape(len(layer.bias), -1) * layer.time_steps
    fires = isinstance(layer.node.operator, Staircase)
    most = flat.max(1) - _spare(layer) if fires else np.abs(flat).max(1)
    if not isinstance(precision.target, StockNeuron):
        return np.full(len(most), np.inf)
    limit = BIAS_SHARE * precision.target.bias_max - layer.time_steps
    return np.divide(limit, most, where=most > 0, out=np.full(len(most), np.inf))


def held_bias(layer: Layer, bias: Integers, scale: Floats, precision: Precision) -> Integers:
    """A bias of neurons that fire, within what stock neurons hold.

    The layer's own is. What makes up for rounding comes on top, and gives way.
    """
    if not isinstance(precision.target, StockNeuron):
        return bias
    room = precision.target.bias_max - layer.time_steps + _spare(layer) * scale
    most = np.floor(room / layer.time_steps).astype(np.int64)
    return np.minimum(bias, per_channel(most, bias.ndim))


def _spare(layer: Layer) -> Floats:
    """Thresholds that copy 1 lacks where the bias of all steps is 0, and needs no bias for.

    θ/2 of neurons that count, whose v(0) is the other half; else where the first level begins, or
    half a level before, where there are more copies than levels.
    """
    levels = layer.thresholds
    if levels is None:
        return np.array(0.5 if layer.time_steps > 1 else 0.0)
    first = 1.5 * levels[0] - 0.5 * levels[min(1, len(levels) - 1)] - 0.5
    return np.asarray(first * layer.time_steps / len(levels))


def exponent(peaks: Floats, scale: Floats, weight_max: int) -> int:
    """The least shift under which every weight of a projection is in range."""
    peak = float((peaks * scale).max())
    # a weight rounds down to the largest one from half a unit above it
    return max(0, int(np.ceil(np.log2(peak / (weight_max + 0.5))))) if peak > 0 else 0


def is_wide(layer: Layer, index: int, precision: Precision) -> bool:
    """Whether a projection's weights are worth two synapses each."""
    return precision.doubled or layer.is_narrow(index)


def placed(layer: Layer, index: int, scale: Floats, precision: Precision) -> tuple[int, bool]:
    """The exponent of a projection, and whether its weights are shared between two synapses.

    They are not where the upper one would be shifted farther than the chip can.
    """
    rows, peaks = layer.rows[index], layer.peak(index)
    if is_wide(layer, index, precision):
        shift = exponent(peaks, scale, precision.weight_max(rows, wide=True))
        if shift + precision.shift <= precision.target.max_weight_exponent:
            return shift, True
    return exponent(peaks, scale, precision.weight_max(rows, wide=False)), False


def _largest(layer: Layer, precision: Precision) -> Floats:
    """The scale at which the finest of a channel's projections fills its weights."""
    narrow = [layer.is_narrow(k) for k in range(len(layer.rows))]
    filled = [k for k, each in enumerate(narrow) if not each] or list(range(len(narrow)))
    scales = []
    for k in filled:
        wide = is_wide(layer, k, precision)
        top, peak = precision.weight_max(layer.rows[k], wide=wide), layer.peak(k)
        scales.append(np.divide(top, peak, where=peak > 0, out=np.zeros(len(peak))))
    finest = np.max(scales, axis=0)
    return np.where(finest > 0, finest, float(precision.weight_max(layer.rows[0], wide=False)))


def _heaviest(layer: Layer, precision: Precision) -> Floats:
    """The scale up to which every projection's weights fit, shifted as far as the chip can."""
    limits = []
    for k, rows in enumerate(layer.rows):
        top = precision.weight_max(rows, wide=False) << precision.target.max_weight_exponent
        peak = layer.peak(k)
        limits.append(np.divide(top, peak, where=peak > 0, out=np.full(len(peak), np.inf)))
    return np.asarray(np.min(limits, axis=0))


def _shift(layer: Layer, largest: Floats, precision: Precision) -> int:
    """The exponent that makes every Δ fine enough."""
    alone = len(layer.rows) == 1 and not layer.repeated
    finest = FINEST_STEP if alone else FINEST_JOIN
    needed = int(np.ceil(np.log2(finest / float(largest.min()))))
    return min(max(0, needed), precision.target.max_weight_exponent)


def _state(layer: Layer, scale: Floats, precision: Precision) -> Floats:
    """The scale up to which every sum, each weight rounded the wrong way, fits the state.

    At a scale no larger than the one given, whose exponents then suffice.
    """
    span = layer.span
    slack = sum(_slack(layer, k, scale, precision) for k in range(len(layer.rows)))
    # one that may start as far below 0 as it gets above it errs twice
    room = precision.target.state_max - (2 if layer.swings else 1) * slack - 1
    return np.divide(room, span, where=span > 0, out=np.full(len(span), np.inf))


def _slack(layer: Layer, index: int, scale: Floats, precision: Precision) -> float:
    """What rounding may add to a sum: half a unit for each weight.

    Error feedback moves a weight farther, and moves weights of 0 too.
    """
    rows, (shift, wide) = layer.rows[index], placed(layer, index, scale, precision)
    # 3 units are room for error feedback; legality is proved on the weights that come out
    moved = 3.0 if layer.statistics and not wide else 0.5
    count = rows.shape[2] if layer.statistics else int(np.count_nonzero(rows, axis=2).max())
    return float(count * layer.levels[index] * 2.0**shift * moved)


def _too_large(layer: Layer, precision: Precision) -> Problem:
    what = "no threshold of a whole number of units suits its weights, its sums and its bias"
    if (heaviest := float(_heaviest(layer, precision).min())) < 1:
        what = (
            f"its weights reach {1 / heaviest:.3g} times what synapses hold, with a threshold of 1 "
            "unit; allowed: up to 1 times"
        )
    mend = "compile with more `weight_bits`, or raise the activation's threshold"
    return Problem(layer.node.name, what, mend)


def _too_much(layer: Layer, precision: Precision) -> Problem:
    steps = f" over {layer.time_steps} time steps" if layer.time_steps > 1 else ""
    return Problem(
        layer.node.name,
        f"its sums{steps} reach {layer.span.max():.3g} thresholds; allowed: up to "
        f"{precision.target.state_max} units, and a threshold is at least 1",
        "compile with fewer `timesteps`, or fewer `input_bits`",
    )


def _best_rounded(layer: Layer, largest: Floats, shift: int) -> Floats:
    """Among odd steps up to a quarter smaller, the one whose weights round best."""
    rows = layer.rows[0].reshape(len(largest), -1)
    if rows.shape[1] > SEARCHED_FAN_IN or len(layer.rows) > 1 or layer.statistics:
        return largest
    # even numbers taken off an odd Δ leave it odd; twice an eighth is the quarter
    offers = 2 * np.round(np.linspace(0, 0.125, SEARCHED_STEPS)[:, None] * largest)
    candidates = np.maximum(largest - offers, 1)
    # (steps on offer, channels, weights)
    scaled = rows * (candidates / 2.0**shift)[:, :, None]
    errors = np.square((np.round(scaled) - scaled) / candidates[:, :, None]).sum(2)
    return np.asarray(candidates[errors.argmin(0), np.arange(len(largest))])
