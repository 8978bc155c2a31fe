"""Which core sends to which: a spike is one message to each core that holds a synapse of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from snnc.compiler.laws import Floats, Integers
from snnc.compiler.mapping.axes import bounds_of
from snnc.compiler.mapping.demands import Consumer
from snnc.compiler.mapping.layers import Layer
from snnc.compiler.mapping.mapping import CoreMapping


class Routes(NamedTuple):
    """Pairs of cores, and the messages from the first to the second."""

    senders: Integers
    receivers: Integers
    messages: Floats


def routes_of(mapping: CoreMapping, spikes: Mapping[str, Floats] | None = None) -> Routes:
    """The messages between all cores.

    Args:
        mapping: any.
        spikes: of each neuron, by layer, in the layer's shape; None for one of each.
    """
    found = [Routes(*(np.zeros(0, np.int64),) * 2, np.zeros(0))]
    for index, layer in enumerate(mapping.layers):
        fired = np.full(layer.shape, float(layer.copies)) if spikes is None else spikes[layer.name]
        found += [_routes(mapping, index, each, fired) for each in mapping.consumers[layer.name]]
    senders, receivers, messages = (np.concatenate(each) for each in zip(*found, strict=True))
    return Routes(senders, receivers, messages)


def crossings(mapping: CoreMapping, routes: Routes) -> Floats:
    """The messages that cross each border between consecutive cores; (cores + 1,)."""
    low = np.minimum(routes.senders, routes.receivers)
    high = np.maximum(routes.senders, routes.receivers)
    entering = np.bincount(low + 1, routes.messages, mapping.cores + 2)
    leaving = np.bincount(high + 1, routes.messages, mapping.cores + 2)
    return np.asarray(np.cumsum(entering - leaving)[: mapping.cores + 1])


def _routes(mapping: CoreMapping, index: int, consumer: Consumer, fired: Floats) -> Routes:
    """The messages from a layer to one that reads it, given the spikes of each neuron."""
    pairs, ends = [], (index, consumer.index)
    for axis in range(3):
        cuts = (mapping.cuts[index][axis], consumer.pieces[axis])
        senders, receivers, shared = _shared(mapping.layers[index], consumer, axis, cuts)
        pairs.append((senders, receivers))
        # the axis that was first is contracted, and comes back as the last
        fired = np.tensordot(fired, shared, axes=(0, 1))
    numbers = []
    for end in (0, 1):
        sizes = mapping.cuts[ends[end]]
        channels, rows, columns = (each[end] for each in pairs)
        own = (channels[:, None, None] * sizes[1] + rows[:, None]) * sizes[2] + columns
        numbers.append((mapping.first_cores[ends[end]] + own).ravel())
    return Routes(numbers[0], numbers[1], fired.ravel())


def _shared(
    layer: Layer, consumer: Consumer, axis: int, cuts: tuple[int, int]
) -> tuple[Integers, Integers, Floats]:
    """Pairs of pieces along an axis, and the places of the first that the second reads."""
    read = consumer.reading.axes[axis].meetings(cuts[1]) > 0
    owner = np.repeat(np.arange(cuts[0]), np.diff(bounds_of(layer.shape[axis], cuts[0])))
    receivers, places = np.nonzero(read)
    pairs, which = np.unique(owner[places] * cuts[1] + receivers, return_inverse=True)
    shared = np.zeros((len(pairs), layer.shape[axis]))
    shared[which.ravel(), places] = 1.0
    return pairs // cuts[1], pairs % cuts[1], shared
