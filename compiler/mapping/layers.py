"""What the mapper knows of a layer: shapes alone, so that published networks can be mapped too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from snnc.compiler.mapping.axes import Axis, Grouped, Sliding, Whole
from snnc.compiler.spiking import Connection, Convolution, Node, Population, SpikingNetwork
from snnc.compiler.target import CoreModel

Extents: TypeAlias = tuple[int, int, int]
"""Channels, rows, columns; neurons in a line are channels."""
PROGRAM_WORDS = 2
"""Assumed: u and v of 24 bits and a bias of 16 are one word where all other numbers of a neuron
are constants of its group, and two where they are not."""


@dataclass(frozen=True)
class Reading:
    """The synapses between a layer and one of its sources."""

    source: str
    axes: tuple[Axis, Axis, Axis]
    is_dense: bool
    source_copies: int = 1

    @property
    def taps(self) -> int:
        """Places of the kernel."""
        return prod(each.taps for each in self.axes if isinstance(each, Sliding))

    @property
    def fan_in(self) -> int:
        """Synapses of one neuron, away from the border."""
        return self.source_copies * prod(each.fan_in for each in self.axes)


@dataclass(frozen=True)
class Layer:
    """A population, or the input, as far as cores are concerned."""

    name: str
    shape: Extents
    readings: tuple[Reading, ...] = ()
    """One for each projection; none of an input."""
    copies: int = 1
    """Neurons that stand for one; they stay together."""
    state_words: int = 1
    """Of one neuron."""
    weight_bits: int = 8

    @property
    def neurons(self) -> int:
        """All of them, with their copies."""
        return self.copies * prod(self.shape)

    @property
    def merged(self) -> tuple[Reading, ...]:
        """One reading of each reach: a spike is sent to a core once for all of them.

        Weights that are split over two synapses are two projections of one reach. Another kernel
        from the same source has axons, and so messages, of its own.
        """
        return tuple(dict.fromkeys(self.readings))


def layers_of(
    network: SpikingNetwork, core: CoreModel, program_words: int = PROGRAM_WORDS
) -> tuple[Layer, ...]:
    """The input and the populations of a network.

    Args:
        network: any.
        core: of the chip that it goes to.
        program_words: the state words of a neuron with a program of its own, where the core tells
            them from plain ones.
    """
    nodes = network.nodes
    words = program_words if core.states_differ else 1
    source = Layer(network.input.name, extents_of(network.input.shape))
    return (source, *(_layer(each, nodes, words) for each in network))


def dense(source: str, extents: Extents, shape: Extents, copies: int = 1) -> Reading:
    """Every neuron reads every neuron of a source of some extents."""
    channels, rows, columns = map(Whole, extents, shape)
    return Reading(source, (channels, rows, columns), is_dense=True, source_copies=copies)


def _layer(population: Population, nodes: Mapping[str, Node], words: int) -> Layer:
    shape = extents_of(population.shape)
    neuron = population.neuron
    readings = [
        _reading(nodes[each.source], each.connection, shape) for each in population.projections
    ]
    state_words = words if neuron.circuit == "programmable" else 1
    bits = population.weight_bits
    return Layer(population.name, shape, tuple(readings), neuron.copies, state_words, bits)


def _reading(source: Node, connection: Connection, shape: Extents) -> Reading:
    extents, copies = extents_of(source.shape), source.sends.copies
    if not isinstance(connection, Convolution):
        return dense(source.name, extents, shape, copies)
    rows, columns = (
        Sliding(
            extents[1 + axis],
            shape[1 + axis],
            connection.weights.shape[2 + axis],
            connection.strides[axis],
            connection.pads[axis],
            connection.dilations[axis],
        )
        for axis in (0, 1)
    )
    channels = Grouped(extents[0], shape[0], connection.groups)
    return Reading(source.name, (channels, rows, columns), False, copies)


def extents_of(shape: tuple[int, ...]) -> Extents:
    """A population's shape as channels, rows and columns."""
    channels, rows, columns = (*shape, 1, 1)[:3]
    return channels, rows, columns
