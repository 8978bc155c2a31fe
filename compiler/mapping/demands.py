"""What each core of a cut layer has to hold and to do.

The same formulas answer for one cut, core by core, and for all cuts at once, where the largest
piece of each axis stands for the core that has most: products of three axes either way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.mapping.axes import Grouped, bounds_of, numbers_of_pieces
from snnc.compiler.mapping.layers import Layer, Reading
from snnc.compiler.target import CoreModel

WORD = 64
HEADER = 16
"""Bits before the weights of a list of synapses; published mappings allow 1 to 16."""
INDEX = 12
"""Bits that name the neuron behind each weight of a dense layer."""

Pieces: TypeAlias = tuple[int, int, int]
"""Into how many a layer is cut along channels, rows and columns."""
PerPiece: TypeAlias = Callable[[int], Integers]
"""A number for each piece, given how many there are."""
View: TypeAlias = Callable[[int, PerPiece], Integers]
"""How an axis, named by its number, is looked at: the numbers of what pieces."""


@dataclass(frozen=True, eq=False)
class Demands:
    """Arrays of one shape: of the cores of a layer, or of the ways to cut it."""

    neuron_words: Integers
    synaptic_words: Integers
    input_axons: Integers
    output_axons: Integers

    def against(self, core: CoreModel) -> dict[str, tuple[Integers, int]]:
        """By resource what is asked for, and what a core has."""
        found = {
            "neuron words" if core.states_differ else "neurons": (
                self.neuron_words,
                core.neuron_words,
            ),
            "synaptic words": (self.synaptic_words, core.synaptic_words),
            "input axons": (self.input_axons, core.input_axons),
        }
        if core.output_axons is not None:
            found["output axons"] = (self.output_axons, core.output_axons)
        return found


@dataclass(frozen=True, eq=False)
class Consumer:
    """Who reads a layer, and how it is cut: fixed before the layer itself is."""

    index: int
    """The number of the layer that reads."""
    reading: Reading
    pieces: Pieces

    def axons(self, axis: int) -> PerPiece:
        """Pairs of a place in a piece of the layer and a piece of the consumer."""
        behind = self.reading.axes[axis].readers(self.pieces[axis])
        return lambda pieces: np.add.reduceat(behind, bounds_of(len(behind), pieces)[:-1])


def consumers_among(index: int, layer: Layer, pieces: Pieces) -> Iterator[tuple[str, Consumer]]:
    """A layer as a consumer of each of its sources, with the name of the source."""
    return ((each.source, Consumer(index, each, pieces)) for each in layer.merged)


def ways_to_cut(layer: Layer) -> tuple[Integers, Integers, Integers]:
    """The numbers of pieces that are worth a look, along each axis."""
    channels, rows, columns = map(numbers_of_pieces, layer.shape)
    return channels, rows, columns


def of_cut(pieces: Pieces) -> View:
    """The numbers of all pieces of one cut."""
    return lambda axis, number: number(pieces[axis])


def largest(ways: tuple[Integers, Integers, Integers]) -> View:
    """Of each way to cut an axis the number of the piece that has most."""
    return lambda axis, number: np.array([number(int(n)).max() for n in ways[axis]])


def totals(ways: tuple[Integers, Integers, Integers]) -> View:
    """Of each way to cut an axis the sum over its pieces."""
    return lambda axis, number: np.array([number(int(n)).sum() for n in ways[axis]])


def demands_of(layer: Layer, consumers: Sequence[Consumer], core: CoreModel, view: View) -> Demands:
    """What the cores of a layer have to hold: (channels, rows, columns) as the view has them."""
    neurons = neurons_of(layer, view)
    none = np.zeros_like(neurons)
    words = sum((_words(layer, each, neurons, view) for each in layer.readings), none)
    axons = sum((_input_axons(each, core, view) for each in layer.merged), none)
    return Demands(neurons * layer.state_words, words, axons, output_axons(layer, consumers, view))


def neurons_of(layer: Layer, view: View) -> Integers:
    """The neurons of each core, copies included."""
    sizes = [_sizes(extent) for extent in layer.shape]
    return layer.copies * product(view(axis, size) for axis, size in enumerate(sizes))


def sources_of(reading: Reading, view: View) -> Integers:
    """The neurons of the source that a core reads."""
    reach = (view(axis, each.reads) for axis, each in enumerate(reading.axes))
    return reading.source_copies * product(reach)


def output_axons(layer: Layer, consumers: Sequence[Consumer], view: View) -> Integers:
    """Pairs of a neuron of a core and a core that it sends to."""
    none = np.zeros_like(neurons_of(layer, view))
    behind = (product(view(i, each.axons(i)) for i in range(3)) for each in consumers)
    return layer.copies * sum(behind, none)


def product(values: Iterable[Integers]) -> Integers:
    """(channels, rows, columns) from one number for each place of each axis."""
    channels, rows, columns = values
    return channels[:, None, None] * rows[:, None] * columns


def _sizes(extent: int) -> PerPiece:
    return lambda pieces: np.diff(bounds_of(extent, pieces))


def _words(layer: Layer, reading: Reading, neurons: Integers, view: View) -> Integers:
    """The words of a reading's weights.

    A list of synapses stands behind each neuron of the source of a dense layer, and behind each
    channel and tap of a convolution, whose kernel is stored once. It begins in a word of its own.
    """
    channels = reading.axes[0]
    if not isinstance(channels, Grouped):
        sources = reading.source_copies * np.prod([each.source for each in reading.axes])
        return np.asarray(sources * lists(neurons * (layer.weight_bits + INDEX)))

    def kernel(pieces: int) -> Integers:
        bits = layer.copies * layer.weight_bits
        first, groups, last = channels.in_groups(pieces)
        whole = lists(np.array(channels.extent // channels.groups * bits))
        rows = lists(first * bits) + groups * whole + lists(last * bits)
        return np.asarray(rows * (channels.source // channels.groups))

    places = reading.taps * reading.source_copies
    return places * view(0, kernel)[:, None, None] * np.ones_like(neurons)


def lists(bits: Integers) -> Integers:
    """The words of lists of synapses with so many bits; an empty one takes none."""
    return np.where(bits > 0, -(-(bits + HEADER) // WORD), 0)


def _input_axons(reading: Reading, core: CoreModel, view: View) -> Integers:
    if core.axon_for_each_neuron or reading.is_dense:
        return sources_of(reading, view)
    reach = view(0, reading.axes[0].reads)[:, None, None]
    rows, columns = (len(view(axis, each.reads)) for axis, each in enumerate(reading.axes[1:], 1))
    return reading.source_copies * np.broadcast_to(reach, (len(reach), rows, columns))
