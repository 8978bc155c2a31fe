"""A layer of whole-number weights: its weights stay as they are, its thresholds are the real ones.

With rows = r·w the level is ⌊r·S + b⌋ of the whole sum S = Σ w·n. In the file M·S + B meets the
threshold j·Δ, so Δ ≈ M/r, and the level is the same for every S that can arrive where

    ⌈(j·Δ − B)/M⌉ = ⌈(j − b)/r⌉    for each level j = 1 … N that a sum can reach.

M = m·2^e: the exponent e is the layer's, and m a whole number for each channel, of the weights that
the synapse still holds. Δ, B, e and m are chosen so that as few sums as can be get another level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.quantization.common_factors import WholeRows
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.synapses import most_times
from snnc.compiler.quantization.thresholds import Grid, Thresholds

COARSE = 0.125
"""Of a level: where a threshold would be farther off, rounded weights do better."""
MOST_THRESHOLDS = 1 << 25
"""Of a layer, each of which is met by search; more would take minutes."""
FEWER = "train with fewer levels, or compile with fewer `input_bits`"
LARGER = "compile with more `weight_bits`, or train with fewer levels"
BEST_MULTIPLES = 4
"""Of all m of a channel those whose slope and grain promise most are tried."""


@dataclass(frozen=True)
class NotKept:
    """Why whole-number weights had to be rounded."""

    what: str
    mend: str


@dataclass(frozen=True)
class Kept:
    """Whole-number weights that were taken over, and no threshold to meet."""


NO_COMMON_FACTOR = NotKept(
    "the sources that meet here have units without a common factor",
    "train so that the scales of its sources are multiples of each other",
)


@dataclass(frozen=True, eq=False)
class WholeNumbers:
    """Integers for a firing population, and what became of its thresholds."""

    step: Integers
    bias: Integers
    exponent: int
    times: Integers
    """(channels,): m, what the weights are multiplied by."""
    thresholds: int
    """Of all levels and neurons that differ, those that a sum can meet."""
    moved: int
    """Those among them that are met too early or too late."""
    farthest: float
    """The most of a level by which one is."""
    share: float
    """Of the sums from level 0 to the last, which lie on the staircase, those that get another."""


def on_grid(
    layer: Layer, levels: int, rows: WholeRows, precision: Precision
) -> WholeNumbers | NotKept:
    """Steps and biases that meet the real thresholds; or why there are none."""
    asked = Thresholds.of(layer, levels, rows, precision.target)
    if asked.count > MOST_THRESHOLDS:
        return NotKept(f"it has {asked.count} thresholds; allowed: up to {MOST_THRESHOLDS}", FEWER)
    room = most_times(layer, rows, precision)
    if np.any(room[0] < 1):
        return too_many_bits(layer, rows, precision)
    state = precision.target.state_max // np.maximum(asked.farthest_sum, 1)
    exponents = [e for e, each in enumerate(room) if np.all((each >= 1) & (state >= 1 << e))]
    if not exponents:
        return too_far(int(asked.farthest_sum.max()), precision)
    grids = {e: asked.on(np.full(len(rows.r), 1 << e)) for e in exponents}
    if min(int(each.wrong.sum()) for each in grids.values()):
        grids = {
            e: _refined(asked, each, e, np.minimum(room[e], state >> e))
            for e, each in grids.items()
        }
    exponent = min(exponents, key=lambda e: (grids[e].wrong.sum(), grids[e].far.sum(), e))
    return _made(layer, asked, grids[exponent], exponent, precision)


def _made(
    layer: Layer, asked: Thresholds, grid: Grid, exponent: int, precision: Precision
) -> WholeNumbers | NotKept:
    # one unit of a coarse sum may be much of a level, and is as near as a sum comes
    allowed = np.where(asked.r <= 1, np.maximum(1.0, COARSE / asked.r), 0)
    if np.any(grid.farthest > allowed):
        return _too_wide(asked, precision)
    return WholeNumbers(
        grid.step,
        asked.on_neurons(grid.bias).reshape(layer.bias.shape),
        exponent,
        grid.times >> exponent,
        asked.reachable,
        int(grid.moved.sum()),
        float((grid.farthest * asked.r).max()),
        min(1.0, float(grid.wrong.sum() / asked.on_staircase)),
    )


def _too_wide(asked: Thresholds, precision: Precision) -> NotKept:
    """The reason of thresholds that come nowhere near the real ones."""
    if asked.r.max() > 1:
        what = f"one unit of the sum is worth {asked.r.max():.3g} levels"
        return NotKept(f"{what}, more than these weights and exponents make of it", LARGER)
    needed = float(((asked.levels + 1) / asked.r).max())
    what = f"their {asked.levels} levels take {needed:.3g} units of the sum"
    return NotKept(f"{what}; a state holds {precision.target.state_max}", FEWER)


def _refined(asked: Thresholds, grid: Grid, exponent: int, most: Integers) -> Grid:
    """The same where all sums get their levels; elsewhere with the best multiple of the weights.

    Δ/M must come near to 1/r: the error of the slope adds up over the levels, and B is as fine as
    1/M of a sum.
    """
    open_ones = np.flatnonzero((grid.wrong > 0) & (most > 1))
    if not len(open_ones):
        return grid
    rows = asked.rows(open_ones)
    offered = np.arange(1, int(most[open_ones].max()) + 1) << exponent
    slopes = offered / rows.r[:, None]
    error = np.abs(np.round(slopes) - slopes) * rows.levels / 4 + 0.5
    error[offered > most[open_ones, None] << exponent] = np.inf
    best = grid.at(open_ones)
    ranked = np.argsort(error * (1 / offered), axis=1, kind="stable")[:, :BEST_MULTIPLES]
    for times in offered[ranked].T:
        legal = times <= most[open_ones] << exponent
        best = best.better_of(rows.on(np.where(legal, times, best.times)))
    return grid.replaced(open_ones, best)


def too_many_bits(layer: Layer, rows: WholeRows, precision: Precision) -> NotKept:
    """The reason of weights that no synapse holds."""
    bits, most = precision.weight_bits, precision.target.weight_bits
    low, high = (int(f([f(w) for w in rows.weights])) for f in (np.min, np.max))
    half = 1 << (precision.synapse_bits - 1)
    allowed = f"{-half}..{half - 1}, 0..{2 * half - 1} or {1 - 2 * half}..0"
    if precision.doubled:
        allowed = f"up to {precision.weight_max(layer.joined, wide=True)} without their signs"
    what = f"they span {low}..{high} of their unit; `weight_bits={bits}` holds {allowed}"
    wider = next((b for b in (most, 2 * most) if b > bits), None)
    return NotKept(
        what, f"compile with `weight_bits={wider}`" if wider else "train with fewer bits"
    )


def too_far(farthest: float, precision: Precision) -> NotKept:
    """The reason of sums that no state holds."""
    what = f"their sums reach {farthest:.0f}; a state holds {precision.target.state_max}"
    return NotKept(what, FEWER)
