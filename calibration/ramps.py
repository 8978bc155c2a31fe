"""Ramps for a function of one number, fitted to the numbers that it meets.

K ramps side by side are a chain of straight pieces, flat on the left and on the right; each piece
has L levels of its own. Where the pieces meet is chosen by dynamic programming over candidates: the
error of a piece depends on its two ends alone. The heights are least squares after that.
Levels whose thresholds may lie anywhere need one ramp for each stretch on which the function rises
or falls, and no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from snnc.compiler.analysis.ramps import Ramp, Ramps
from snnc.compiler.operators import Floats

Function: TypeAlias = Callable[[Floats], Floats]
POINTS = 256
"""Numbers that stand for all that a function meets."""
MOST_VALUES = 1 << 17
KNOTS = 20
"""Offered evenly many numbers apart, and as many evenly far apart."""
BENDS = 4
"""Offered where the function bends most sharply."""
FINER = 5
"""Offers on each side of a knot in the second round."""
ENDS = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
"""Shares of the numbers beyond which uneven levels may end."""
GRID = 4096
"""Places at which a function is looked at."""


@dataclass(frozen=True, eq=False)
class Met:
    """The numbers that a function meets, as points of equal weight, and what it makes of them."""

    x: Floats
    """(points,), rising."""
    f: Floats
    low: float
    high: float
    """The least and the greatest of all numbers."""

    @classmethod
    def of(cls, function: Function, values: Floats) -> Met:
        """From numbers of any shape."""
        flat = np.sort(values.reshape(-1)[:: -(-values.size // MOST_VALUES)].astype(np.float64))
        parts = np.array_split(flat, min(POINTS, len(flat)))
        x = np.array([each.mean() for each in parts])
        low, high = float(values.min()), float(values.max())
        if low == high:
            high = low + max(1.0, abs(low))
        return cls(x, function(x), low, high)


def even_ramps(function: Function, met: Met, levels: int, most: int) -> tuple[Ramps, ...]:
    """The best that 1, 2 … most ramps of even levels can do."""
    knots = _offers(function, met)
    first = _chains(function, met, knots, levels, most)
    found = []
    for count, chosen in enumerate(first, 1):
        (*_, finer) = _chains(function, met, _around(chosen, met), levels, count)
        found.append(_with_best_heights(_ramps(function, finer, levels), met))
    return tuple(found)


def spread_ramps(function: Function, met: Met, levels: int, count: int) -> Ramps:
    """As many ramps, which share all that was met evenly among them."""
    return _ramps(function, np.linspace(met.low, met.high, count + 1), levels)


def uneven_ramps(function: Function, met: Met, levels: int) -> tuple[Ramps, ...]:
    """The best that levels with thresholds of their own can do, with ever more ramps.

    The last has one ramp for each direction in which the function goes; those before it leave out
    what matters least.
    """
    x = np.linspace(met.low, met.high, GRID)
    rises = np.diff(function(x))
    found = []
    for sign in (1, -1):
        part = np.concatenate([[0.0], np.cumsum(np.maximum(sign * rises, 0))])
        if part[-1] > 1e-9 * np.abs(rises).sum():
            found.append(_uneven(x, part, met, levels, sign))
    found = found or [_flat(met, levels)]
    found.sort(key=lambda each: -abs(float(each.rise)))
    sums = (Ramps(tuple(found[: i + 1]), np.array(0.0)) for i in range(len(found)))
    return tuple(_with_best_heights(each, met) for each in sums)


def _offers(function: Function, met: Met) -> Floats:
    """Where pieces may meet."""
    shares = np.linspace(0, 1, KNOTS)
    x = np.linspace(met.low, met.high, GRID)
    bends = np.abs(np.diff(function(x), 2))
    bends[(bends < np.roll(bends, 1)) | (bends <= np.roll(bends, -1))] = 0  # all but its peaks
    sharpest = x[1:-1][np.argsort(bends)[-BENDS:]]
    offers = [np.quantile(met.x, shares), np.linspace(met.low, met.high, KNOTS), sharpest]
    return np.asarray(np.unique(np.concatenate(offers)))


def _around(knots: Floats, met: Met) -> Floats:
    """Places between each knot and its neighbours."""
    before = np.concatenate([[met.low], knots[:-1]])
    after = np.concatenate([knots[1:], [met.high]])
    shares = np.linspace(0, 1, FINER + 1)[:-1, None]
    found = np.unique([knots + shares * (before - knots), knots + shares * (after - knots)])
    return np.asarray(found)


def _chains(function: Function, met: Met, knots: Floats, levels: int, most: int) -> list[Floats]:
    """The knots of the best chain of 1, 2 … most pieces."""
    values = function(knots)
    between = _piece_errors(met, knots, values, levels)
    squares = np.square(met.f - values[:, None])
    outside = met.x < knots[:, None]
    error = np.where(outside, squares, 0).sum(1)
    after = np.where(outside, 0, squares).sum(1)
    chosen, found = list[Floats](), []
    for _ in range(min(most, len(knots) - 1)):
        total = error[:, None] + between
        chosen.append(total.argmin(0))
        error = total.min(0)
        ends = [int(np.argmin(error + after))]
        for each in reversed(chosen):
            ends.append(int(each[ends[-1]]))
        found.append(knots[ends[::-1]])
    return found


def _piece_errors(met: Met, knots: Floats, values: Floats, levels: int) -> Floats:
    """The squared error of a ramp from each knot to each later one, over what lies between."""
    start, end = knots[:, None, None], knots[None, :, None]
    low, high = values[:, None, None], values[None, :, None]
    with np.errstate(all="ignore"):  # a knot and itself: left out below
        place = (met.x - start) / (end - start)
        level = np.floor(place * levels + 0.5) / levels
        errors = np.square(low + (high - low) * level - met.f)
    errors = np.where((met.x >= start) & (met.x < end), errors, 0).sum(2)
    # the same knot, or an earlier one, is no end
    return np.where(np.arange(len(knots))[:, None] < np.arange(len(knots)), errors, np.inf)


def _ramps(function: Function, knots: Floats, levels: int) -> Ramps:
    values = function(knots)
    ramps = tuple(
        Ramp(levels, np.array(a), np.array(b), np.array(rise))
        for a, b, rise in zip(knots[:-1], knots[1:], np.diff(values), strict=True)
    )
    return Ramps(ramps, np.array(values[0]))


def _with_best_heights(ramps: Ramps, met: Met) -> Ramps:
    """Heights by least squares, unless one of them would turn round."""
    shares = np.stack([*(each.level(met.x) / each.levels for each in ramps.ramps), met.x * 0 + 1])
    *rises, offset = np.linalg.lstsq(shares.T, met.f, rcond=None)[0]
    if any(new * each.rise <= 0 for new, each in zip(rises, ramps.ramps, strict=True)):
        return ramps
    found = (replace(e, rise=np.array(new)) for e, new in zip(ramps.ramps, rises, strict=True))
    return Ramps(tuple(found), np.array(offset))


def _uneven(x: Floats, part: Floats, met: Met, levels: int, sign: int) -> Ramp:
    """The best even levels of a rising part of a function, where it crosses the middles of them.

    Args:
        x: places, (GRID,).
        part: what has risen up to there, from 0.
        met: what the function meets.
        levels: L.
        sign: of the direction of the part.
    """
    risen = np.interp(met.x, x, part)
    lows = np.unique(np.quantile(risen, ENDS))
    highs = np.unique(np.quantile(risen, [1 - each for each in ENDS]))
    low, high = (each.reshape(-1) for each in np.meshgrid([0.0, *lows], [*highs, part[-1]]))
    low, high = low[high > low, None], high[high > low, None]
    place = np.clip(np.floor((risen - low) / (high - low) * levels + 0.5), 0, levels) / levels
    best = np.square(low + (high - low) * place - risen).sum(1).argmin()
    bottom, height = low[best, 0], high[best, 0] - low[best, 0]
    middles = bottom + height * (np.arange(levels) + 0.5) / levels
    return _at(np.interp(middles, part, x), sign * height)


def _at(thresholds: Floats, rise: float) -> Ramp:
    """A ramp whose levels begin at these places."""
    levels = len(thresholds)
    first, last = thresholds[0], thresholds[-1]
    if levels == 1 or last <= first:
        step = max(abs(first), 1.0)
        return Ramp(1, np.array(first - step / 2), np.array(first + step / 2), np.array(rise))
    step = (last - first) / (levels - 1)
    start, end = first - step / 2, last + step / 2
    scaled = (thresholds - first) / step + 1
    return Ramp(levels, np.array(start), np.array(end), np.array(rise), scaled)


def _flat(met: Met, levels: int) -> Ramp:
    """A ramp for a function that has none."""
    return Ramp(levels, np.array(met.low), np.array(met.high), np.array(0.0))
