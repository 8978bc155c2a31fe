"""Layer by layer in the order of computation: a threshold, then a shift of each channel.

The values of the float network and of the network as it is quantised so far stand side by side.
Of both only those are kept that layers to come still read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Generic, TypeVar

import numpy as np

from snnc.calibration.thresholds import SumError, candidates, quantised, shifted
from snnc.compiler.analysis.plain_activations import Qcfs
from snnc.compiler.analysis.segments import sources_before, sums_after
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Clip
from snnc.runtime.engines.float_network import BATCH, Array, FloatNetwork

T = TypeVar("T")
MOST_SCORED = 1 << 22
"""Activations of a layer, out of all, on which candidates are compared."""


@dataclass(frozen=True)
class Stages(Generic[T]):
    """The same thing measured three times."""

    uncalibrated: T
    """With the greatest activation as threshold."""
    calibrated: T
    corrected: T
    """With shifts too."""


@dataclass(frozen=True, eq=False)
class FittedActivation:
    """One activation, what took its place and why."""

    name: str
    staircase: Qcfs
    greatest: float
    """The greatest activation, above the lower bound."""
    search: str
    """The one that found the threshold."""
    errors: Stages[float]
    """Of the sums that read it, squared and relative to their variance."""


class LayerWalk:
    """One layer after the other; `values` holds what the ones to come still read."""

    def __init__(
        self, network: Network, activations: Sequence[Node], images: Array, levels: int
    ) -> None:
        self.network, self.levels = network, levels
        self.values = {network.input.name: (images, images)}
        """The float network's and the quantised one's."""
        known = {network.input.name, *(node.name for node in activations)}
        self.reads = {
            node.name: sources_before(network, node.sources[0], known) for node in activations
        }
        self.variances = _variances(network, activations, evenly(images, BATCH))

    def layer(self, node: Node) -> FittedActivation:
        """Fit a staircase to the activation, and carry its values on."""
        exact, found = self.sums(node)
        wanted = np.clip(exact, *_bounds(node))
        images = max(1, MOST_SCORED // prod(node.shape))
        layer = self.fitted(node, *(evenly(each, images) for each in (exact, found, wanted)))
        self.values[node.name] = wanted, quantised(found, layer.staircase)
        return layer

    def fitted(self, node: Node, exact: Array, found: Array, wanted: Array) -> FittedActivation:
        """Choose the threshold, then the shift, which is dropped where it does harm."""
        low, _ = _bounds(node)
        error = SumError(self.network, node.name, wanted, self.variances)
        offers = candidates(wanted - low, self.levels, float(np.abs(exact).max()) or 1.0)
        fits = [Qcfs(self.levels, each.threshold, low) for each in offers]
        errors = [error(quantised(found, each)) for each in fits]
        best, greatest = np.argmin(errors), np.argmax([each.threshold for each in offers])
        shift = shifted(fits[best], found, wanted)
        moved = error(quantised(found, shift))
        helps = moved < errors[best]
        corrected, staircase = (moved, shift) if helps else (errors[best], fits[best])
        stages = Stages(errors[greatest], errors[best], corrected)
        return FittedActivation(
            node.name, staircase, offers[greatest].threshold, offers[best].search, stages
        )

    def sums(self, node: Node) -> tuple[Array, Array]:
        """What the activation reads, in the float network and in the quantised one."""
        reads = self.reads.pop(node.name)
        engine = FloatNetwork(self.network, node.sources, inputs=reads)
        pairs = zip(*(self.values[each] for each in reads), strict=True)
        exact, found = (
            np.concatenate([batch[node.sources[0]] for batch in engine.batches(*values)])
            for values in pairs
        )
        needed = {each for reads in self.reads.values() for each in reads}
        self.values = {name: each for name, each in self.values.items() if name in needed}
        return exact, found


def _bounds(node: Node) -> tuple[float, float]:
    assert isinstance(node.operator, Clip)
    return float(node.operator.low.flat[0]), float(node.operator.high.flat[0])


def _variances(network: Network, activations: Sequence[Node], images: Array) -> Mapping[str, float]:
    """How much every sum that reads an activation varies, within its channels."""
    ends = dict.fromkeys(end for node in activations for end in sums_after(network, node.name)[1])
    found = FloatNetwork(network, tuple(ends)).run(images)
    return {name: _variance(values) or 1.0 for name, values in found.items()}


def _variance(values: Array) -> float:
    return float(values.var((0, *range(2, values.ndim))).mean())


def evenly(images: Array, count: int) -> Array:
    """At most so many images, every n-th of all: a data set may be sorted by class."""
    return images[:: -(-len(images) // max(count, 1))]
