"""Rounding with error feedback: later weights make up for what earlier ones lost.

With inputs of covariance C, rounding W to Ŵ costs (W − Ŵ)·C·(W − Ŵ)ᵀ, once the bias takes up the
mean. Weights are rounded one input after the other, the most active first, and the
error of each is spread over those still to come as the inverse of C says (Frantar et al., GPTQ,
ICLR 2023, after Hassibi and Stork's optimal brain surgeon, 1993). What is whole then descends: one
weight after the other moves to where the cost is least while all others stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats

DAMPING = 0.01
"""Of the mean variance, added to each: few images leave C singular."""
BLOCK = 128
"""Inputs after which the error is carried on to the far ones, all at once."""
PASSES = 3
"""Of the descent, at most: the first finds nine tenths of what all of them do."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """What a projection receives on calibration images."""

    covariance: Floats
    """(groups, fan-in, fan-in), in levels of the source.

    Groups are those of a convolution; or every channel is one, where sums count by what becomes of
    them; or blocks of inputs, the last filled up with some that never come, where there are too
    many inputs to know how each goes with each other one. Then every channel reads all groups.
    """

    @property
    def groups(self) -> int:
        """Channels that share their statistics, in order."""
        return len(self.covariance)

    @cached_property
    def variance(self) -> Floats:
        """The diagonal of the covariance: (groups, fan-in)."""
        return np.asarray(np.einsum("gff->gf", self.covariance))

    @cached_property
    def order(self) -> Integers:
        """The inputs, the most active first: one order for all groups, rounded as one array."""
        return np.argsort(-self.variance.sum(0), kind="stable")

    @cached_property
    def feedback(self) -> Floats:
        """The upper Cholesky factor of the damped inverse, for each group, in that order."""
        # rows, then columns
        return _inverse_factor(self.covariance[:, self.order][:, :, self.order])

    def cost(self, errors: Floats | Integers) -> Floats:
        """The variance that errors (channels, fan-in) of weights add to each channel's sum."""
        return self.products(errors, errors)

    def products(self, one: Floats | Integers, other: Floats | Integers) -> Floats:
        """The covariance of two sums for each channel, by their weights (channels, fan-in)."""
        weighted = np.matmul(self.grouped(one), self.covariance)
        sums = (weighted * self.grouped(other)).sum(2)
        return np.asarray(sums.sum(0) if self._has_blocks(one) else sums.reshape(len(one)))

    def grouped(self, rows: Floats | Integers) -> Floats:
        """Rows (channels, fan-in) as (groups, channels of a group, fan-in): each has its inputs."""
        rows = rows.astype(np.float64, copy=False)
        size = self.covariance.shape[-1]
        if not self._has_blocks(rows):
            return rows.reshape(self.groups, -1, size)
        filled = np.pad(rows, ((0, 0), (0, self.groups * size - rows.shape[1])))
        return np.swapaxes(filled.reshape(len(rows), self.groups, size), 0, 1)

    def ungrouped(self, values: Floats, rows: Floats) -> Floats:
        """The other way round: values in the shape of these rows."""
        if not self._has_blocks(rows):
            return values.reshape(rows.shape)
        return np.swapaxes(values, 0, 1).reshape(len(rows), -1)[:, : rows.shape[1]]

    def _has_blocks(self, rows: Floats | Integers) -> bool:
        return bool(rows.shape[-1] != self.covariance.shape[-1])


def rounded(weights: Floats, statistics: Statistics, low: int, high: int) -> Integers:
    """Whole weights from low to high for float ones (channels, fan-in) in the same units.

    No channel costs more than rounded to the nearest.
    """
    fed = fed_back(weights, statistics, low, high)
    nearest = np.clip(np.round(weights), low, high)
    worse = statistics.cost(weights - fed) > statistics.cost(weights - nearest)
    start = np.where(worse[:, None], nearest, fed)
    return descended(start, weights, statistics, low, high).astype(np.int64)


def fed_back(weights: Floats, statistics: Statistics, low: int, high: int) -> Floats:
    """The same by error feedback alone."""
    grouped, order = statistics.grouped(weights), statistics.order
    found = np.empty_like(grouped)
    found[:, :, order] = _fed_back(grouped[:, :, order], statistics.feedback, low, high)
    return statistics.ungrouped(found, weights)


def _inverse_factor(covariance: Floats) -> Floats:
    fan_in = covariance.shape[-1]
    mean = np.einsum("gff->g", covariance) / fan_in
    # 1e-9: inputs that are always 0 have no variance, and C must still have an inverse
    damped = covariance + (DAMPING * mean + 1e-9)[:, None, None] * np.eye(fan_in)
    inverse = np.linalg.inv(damped)
    # floats leave the inverse a little uneven, and Cholesky reads one half of it alone
    return np.asarray(
        np.swapaxes(np.linalg.cholesky((inverse + np.swapaxes(inverse, 1, 2)) / 2), 1, 2)
    )


def _fed_back(rows: Floats, upper: Floats, low: int, high: int) -> Floats:
    """Round the inputs of rows (groups, channels, fan-in) from the first to the last."""
    rows = rows.copy()
    found = np.empty_like(rows)
    fan_in = rows.shape[-1]
    for start in range(0, fan_in, BLOCK):
        end = min(start + BLOCK, fan_in)
        errors = np.empty_like(rows[:, :, start:end])
        for i in range(start, end):
            found[:, :, i] = np.minimum(np.maximum(np.rint(rows[:, :, i]), low), high)
            error = (rows[:, :, i] - found[:, :, i]) / upper[:, None, i, i]
            rows[:, :, i + 1 : end] -= error[:, :, None] * upper[:, None, i, i + 1 : end]
            errors[:, :, i - start] = error
        rows[:, :, end:] -= np.matmul(errors, upper[:, start:end, end:])
    return found


def descended(
    found: Floats, weights: Floats, statistics: Statistics, low: int, high: int
) -> Floats:
    """Whole weights (channels, fan-in) that cost no more than those found.

    The cost is a quadratic form: along one weight a parabola, whose least whole number is known.
    """
    whole = statistics.grouped(found).copy()
    # half of the slope of the cost: what is left of the weights, as the inputs see it
    slope = np.matmul(statistics.grouped(weights) - whole, statistics.covariance)
    for _ in range(PASSES):
        if not _descend(whole, slope, statistics, low, high):
            break
    return statistics.ungrouped(whole, found)


def _descend(whole: Floats, slope: Floats, statistics: Statistics, low: int, high: int) -> bool:
    """One pass over all inputs, in place; whether a weight moved."""
    covariance, fan_in = statistics.covariance, whole.shape[-1]
    curve = np.where(statistics.variance > 0, statistics.variance, np.inf)
    moved = False
    for start in range(0, fan_in, BLOCK):
        end = min(start + BLOCK, fan_in)
        near, moves = slope[:, :, start:end].copy(), np.empty_like(whole[:, :, start:end])
        for i in range(start, end):
            best = np.rint(whole[:, :, i] + near[:, :, i - start] / curve[:, None, i])
            best = np.minimum(np.maximum(best, low), high)
            moves[:, :, i - start] = best - whole[:, :, i]
            move = moves[:, :, i - start, None]
            if move.any():
                near -= move * covariance[:, None, i, start:end]
        if moves.any():
            whole[:, :, start:end] += moves
            slope -= np.matmul(moves, covariance[:, start:end])
            moved = True
    return moved
