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

from snnc.calibration.curves import curve_fits
from snnc.calibration.thresholds import SumError, candidates, centred, shifted
from snnc.compiler.analysis.plain_activations import Activation, Qcfs
from snnc.compiler.analysis.segments import sources_before, sums_after
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Clip, Curve
from snnc.runtime.engines.float_network import BATCH, Array, FloatNetwork

T = TypeVar("T")
MOST_SCORED = 1 << 22
"""Activations of a layer, out of all, on which candidates are compared."""
NEAR = 1.1
"""How much more ramps may err than levels of the curve's own, as a factor."""


@dataclass(frozen=True)
class Stages(Generic[T]):
    """The same thing measured three times."""

    uncalibrated: T
    """With the greatest activation as threshold; of ramps evenly over all that was met."""
    calibrated: T
    corrected: T
    """With shifts too, so that means are kept."""


@dataclass(frozen=True, eq=False)
class FittedActivation:
    """One activation, what took its place and why."""

    name: str
    fits: Stages[Activation]
    search: str
    """What found them."""
    errors: Stages[float]
    """Of the sums that read it, squared and relative to their variance."""

    @property
    def populations(self) -> int:
        """Those that send it."""
        return self.fits.corrected.populations


class LayerWalk:
    """One layer after the other; `values` holds what the ones to come still read."""

    def __init__(
        self,
        network: Network,
        activations: Sequence[Node],
        images: Array,
        levels: int,
        *,
        uneven: bool = False,
    ) -> None:
        self.network, self.levels, self.uneven = network, levels, uneven
        self.values = {network.input.name: (images, images)}
        """The float network's and the quantised one's."""
        known = {network.input.name, *(node.name for node in activations)}
        self.reads = {
            node.name: sources_before(network, node.sources[0], known) for node in activations
        }
        self.variances = _variances(network, activations, evenly(images, BATCH))

    def layer(self, node: Node) -> FittedActivation:
        """Fit what has levels to the activation, and carry its values on."""
        exact, found, wanted = self.sums(node)
        images = max(1, MOST_SCORED // prod(node.shape))
        fit = self.fitted_curve if isinstance(node.operator, Curve) else self.fitted_clip
        layer = fit(node, *(evenly(each, images) for each in (exact, found, wanted)))
        self.values[node.name] = wanted, layer.fits.corrected.apply(found)
        return layer

    def fitted_clip(
        self, node: Node, exact: Array, found: Array, wanted: Array
    ) -> FittedActivation:
        """Choose the threshold, then the shift, which is dropped where it does harm."""
        low, _ = _bounds(node)
        error = SumError(self.network, node.name, wanted, self.variances)
        offers = candidates(wanted - low, self.levels, float(np.abs(exact).max()) or 1.0)
        fits = [Qcfs(self.levels, each.threshold, low) for each in offers]
        errors = [error(each.apply(found)) for each in fits]
        best, greatest = np.argmin(errors), np.argmax([each.threshold for each in offers])
        shift = shifted(fits[best], found, wanted)
        moved = error(shift.apply(found))
        helps = moved < errors[best]
        corrected, staircase = (moved, shift) if helps else (errors[best], fits[best])
        return FittedActivation(
            node.name,
            Stages(fits[greatest], fits[best], staircase),
            offers[best].search,
            Stages(errors[greatest], errors[best], corrected),
        )

    def fitted_curve(
        self, node: Node, exact: Array, found: Array, wanted: Array
    ) -> FittedActivation:
        """Choose as few ramps as err no more than levels of the curve's own would, then the means.

        With thresholds that may lie anywhere the ramps are these levels themselves.
        """
        error = SumError(self.network, node.name, wanted, self.variances)
        offers = curve_fits(node, found, self.levels, uneven=self.uneven)
        own = [error(each.apply(found)) for each in offers.uneven]
        fits = offers.uneven if self.uneven else offers.even
        errors = own if self.uneven else [error(each.apply(found)) for each in fits]
        near = [i for i, each in enumerate(errors) if each <= NEAR * own[-1]]
        best = near[0] if near else int(np.argmin(errors))
        plain = offers.spread[best]
        plainly = error(plain.apply(found))
        if plainly < errors[best]:
            fits, errors, best = (plain,), [plainly], 0
        centre = centred(fits[best], found, wanted)
        moved = error(centre.apply(found))
        helps = moved < errors[best]
        corrected, ramps = (moved, centre) if helps else (errors[best], fits[best])
        return FittedActivation(
            node.name,
            Stages(plain, fits[best], ramps),
            "uneven levels" if self.uneven else "ramps",
            Stages(plainly, errors[best], corrected),
        )

    def sums(self, node: Node) -> tuple[Array, Array, Array]:
        """What the activation reads, in the float network and in the quantised one.

        And what it gives, in the float network.
        """
        reads = self.reads.pop(node.name)
        (source,) = node.sources
        engine = FloatNetwork(self.network, (source, node.name), inputs=reads)
        exact, found = zip(*(self.values[each] for each in reads), strict=True)
        batches = [*engine.batches(*exact)]
        summed, wanted = (np.concatenate([e[name] for e in batches]) for name in engine.outputs)
        again = FloatNetwork(self.network, (source,), inputs=reads).batches(*found)
        met = np.concatenate([batch[source] for batch in again])
        needed = {each for reads in self.reads.values() for each in reads}
        self.values = {name: each for name, each in self.values.items() if name in needed}
        return summed, met, wanted


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
