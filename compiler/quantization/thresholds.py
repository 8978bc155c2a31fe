"""Which whole sums meet which level: the real thresholds, and those of whole steps and biases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats
from snnc.compiler.quantization.common_factors import WholeRows
from snnc.compiler.quantization.layer import Layer
from snnc.compiler.target import Target

NUMBERS_AT_ONCE = 1 << 21
"""Thresholds that are looked at together."""
WHOLE = 3e-7
"""A few roundings of float32, 2^-23 each: a quotient so near to a whole number is that number."""
NEAREST = 1 / 64
"""But no farther from it: of large quotients float32 does not tell more."""
FAR = 2.0**40
"""Where a bias is that no state holds."""


@dataclass(frozen=True, eq=False)
class Grid:
    """For each channel whole numbers M, Δ and B, and what they make of the thresholds."""

    times: Integers
    """(channels,): M."""
    step: Integers
    """(channels,): Δ."""
    bias: Integers
    """(channels, biases that differ): B."""
    wrong: Integers
    """(channels,): sums within reach that get another level, counted for each bias."""
    moved: Integers
    """(channels,): thresholds within reach that are met too early or too late."""
    far: Integers
    """(channels,): the same of all thresholds, also of those that no sum reaches."""
    farthest: Integers
    """(channels,): the most units of S by which one within reach is off."""

    def at(self, channels: Integers) -> Grid:
        """Some of its channels."""
        return Grid(*(getattr(self, each.name)[channels] for each in fields(self)))

    def replaced(self, channels: Integers, other: Grid) -> Grid:
        """The same with some channels taken from another."""
        found = []
        for each in fields(self):
            values = getattr(self, each.name).copy()
            values[channels] = getattr(other, each.name)
            found.append(values)
        return Grid(*found)

    def better_of(self, other: Grid, *, odd: bool = False) -> Grid:
        """Channel by channel the one that gives fewer sums another level.

        Of two that are alike the first; or the one with an odd Δ, which quotients without a tie.
        """
        ours, theirs = (
            np.stack([each.wrong, each.far, each.step % 2 == 0 if odd else 0 * each.step])
            for each in (self, other)
        )
        less, more = theirs < ours, theirs > ours
        better = less[0] | ~more[0] & (less[1] | ~more[1] & less[2])
        channels = np.flatnonzero(better)
        return self.replaced(channels, other.at(channels))


@dataclass(frozen=True, eq=False)
class Thresholds:
    """⌈(j − b)/r⌉ for each channel, bias and level, and the sums that can arrive."""

    r: Floats
    """(channels,)."""
    biases: Floats
    """(channels, biases that differ), in levels."""
    neurons: Integers
    """For each neuron of a channel which of the biases is its own."""
    low: Integers
    high: Integers
    """(channels,): the least and the greatest S."""
    levels: int
    limits: Target

    @classmethod
    def of(cls, layer: Layer, levels: int, rows: WholeRows, limits: Target) -> Thresholds:
        """Those of a layer with a staircase."""
        flat = layer.bias.reshape(len(layer.bias), -1)
        biases, neurons = np.unique(flat, axis=1, return_inverse=True)
        low, high = rows.reach(layer.levels)
        return cls(rows.r, biases, neurons.reshape(-1), low, high, levels, limits)

    @property
    def count(self) -> int:
        """Thresholds that may differ."""
        return self.biases.size * self.levels

    @property
    def farthest_sum(self) -> Integers:
        """(channels,): the greatest sum without its sign."""
        return np.maximum(self.high, -self.low)

    @property
    def on_staircase(self) -> float:
        """Sums that can arrive between levels 0 and N + 1, of all channels and biases."""
        low, high = self.low[:, None], self.high[:, None] + 1
        ends = (-self.biases / self.r[:, None], (self.levels + 1 - self.biases) / self.r[:, None])
        first, last = (np.clip(each, low, high) for each in ends)
        return float(np.maximum(last - first, 1.0).sum())

    @property
    def reachable(self) -> int:
        """Thresholds that some sum meets and another does not."""
        return sum(int(np.count_nonzero(_inside(*each[1:]))) for each in self._parts())

    @property
    def met(self) -> Integers:
        """(channels, biases that differ, levels): the least sum within reach that meets each level.

        One more than the greatest, where none does.
        """
        low, high = self.low[:, None, None], self.high[:, None, None] + 1
        parts = [real for _, _, real in self._parts()]
        return np.asarray(np.clip(np.concatenate(parts), low, high), np.int64)

    def on_neurons(self, values: Integers) -> Integers:
        """Values (channels, biases that differ) for each neuron."""
        return values[:, self.neurons]

    def rows(self, channels: Integers) -> Thresholds:
        """Those of some channels."""
        names = ("r", "biases", "low", "high")
        return replace(self, **{name: getattr(self, name)[channels] for name in names})

    def on(self, times: Integers) -> Grid:
        """The better of the two whole steps beside M/r, with the bias that serves best."""
        slope = times / self.r
        # the ceiling (N + 1)·Δ − 1 is a state
        most = (self.limits.state_max + 1) // (self.levels + 1)
        below, above = (
            self._scored(times, np.clip(f(slope), 1, max(most, 1)).astype(np.int64))
            for f in (np.floor, np.ceil)
        )
        return below.better_of(above, odd=True)

    def _scored(self, times: Integers, step: Integers) -> Grid:
        parts = [_scored(rows, real, times[part], step[part]) for part, rows, real in self._parts()]
        return concatenated(parts)

    def _parts(self) -> Iterator[tuple[slice, Thresholds, Floats]]:
        """Channels that are looked at together, and their real thresholds."""
        count = max(1, NUMBERS_AT_ONCE // (self.biases.shape[1] * self.levels))
        j = np.arange(1, self.levels + 1)
        for start in range(0, len(self.r), count):
            part = slice(start, start + count)
            rows = self.rows(np.arange(len(self.r))[part])
            unit = 1 / rows.r[:, None, None]
            real = _ceil((j - rows.biases[:, :, None]) / rows.r[:, None, None], unit)
            yield part, rows, np.clip(real, -FAR, FAR)


def _scored(rows: Thresholds, real: Floats, times: Integers, step: Integers) -> Grid:
    """For each bias the B that gives fewest sums another level, of those that the state holds."""
    # (channels, biases that differ, levels)
    m, product = times[:, None, None], step[:, None, None] * np.arange(1, rows.levels + 1)
    low, high = rows.low[:, None, None], rows.high[:, None, None]
    met = np.clip(real, low, high + 1)
    # 2^e·S + B is a state, and so is the sum alone; 0 is a sum too, where a border leaves out terms
    least = rows.limits.state_min - times * np.minimum(rows.low, 0)
    most = rows.limits.state_max - times * np.maximum(rows.high, 0)
    best = np.full(rows.biases.shape, np.inf)
    bias, wrong, moved, far, farthest = (np.zeros(best.shape, np.int64) for _ in range(5))
    for offer in _offers(rows, real, met, m, product):
        offered = np.clip(offer, least[:, None], most[:, None])
        found = np.ceil((product - offered[:, :, None]) / m)
        off = np.abs(np.clip(found, low, high + 1) - met)
        missed = (found != real).sum(2)
        cost = off.sum(2) * (2.0 * rows.levels) + missed
        better = cost < best
        best[better] = cost[better]
        pairs = ((bias, offered), (wrong, off.sum(2)), (moved, (off > 0).sum(2)))
        for kept, new in (*pairs, (far, missed), (farthest, off.max(2))):
            kept[better] = new[better]
        if not best.any():
            break
    return Grid(times, step, bias, wrong.sum(1), moved.sum(1), far.sum(1), farthest.max(1))


def _offers(
    rows: Thresholds, real: Floats, met: Floats, m: Integers, product: Integers
) -> Iterator[Floats]:
    """Biases that may serve best: (channels, biases that differ).

    Level j is met where B is between lowest and highest; all are if these overlap. Where they do
    not, the middle one of all ends gives fewest sums another level.
    """
    lowest = product - real * m
    yield from _between(lowest.max(2), (lowest + m - 1).min(2))
    yield np.round(rows.biases * m[:, :, 0] / rows.r[:, None])
    # what no sum reaches asks for nothing
    lowest = np.where(real > rows.high[:, None, None], -np.inf, product - met * m)
    highest = np.where(real <= rows.low[:, None, None], np.inf, product - (met - 1) * m - 1)
    yield from _between(lowest.max(2), highest.min(2))
    ends = np.sort(np.concatenate([lowest, highest], axis=2), axis=2)
    yield from _between(ends[:, :, rows.levels - 1], ends[:, :, rows.levels])


def _between(least: Floats, most: Floats) -> tuple[Floats, ...]:
    """Two ends, of which one may be infinite, and their middle."""
    least, most = np.where(np.isinf(least), most, least), np.where(np.isinf(most), least, most)
    return least, most, (least + most) // 2


def _inside(rows: Thresholds, real: Floats) -> Floats:
    """Which thresholds some sum meets and another does not."""
    return np.asarray((real > rows.low[:, None, None]) & (real <= rows.high[:, None, None]))


def concatenated(parts: Sequence[Grid]) -> Grid:
    """The channels of all parts."""
    names = (each.name for each in fields(Grid))
    return Grid(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _ceil(values: Floats, unit: Floats) -> Floats:
    """The next whole number above; one that is a rounding error away counts as reached.

    A rounding error of values, or of as many units of a level as they are the quotients of.
    """
    nearest = np.round(values)
    error = np.minimum(WHOLE * np.maximum(np.minimum(unit, 1.0), np.abs(values)), NEAREST)
    return np.where(np.abs(values - nearest) <= error, nearest, np.ceil(values))
