"""The threshold λ of the staircase in the place of a ReLU, and the shift before it.

A small λ cuts off what is large, a large one leaves few levels for what is small. Two searches
propose thresholds; which is best is seen in the sums that read the activation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from snnc.compiler.analysis.plain_activations import Qcfs
from snnc.compiler.analysis.ramps import Ramps
from snnc.compiler.analysis.segments import sums_after
from snnc.compiler.network import Network
from snnc.runtime.engines.float_network import Array, FloatNetwork

PERCENTILES = (90.0, 95.0, 98.0, 99.0, 99.5, 99.8, 99.9, 99.97, 100.0)
MSE_STEPS = 64
MSE_VALUES = 1 << 16
"""Activations, out of all, for which the squared error is computed."""
SHIFT_ROUNDS = 2
"""A shift moves the mean by less than itself where neurons are silent; more rounds gain nothing."""


@dataclass(frozen=True)
class Candidate:
    """A threshold, and the search that proposes it."""

    threshold: float
    search: str


def candidates(activations: Array, levels: int, silent: float) -> tuple[Candidate, ...]:
    """Percentiles of the activations above 0, and the threshold of the least squared error.

    Args:
        activations: 0 or more, of any shape.
        levels: L.
        silent: the threshold if none of them is above 0.
    """
    positive = activations[activations > 0]
    if not positive.size:
        return (Candidate(silent, "silent"),)
    found = zip(PERCENTILES, np.percentile(positive, PERCENTILES), strict=True)
    least = _least_squares(positive, levels)
    return (
        *(Candidate(float(value), f"percentile {each:g}") for each, value in found),
        Candidate(least, "mse"),
    )


def _least_squares(positive: Array, levels: int) -> float:
    values = positive[:: -(-positive.size // MSE_VALUES)].astype(np.float64)
    offers = np.geomspace(1 / MSE_STEPS, 1, MSE_STEPS) * positive.max()
    errors = [np.square(Qcfs(levels, each).apply(values) - values).sum() for each in offers]
    return float(offers[np.argmin(errors)])


def shifted(staircase: Qcfs, sums: Array, wanted: Array) -> Qcfs:
    """Shift each channel's sums by what its activations miss in their mean.

    The sums that read them are linear, so their means come back with them. Shifting those sums
    instead would not wake the neurons whose sums never reach the first level.
    """
    axes = (0, *range(2, sums.ndim))
    for _ in range(SHIFT_ROUNDS):
        missing = np.asarray(wanted - staircase.apply(sums))
        missing = missing.mean(axes, np.float64, keepdims=True)
        staircase = replace(staircase, shift=staircase.shift + missing[0])
    return staircase


def centred(ramps: Ramps, sums: Array, wanted: Array) -> Ramps:
    """Add to each channel what it misses in its mean."""
    axes = (0, *range(2, sums.ndim))
    missing = np.mean(wanted - ramps.apply(sums), axes, np.float64, keepdims=True)
    return ramps.moved(missing[0])


class SumError:
    """How far the sums that read an activation are from what they should be.

    Args:
        network: all of it.
        name: the activation.
        wanted: its values.
        variances: the variance of every sum in the network, the unit of its error.
    """

    def __init__(
        self, network: Network, name: str, wanted: Array, variances: Mapping[str, float]
    ) -> None:
        part, self.sums = sums_after(network, name)
        self.variances = variances
        self.engine = FloatNetwork(part, self.sums)
        self.wanted = list(self.engine.batches(wanted))

    def __call__(self, found: Array) -> float:
        """The mean of (sum − wanted)² in units of the sum's variance, over all sums."""
        total = 0.0
        for batch, wanted in zip(self.engine.batches(found), self.wanted, strict=True):
            for each in self.sums:
                squares = float(np.square(batch[each] - wanted[each], dtype=np.float64).mean())
                total += len(batch[each]) * squares / self.variances[each]
        return total / len(found) / len(self.sums)
