"""Layer by layer: what the source sends, and what the layers that are rounded so far really send.

A rounded layer errs in its sums. What counts is the mean of its activations: where sums are
clipped, it is not what the mean of the sums says. So the bias is fitted to the levels themselves,
on the input that the layer receives from the rounded layers before it. And sums that are clipped
hardly count for the weights, channel by channel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.calibration.input_statistics import input_statistics
from snnc.calibration.walk import evenly
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Conv, Floats, MatMul, Staircase, per_channel
from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.quantization.layer import projections_of
from snnc.compiler.quantization.observer import RoundedLayer
from snnc.runtime.engines.float_network import FloatNetwork

Array: TypeAlias = npt.NDArray[Any]

MOST_VALUES = 1 << 28
"""Numbers kept of one layer for all images; a few such arrays live at a time."""
MOST_COMPARED = 1 << 22
"""Activations of a layer whose mean is kept."""
MOST_COVARIANCES = 1 << 25
"""Numbers in the covariances of all channels; above, they share one."""
MARGIN = 0.5
"""In levels, how far beyond the staircase a sum may still err back onto it."""
MOST_OUTPUTS = 256
"""Images on which the loss of the outputs is measured."""
ROUNDS = 4
"""A shift moves the mean by less than itself where neurons are silent."""


class RoundingWalk:
    """An `Observer`; `values` holds what the layers to come still read.

    Args:
        network: a composed network.
        sent: (images, *shape of the input), what the input sends.
    """

    def __init__(self, network: Network, sent: Array) -> None:
        self.network = network
        ends = [n for n in network if isinstance(n.operator, Staircase) or n is network.output]
        largest = max(prod(node.shape) for node in network)
        images = _small(evenly(sent, MOST_VALUES // largest))
        self.values = {network.input.name: (images, images)}
        """What the source sends, and what is sent behind rounded layers."""
        self.reads = {end.name: self._sources(end) for end in ends}

    def statistics(self, end: Node) -> tuple[Statistics, ...]:
        """See `Observer`."""
        projections, within = self._projections(end), None
        if isinstance(end.operator, Staircase) and all(map(_may_weigh, projections)):
            levels, sums = end.operator.levels, self._sent(self.network, end, end.sources[0], 0)
            within = np.concatenate([_within(each, levels) for each in sums])
        return tuple(
            input_statistics(
                each, self.values[each.sources[0]][1], None if _is_grouped(each) else within
            )
            for each in projections
        )

    def shift(self, end: Node, lost: tuple[Floats, ...]) -> Floats:
        """See `Observer`."""
        sums = end.sources[0] if isinstance(end.operator, Staircase) else end.name
        images = max(1, MOST_COMPARED // prod(end.shape))
        rounded = self._rounded(end, RoundedLayer(lost, np.zeros(end.shape[0])))
        exact, found = (
            np.concatenate(list(self._sent(network, end, sums, side, images)))
            for side, network in enumerate((self.network, rounded))
        )
        shift = _missing(exact, found)
        if isinstance(end.operator, Staircase):
            wanted = _levels(exact, end.operator)
            for _ in range(ROUNDS):
                moved = found + per_channel(shift, found.ndim - 1).astype(np.float32)
                shift = shift + _missing(wanted, _levels(moved, end.operator))
        return shift

    def loss(self, end: Node, rounded: RoundedLayer) -> float:
        """See `Observer`."""
        exact, found = (
            self._outputs(network) for network in (self.network, self._rounded(end, rounded))
        )
        variance = float(exact.var(0).mean())
        return float((found - exact).var(0).mean()) / variance if variance else 0.0

    def advance(self, end: Node, rounded: RoundedLayer | None) -> None:
        """See `Observer`."""
        network = self.network if rounded is None else self._rounded(end, rounded)
        if end is not self.network.output:
            exact, found = (
                np.concatenate([_small(each) for each in self._sent(part, end, end.name, side)])
                for side, part in enumerate((self.network, network))
            )
            self.values[end.name] = exact, found
        del self.reads[end.name]
        needed = {each for reads in self.reads.values() for each in reads}
        self.values = {name: each for name, each in self.values.items() if name in needed}

    def _sent(
        self, network: Network, end: Node, output: str, side: int, images: int | None = None
    ) -> Iterator[Array]:
        """What a layer makes of what it reads: the source's, or the rounded network's."""
        reads = self.reads[end.name]
        engine = FloatNetwork(network, (output,), inputs=reads)
        samples = [self.values[each][side] for each in reads]
        if images is not None:
            samples = [evenly(each, images) for each in samples]
        return (batch[output] for batch in engine.batches(*samples))

    def _outputs(self, network: Network) -> Array:
        """Of the network from the source's values on, for some images: (images, outputs)."""
        inputs, output = tuple(self.values), network.output.name
        engine = FloatNetwork(network, (output,), inputs=inputs)
        samples = (evenly(exact, MOST_OUTPUTS) for exact, _ in self.values.values())
        found = np.concatenate([batch[output] for batch in engine.batches(*samples)])
        return found.reshape(len(found), -1)

    def _sources(self, end: Node) -> tuple[str, ...]:
        return tuple(dict.fromkeys(each.sources[0] for each in self._projections(end)))

    def _projections(self, end: Node) -> tuple[Node, ...]:
        return projections_of(end, self.network.by_name)

    def _rounded(self, end: Node, rounded: RoundedLayer) -> Network:
        """The network with one layer rounded."""
        projections = self._projections(end)
        shifts = [rounded.shift, *(np.zeros(end.shape[0]) for _ in projections[1:])]
        found = {
            node.name: _changed(node, lost, shift)
            for node, lost, shift in zip(projections, rounded.lost, shifts, strict=True)
        }
        return replace(
            self.network, nodes=tuple(found.get(node.name, node) for node in self.network)
        )


def _changed(node: Node, lost: Floats, shift: Floats) -> Node:
    """A projection less what it lost, its bias with what it gained."""
    operator = node.operator
    assert isinstance(operator, Conv | MatMul)
    weights = operator.weights - lost.reshape(operator.weights.shape)
    rank = max(operator.bias.ndim, shift.ndim)
    bias = per_channel(operator.bias, rank) + per_channel(shift, rank)
    return replace(node, operator=replace(operator, weights=weights, bias=bias))


def _is_grouped(node: Node) -> bool:
    return isinstance(node.operator, Conv) and node.operator.groups > 1


def _may_weigh(node: Node) -> bool:
    """Whether a covariance for each channel is small enough."""
    assert isinstance(node.operator, Conv | MatMul)
    weights = node.operator.weights
    return bool(weights.size * weights[0].size <= MOST_COVARIANCES)


def _within(sums: Array, levels: int) -> Array:
    """Which sums count: what lies beyond the staircase is clipped, however it errs."""
    return np.asarray((sums > -MARGIN) & (sums < levels + 1 + MARGIN))


def _missing(wanted: Array, found: Array) -> Floats:
    """The mean difference of each channel of (images, channels, …)."""
    axes = (0, *range(2, wanted.ndim))
    return np.asarray((wanted - found).mean(axes, dtype=np.float64))


def _levels(sums: Array, staircase: Staircase) -> Array:
    return np.asarray(np.clip(np.floor(sums), 0, staircase.levels))


def _small(levels: Array) -> Array:
    """Whole numbers in as few bytes as hold them."""
    return levels.astype(np.min_scalar_type(int(levels.max(initial=0))))
