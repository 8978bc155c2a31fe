"""Rounding with error feedback: later weights make up for what earlier ones lost.

With inputs n of mean μ and covariance C, rounding W to Ŵ costs (W − Ŵ)·C·(W − Ŵ)ᵀ, once the bias
takes up (W − Ŵ)·μ. Weights are rounded one input after the other, the most active first, and the
error of each is spread over those still to come as the inverse of C says (Frantar et al., GPTQ,
ICLR 2023, after Hassibi and Stork's optimal brain surgeon, 1993).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats

DAMPING = 0.01
"""Of the mean variance, added to each: few images leave C singular."""
BLOCK = 128
"""Inputs after which the error is carried on to the far ones, all at once."""
CLIPS = np.linspace(1.0, 0.5, 11)
"""Shares of the largest weight that a channel's scale may be made for. One half gains one bit for
all others; beyond that, what is clipped costs more than it gains."""


@dataclass(frozen=True, eq=False)
class Statistics:
    """What a projection receives on calibration images."""

    mean: Floats
    """(groups, fan-in), in levels of the source."""
    covariance: Floats
    """(groups, fan-in, fan-in)."""

    @property
    def groups(self) -> int:
        """Groups of a convolution."""
        return len(self.mean)

    def cost(self, errors: Floats) -> Floats:
        """The variance that errors (channels, fan-in) of weights add to each channel's sum."""
        # (groups, channels of a group, fan-in): every group receives inputs of its own
        grouped = errors.reshape(self.groups, -1, errors.shape[-1])
        weighted = np.matmul(grouped, self.covariance)
        return np.asarray((weighted * grouped).sum(2).reshape(len(errors)))

    def shift(self, errors: Floats) -> Floats:
        """How far errors (channels, fan-in) of weights move the mean of each channel's sum."""
        grouped = errors.reshape(self.groups, -1, errors.shape[-1])
        return np.asarray(np.einsum("gof,gf->go", grouped, self.mean).reshape(len(errors)))


def rounded(weights: Floats, statistics: Statistics, low: int, high: int) -> Integers:
    """Whole weights from low to high for float ones (channels, fan-in) in the same units."""
    grouped = weights.reshape(statistics.groups, -1, weights.shape[-1])
    # one order for all groups, which are rounded together as one array
    order = np.argsort(-np.einsum("gff->gf", statistics.covariance).sum(0), kind="stable")
    # rows, then columns: the inputs in that order on both axes of C
    upper = _inverse_factor(statistics.covariance[:, order][:, :, order])
    found = np.empty_like(grouped)
    found[:, :, order] = _fed_back(grouped[:, :, order], upper, low, high)
    return found.reshape(weights.shape).astype(np.int64)


def _inverse_factor(covariance: Floats) -> Floats:
    """The upper Cholesky factor of the damped inverse, for each group."""
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
            found[:, :, i] = np.clip(np.round(rows[:, :, i]), low, high)
            error = (rows[:, :, i] - found[:, :, i]) / upper[:, None, i, i]
            rows[:, :, i + 1 : end] -= error[:, :, None] * upper[:, None, i, i + 1 : end]
            errors[:, :, i - start] = error
        rows[:, :, end:] -= np.matmul(errors, upper[:, start:end, end:])
    return found


def best_clips(rows: Floats, statistics: Statistics, top: int) -> npt.NDArray[np.float64]:
    """For each channel the share of its largest weight whose scale loses least, plainly rounded.

    Weights are (channels, fan-in) and become ±top at most.
    """
    peak = np.abs(rows).max(1)
    # (channels, fan-in): the diagonal of C, once for each channel of the group
    variance = np.repeat(
        np.einsum("gff->gf", statistics.covariance), len(rows) // statistics.groups, axis=0
    )
    costs = []
    for share in CLIPS:
        unit = np.where(peak > 0, peak, 1.0)[:, None] * share / top
        error = np.clip(np.round(rows / unit), -top, top) * unit - rows
        costs.append((np.square(error) * variance).sum(1))
    return np.asarray(CLIPS[np.argmin(costs, axis=0)])
