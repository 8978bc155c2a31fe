"""The events that spikes cause, core by core: linear in the spikes, and products of three axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snnc.compiler.laws import Floats, Integers
from snnc.compiler.mapping.axes import bounds_of
from snnc.compiler.mapping.demands import INDEX, Consumer, lists, neurons_of, of_cut, product
from snnc.compiler.mapping.layers import Layer
from snnc.compiler.mapping.mapping import CoreMapping


@dataclass(frozen=True, eq=False)
class Arrivals:
    """What the spikes of a layer cause in the cores of one that reads it; (images, cores)."""

    index: int
    """The number of the layer that reads."""
    is_dense: bool
    messages: Floats
    operations: Floats
    words: Floats
    """Of synaptic memory that are read."""


class LayerEvents:
    """What the spikes of one layer cause."""

    def __init__(self, mapping: CoreMapping, index: int) -> None:
        self._layer, self._cut = mapping.layers[index], mapping.cuts[index]
        consumers = mapping.consumers[self._layer.name]
        # to how many cores a spike of each neuron goes
        self._fan = np.zeros(self._layer.shape) + sum(
            product(each.reading.axes[axis].readers(each.pieces[axis]) for axis in range(3))
            for each in consumers
        )
        self._readers = [_Reader(mapping.layers[each.index], each) for each in consumers]

    def sent(self, spikes: Floats) -> tuple[Floats, Floats]:
        """Spikes, and the messages that they become; both (images, cores)."""
        return self._on_cores(spikes), self._on_cores(spikes * self._fan)

    def arrivals(self, spikes: Floats) -> list[Arrivals]:
        """What they cause where they arrive."""
        return [each.arrivals(spikes) for each in self._readers]

    def _on_cores(self, numbers: Floats) -> Floats:
        for axis, pieces in enumerate(self._cut):
            starts = bounds_of(self._layer.shape[axis], pieces)[:-1]
            numbers = np.add.reduceat(numbers, starts, axis=1 + axis)
        return numbers.reshape(len(numbers), -1)


class _Reader:
    """A layer that reads another, through one or more projections of one reach."""

    def __init__(self, layer: Layer, consumer: Consumer) -> None:
        self._index, reading = consumer.index, consumer.reading
        self._is_dense = reading.is_dense
        self._repeats = layer.readings.count(reading)
        meetings = [
            axis.meetings(pieces)
            for axis, pieces in zip(reading.axes, consumer.pieces, strict=True)
        ]
        self._reach = [_Contraction(np.minimum(each, 1)) for each in meetings]
        channels, *places = meetings
        self._synapses = [_Contraction(each) for each in (layer.copies * channels, *places)]
        bits = layer.copies * layer.weight_bits
        self._lists = [_Contraction(each) for each in (lists(channels * bits), *places)]
        neurons = neurons_of(layer, of_cut(consumer.pieces)).ravel()
        self._list = lists(neurons * (layer.weight_bits + INDEX))

    def arrivals(self, spikes: Floats) -> Arrivals:
        messages = _contracted(spikes, self._reach)
        operations = self._repeats * _contracted(spikes, self._synapses)
        words = messages * self._list if self._is_dense else _contracted(spikes, self._lists)
        return Arrivals(self._index, self._is_dense, messages, operations, self._repeats * words)


class _Contraction:
    """Sums over the places of an axis, for each piece; pieces that sum alike are summed once."""

    def __init__(self, shares: Integers) -> None:
        """Begin with what each place counts in each piece; (pieces, places)."""
        rows, which = np.unique(shares, axis=0, return_inverse=True)
        self._rows = rows.astype(np.float64)
        self._which = which.ravel()

    def __call__(self, numbers: Floats) -> Floats:
        """Contract the second axis; the pieces are the last."""
        return np.asarray(np.tensordot(numbers, self._rows, axes=(1, 1))[..., self._which])


def _contracted(spikes: Floats, axes: Sequence[_Contraction]) -> Floats:
    """(images, cores) of (images, channels, rows, columns)."""
    for each in axes:
        spikes = each(spikes)
    return spikes.reshape(len(spikes), -1)
