"""Rows of weights that are whole numbers already, times one factor for each channel.

So are those of a quantised model, of a max pool and of a plain sum. With rows = r·w a sum in levels
is r·S + b, of the whole sum S = Σ w·n.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats

NOISE = 2.0**-20
"""How far a weight may be off, relative to the largest of its row: a few roundings of float32."""
MOST = (1 << 15) - 1
"""The largest whole weight looked for: two synapses of 8 bits hold less."""
BYTE = (1 << 8) - 1
"""The largest of one synapse. Up to here a row is taken for whole, even if it is so by chance."""
CHANCE = 1e-3
"""How likely the rows of a layer may be whole by chance: few weights of many bits are."""
BYTES_AT_ONCE, WORDS_AT_ONCE = 256, 8
"""Rows that are tried together; most layers of floats end with the first few."""
SAMPLED = 24
"""Weights of a row that are tried before all of them are."""


@dataclass(frozen=True, eq=False)
class WholeRows:
    """The whole weights of a layer, and what one unit of their sum is worth."""

    weights: tuple[Integers, ...]
    """For each projection (channels, neurons that differ, fan-in)."""
    r: Floats
    """(channels,): the factor. A row of zeros has any; it is given one that others have."""
    is_certain: bool
    """Whether this is no chance."""
    errors: tuple[float, ...] = ()
    """Of each projection, what was rounded to make it whole, relative to it; () for nothing."""

    @property
    def peak(self) -> Integers:
        """The largest weight of each channel without its sign."""
        return np.asarray(np.max([np.abs(w).max((1, 2)) for w in self.weights], axis=0))

    def times(self, multiples: Integers) -> WholeRows:
        """The same with weights that are so much larger, and units so much smaller."""
        weights = tuple(multiples[:, None, None] * each for each in self.weights)
        return replace(self, weights=weights, r=self.r / multiples)

    def reach(self, levels: Sequence[int]) -> tuple[Integers, Integers]:
        """The least and the greatest sum S of each channel, given the highest of each source."""
        pairs = list(zip(self.weights, levels, strict=True))
        low = sum(n * np.minimum(w, 0).sum(2).min(1) for w, n in pairs)
        high = sum(n * np.maximum(w, 0).sum(2).max(1) for w, n in pairs)
        return np.asarray(low), np.asarray(high)


def whole_rows(rows: Sequence[Floats]) -> WholeRows | None:
    """The whole numbers that all rows of all projections are; None where they are none.

    Args:
        rows: for each projection (channels, neurons that differ, fan-in).
    """
    joined = np.concatenate([each.reshape(len(each), -1) for each in rows], axis=1)
    peak = np.abs(joined).max(1)
    alive = peak > 0
    if not alive.any():
        return None
    scaled = joined[alive] / peak[alive, None]
    multiples = _least_multiples(scaled)
    if multiples is None:
        return None
    certain = _chance(multiples, _independent(scaled)) < CHANCE
    # a large one would make any two factors multiples of each other, nearly
    if multiples.max() > BYTE and not (certain and len(rows) == 1):
        return None
    r = np.full(len(peak), np.median(peak[alive] / multiples))
    r[alive] = peak[alive] / multiples
    found = (np.round(each / r[:, None, None]).astype(np.int64) for each in rows)
    return WholeRows(tuple(found), r, certain)


def _independent(rows: Floats) -> Integers:
    """How many weights of each row, whose largest is 1, tell anything of their own.

    A convolution that became a matrix repeats its few weights for every neuron, and an average
    pool for every pixel. All weights alike, as of a network of signs, are no repetition.
    """
    sizes = np.sort(np.abs(rows), axis=1)
    differ = np.count_nonzero(np.diff(sizes, axis=1, prepend=0.0) > NOISE, axis=1)
    return np.where(differ > 1, differ, np.count_nonzero(rows, axis=1))


def _chance(multiples: Floats, counts: Integers) -> float:
    """How likely random rows of so many weights are whole times any number up to these.

    The largest weight always is; each other one is with 2·NOISE·k, for each of the k tried.
    """
    logs = np.log(multiples) + (counts - 1) * np.log(2 * NOISE * multiples)
    return float(np.exp(np.minimum(logs, 0.0).sum()))


def _least_multiples(rows: Floats) -> Floats | None:
    """For each row, whose largest weight is 1, the least whole k that makes all of k·row whole."""
    found = np.zeros(len(rows))
    for offered, at_once in (((1, BYTE), BYTES_AT_ONCE), ((BYTE + 1, MOST), WORDS_AT_ONCE)):
        missing = np.flatnonzero(found == 0)
        for start in range(0, len(missing), at_once):
            part = missing[start : start + at_once]
            found[part] = _least_within(rows[part], *offered)
            if offered[1] == MOST and not found[part].all():
                return None
    return found


def _least_within(rows: Floats, low: int, high: int) -> Floats:
    """For each row the least such k from low to high; 0 where there is none."""
    # pairs of a row and a k that fit all weights tried so far, k rising within each row
    row, k = (each.ravel() for each in np.mgrid[: len(rows), low : high + 1])
    for column in np.linspace(0, rows.shape[1] - 1, min(SAMPLED, rows.shape[1])).astype(int):
        fits = _is_whole(rows[row, column], k)
        row, k = row[fits], k[fits]
    found, column = np.zeros(len(rows)), np.zeros(len(rows), np.int64)
    while len(row):
        first, where = np.unique(row, return_index=True)
        whole = _is_whole(rows[first], k[where, None])
        fits = whole.all(1)
        found[first[fits]] = k[where[fits]]
        # a weight that rules out one k rules out most others too
        column[first] = whole.argmin(1)
        left = (found[row] == 0) & _is_whole(rows[row, column[row]], k)
        row, k = row[left], k[left]
    return found


def _is_whole(weights: Floats, multiple: Floats) -> Floats:
    products = weights * multiple
    return np.asarray(np.abs(products - np.round(products)) <= NOISE * multiple)
