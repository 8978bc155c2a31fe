"""The unit of a channel's weights: the real value of weight 1, searched for where data tell.

A large unit rounds every weight coarsely, a small one clips the largest: of 2 bits and a sign the
best leaves half of a channel's peak out. What counts is the cost of the rounded weights for the
sums, so the search rounds with error feedback for each unit on offer.

All projections of a population share the Δ of each channel, and their units differ by powers of 2:
one exponent for each projection. The search finds these exponents and the units together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats
from snnc.compiler.quantization.feedback import Statistics, fed_back, rounded
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.scale import is_wide

COARSE = 4
"""Units to an octave that are rounded for: their costs are smooth."""
FINE = 32
"""Units to an octave between which the cost is interpolated where projections meet."""
OCTAVES = range(-8, 9)
"""Between the units of two projections, as far as is searched."""


@dataclass(frozen=True, eq=False)
class UnitCosts:
    """What a projection loses at units of 2^(i/FINE), channel by channel."""

    first: Integers
    """(channels,) the i of the first unit."""
    costs: Floats
    """(channels, units), of one unit after the other."""
    signal: Floats
    """(channels,) the cost of no weights at all: that of a unit which clips even more."""

    def at(self, indices: Integers) -> Floats:
        """The cost at other units i (channels, units); above the largest, it is the largest's."""
        places = indices - self.first[:, None]
        found = np.take_along_axis(self.costs, np.clip(places, 0, self.costs.shape[1] - 1), 1)
        return np.where(places < 0, self.signal[:, None], found)


def fitted(layer: Layer, precision: Precision) -> Layer:
    """The layer with the clips that its best units mean, where data tell."""
    known = range(len(layer.statistics))
    main = [k for k in known if not is_wide(layer, k, precision)]
    if not main:
        return layer
    tables = {k: _costs(layer, k, precision, joined=len(known) > 1) for k in known}
    first = max(main, key=lambda k: float(_signal(layer, k).sum()))
    octaves = _octaves(tables, first)
    indices = _best_units(tables, first, octaves)
    units = np.exp2(indices / FINE)
    if len(known) == 1:
        units = _refitted(layer, first, units, precision)
    clips = [np.ones(len(layer.rows[0])) for _ in layer.rows]
    for k, octave in octaves.items():
        top = precision.weight_max(layer.rows[k], wide=is_wide(layer, k, precision))
        peak = np.abs(layer.rows[k]).max((1, 2))
        # a row of zeros has no peak, and no unit either
        clips[k] = np.divide(units * 2.0**octave * top, peak, where=peak > 0, out=clips[k])
    return replace(layer, clips=tuple(clips))


def _octaves(tables: dict[int, UnitCosts], first: int) -> dict[int, int]:
    """How many octaves each projection's unit lies above that of the first one."""
    found = {first: 0}
    others = [k for k in tables if k != first]
    # twice: the first time, those to come count nothing
    for k in (*others, *others):
        rest = {j: octave for j, octave in found.items() if j != k}
        losses = [
            float(_joint(tables, first, {**rest, k: octave}).min(1).sum()) for octave in OCTAVES
        ]
        found[k] = OCTAVES[int(np.argmin(losses))]
    return found


def _best_units(tables: dict[int, UnitCosts], first: int, octaves: dict[int, int]) -> Integers:
    """For each channel the unit of the first projection at which all together lose least."""
    return np.asarray(tables[first].first + _joint(tables, first, octaves).argmin(1))


def _joint(tables: dict[int, UnitCosts], first: int, octaves: dict[int, int]) -> Floats:
    """What the projections lose together, (channels, units of the first one)."""
    main = tables[first]
    indices = main.first[:, None] + np.arange(main.costs.shape[1])
    return np.asarray(sum(tables[k].at(indices + FINE * octave) for k, octave in octaves.items()))


def _costs(layer: Layer, index: int, precision: Precision, *, joined: bool) -> UnitCosts:
    """The costs of the units that may suit a projection.

    Where several meet, a unit may be too large for one of them.
    """
    wide = is_wide(layer, index, precision)
    top = precision.weight_max(layer.rows[index], wide=wide)
    peak = np.abs(layer.rows[index]).max((1, 2))
    largest = np.log2(np.where(peak > 0, peak, 1.0) / top)
    least = 0.0 if wide else -_clipped_octaves(precision.synapse_bits)
    most = 2.0 if joined else 0.0
    step = 1 if wide else FINE // COARSE
    first = np.floor((largest + least) * FINE).astype(np.int64)
    offsets = np.arange(0, int((most - least) * FINE) + step, step)
    units = np.exp2((first[:, None] + offsets) / FINE)
    costs = np.stack([_cost(layer, index, each, precision) for each in units.T], 1)
    fine = np.arange(offsets[-1] + 1)
    # linear between units that were rounded for
    whole, part = np.divmod(fine / step, 1)
    after = np.minimum(whole + 1, len(offsets) - 1).astype(np.int64)
    between = costs[:, whole.astype(np.int64)] * (1 - part) + costs[:, after] * part
    return UnitCosts(first, between, _signal(layer, index))


def _clipped_octaves(bits: int) -> float:
    """How far below the peak of a channel the largest weight that is kept may lie.

    Of 2 bits a quarter of the peak is best at times; from 4 bits on no less than half of it is.
    """
    return max(1.0, 3.0 - bits / 2)


def _cost(layer: Layer, index: int, units: Floats, precision: Precision) -> Floats:
    """What rounding to some unit (channels,) costs the sums of each channel."""
    rows, statistics = _flat(layer, index)
    each = np.repeat(units, layer.rows[index].shape[1])[:, None]
    wide = is_wide(layer, index, precision)
    low, high = precision.weight_range(layer.rows[index], wide=wide)
    scaled = rows / each
    whole = (
        np.clip(np.round(scaled), low, high) if wide else fed_back(scaled, statistics, low, high)
    )
    costs = statistics.cost(rows - whole * each)
    return np.asarray(costs.reshape(len(units), -1).sum(1))


def _refitted(layer: Layer, index: int, units: Floats, precision: Precision) -> Floats:
    """The units of least squares for the whole weights that those found lead to."""
    rows, statistics = _flat(layer, index)
    neurons = layer.rows[index].shape[1]
    low, high = precision.weight_range(layer.rows[index], wide=False)
    whole = rounded(rows / np.repeat(units, neurons)[:, None], statistics, low, high)
    kept, meant = (
        each.reshape(len(units), -1).sum(1)
        for each in (statistics.cost(whole), statistics.products(whole, rows))
    )
    sound = (kept > 0) & (meant > 0)
    return np.asarray(np.divide(meant, kept, where=sound, out=units.copy()))


def _signal(layer: Layer, index: int) -> Floats:
    rows, statistics = _flat(layer, index)
    costs = statistics.cost(rows).reshape(len(layer.rows[index]), -1)
    return np.asarray(costs.sum(1))


def _flat(layer: Layer, index: int) -> tuple[Floats, Statistics]:
    """The rows of a projection, every neuron that differs one of its own."""
    rows = layer.rows[index]
    return rows.reshape(-1, rows.shape[2]), layer.statistics[index]
