"""Synaptic operations: every spike, times the synapses that leave the neuron it comes from.

A neuron at the border of a convolution has fewer synapses than one in the middle, so the fan-out is
a map, one number for each neuron of a source. It is known before any image is: the operations of a
data set are the spikes of each neuron, summed over all images, times that map.

Counted as the chip would hold them: a weight of 0 is a synapse like any other, a weight split over
two synapses is two, and every copy of a neuron has synapses of its own. Outside the image there are
none. Relays are neurons like any others. A payload is one spike, and a read-out's potential none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.laws.base import Sent, Shape
from snnc.compiler.spiking import Dense, Population, Projection, SpikingNetwork


@dataclass(frozen=True)
class Traffic:
    """Spikes, and the synaptic operations they cause, for one image."""

    input_spikes: float
    hidden_spikes: float
    input_operations: float
    hidden_operations: float

    @property
    def spikes(self) -> float:
        """Of pixels and of neurons."""
        return self.input_spikes + self.hidden_spikes

    @property
    def operations(self) -> float:
        """Of both."""
        return self.input_operations + self.hidden_operations


class Meter:
    """Adds up what a network sends, batch by batch."""

    def __init__(self, network: SpikingNetwork) -> None:
        self._network = network
        self._images = 0
        self._spikes: dict[str, Integers] = {}

    def add(self, levels: Sent, sent: Mapping[str, Sent]) -> None:
        """Count a batch.

        Args:
            levels: what the input sends, (images, *shape).
            sent: what every firing population sends, see
                `snnc.runtime.engines.golden.GoldenResult`.
        """
        self._images += len(levels)
        source = self._network.input
        self._add(source.name, source.spikes_by_neuron(levels))
        for name, law in self._network.firing.items():
            self._add(name, law.spikes_by_neuron(sent[name]))

    @property
    def traffic(self) -> Traffic:
        """The mean over all images so far."""
        fans = fan_outs(self._network)
        source = self._network.input.name
        operations = {name: int(np.sum(n * fans[name])) for name, n in self._spikes.items()}
        spikes = {name: int(n.sum()) for name, n in self._spikes.items()}
        first = spikes[source], operations[source]
        hidden = sum(spikes.values()) - first[0], sum(operations.values()) - first[1]
        each = (number / self._images for number in (first[0], hidden[0], first[1], hidden[1]))
        return Traffic(*each)

    def _add(self, name: str, spikes: Integers) -> None:
        self._spikes[name] = self._spikes.get(name, np.zeros_like(spikes)) + spikes


def fan_outs(network: SpikingNetwork) -> Mapping[str, Integers]:
    """For each node the synapses that leave each of its neurons, whoever reads it; (*shape)."""
    nodes = network.nodes
    fans = {name: np.zeros(node.shape, np.int64) for name, node in nodes.items()}
    for population in network:
        for each in population.projections:
            fans[each.source] += fan_out(each, nodes[each.source].shape, population)
    return fans


def fan_out(projection: Projection, source: Shape, population: Population) -> Integers:
    """The synapses that leave each neuron of a source in one projection; (*source).

    Row y of a convolution's source meets output row r through tap k where y = r·stride + k·dilation
    − pad: the transposed convolution of ones, and the rows are counted apart from the columns.
    """
    connection = projection.connection
    copies = population.neuron.copies
    if isinstance(connection, Dense):
        return np.full(source, copies * len(connection.weights), np.int64)
    rows, columns = (
        _meetings(
            source[1 + axis],
            population.shape[1 + axis],
            connection.weights.shape[2 + axis],
            connection.strides[axis],
            connection.dilations[axis],
            connection.pads[axis],
        )
        for axis in (0, 1)
    )
    heads = copies * len(connection.weights) // connection.groups
    return np.broadcast_to(heads * np.outer(rows, columns), source)


def firing_neurons(network: SpikingNetwork) -> int:
    """Neurons that send spikes, each copy counted; neither pixels nor the read-out."""
    return sum(each.size * each.neuron.copies for each in network if each.name in network.firing)


def _meetings(
    source: int, target: int, taps: int, stride: int, dilation: int, pad: int
) -> Integers:
    """For each place of a source's axis the pairs of target place and tap that meet it."""
    places = np.arange(target)[:, None] * stride + np.arange(taps) * dilation - pad
    return np.bincount(places[(places >= 0) & (places < source)], minlength=source)
