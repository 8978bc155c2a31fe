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
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.neurons import Graded, Integers, OffsetSpike, Rate, Readout, Thermometer
from snnc.compiler.spiking import (
    Dense,
    Input,
    Population,
    Projection,
    SpikingNetwork,
    copies_of,
    train_of,
)

Sent: TypeAlias = npt.NDArray[Any]
"""Numbers (images, *shape), or of a rate code trains of spikes (time steps, images, *shape)."""


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
            sent: what every firing population sends, see `snnc.runtime.golden.GoldenResult`.
        """
        self._images += len(levels)
        nodes = self._network.nodes
        for name, numbers in {self._network.input.name: levels, **sent}.items():
            self._spikes[name] = self._spikes.get(name, 0) + spikes_by_neuron(nodes[name], numbers)

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


def spikes_by_neuron(node: Input | Population, sent: Sent) -> Integers:
    """The spikes of each neuron in its turn, summed over the images; (*shape)."""
    law = node if isinstance(node, Input) else node.neuron
    if isinstance(law, Rate):
        return _over_images(sent.sum(axis=0, dtype=np.int32))
    if isinstance(law, OffsetSpike):
        again = (law.iterations - 1) * sent[: law.rho].sum(axis=0, dtype=np.int32)
        return _over_images(2 * sent.sum(axis=0, dtype=np.int32) + again)
    if isinstance(law, Thermometer):
        return _over_images(sent)
    if train_of(node) == "bits":
        bits = int(sent.max(initial=0)).bit_length()
        ones = np.zeros(sent.shape[1:], np.int64)
        for place in range(bits):
            ones += _over_images(sent >> place & 1)
        return ones
    repeats = max(1, law.repeats) if isinstance(law, Input | Graded) else 1
    return repeats * _over_images(sent != 0)


def fan_outs(network: SpikingNetwork) -> Mapping[str, Integers]:
    """For each node the synapses that leave each of its neurons, to all that hear it; (*shape)."""
    nodes = network.nodes
    fans = {name: np.zeros(node.shape, np.int64) for name, node in nodes.items()}
    for population in network:
        for each in population.projections:
            fans[each.source] += fan_out(each, nodes[each.source].shape, population)
    return fans


def fan_out(projection: Projection, source: tuple[int, ...], population: Population) -> Integers:
    """The synapses that leave each neuron of a source in one projection; (*source).

    Row y of a convolution's source meets output row r through tap k where y = r·stride + k·dilation
    − pad: the transposed convolution of ones, and the rows are counted apart from the columns.
    """
    connection = projection.connection
    copies = copies_of(population)
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
    firing = (each for each in network if not isinstance(each.neuron, Readout))
    return sum(each.size * copies_of(each) for each in firing)


def _meetings(
    source: int, target: int, taps: int, stride: int, dilation: int, pad: int
) -> Integers:
    """For each place of a source's axis the pairs of target place and tap that meet it."""
    places = np.arange(target)[:, None] * stride + np.arange(taps) * dilation - pad
    return np.bincount(places[(places >= 0) & (places < source)], minlength=source)


def _over_images(numbers: Sent) -> Integers:
    return np.asarray(numbers.sum(axis=0, dtype=np.int64))
