"""What only moves elements goes behind the element-wise operators, so that chains stay whole.

Reshapes and transposes that follow each other become what they are together: nothing, one reshape,
or a selection of channels, as in the channel shuffle of ShuffleNet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import prod
from typing import TypeAlias

import numpy as np

from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Affine,
    Clip,
    Elementwise,
    Operator,
    Reshape,
    Select,
    Shape,
    Source,
    Tile,
    Transpose,
)
from snnc.compiler.spiking import planar

Move: TypeAlias = Reshape | Transpose | Tile


def sink_reshapes(network: Network) -> Network:
    """Swap all moves with the operators behind them that treat all elements alike."""
    moves = {n.name for n in network if isinstance(n.operator, Move)}
    if not any(_is_loose(node, moves) for node in network):
        return network
    return _with_planes(_Sinking(network).result())


def _with_planes(network: Network) -> Network:
    """A line as an input is a plane of height 1, if that is how all read it."""
    source, shape = network.input, planar(network.input.shape)
    readers = {node.name for node in network if source.name in node.sources}
    kinds = [network.by_name[each].operator for each in readers]
    if not all(isinstance(each, Reshape) and each.shape == shape != source.shape for each in kinds):
        return network
    assert isinstance(source.operator, Source)
    builder, renamed = Builder(), dict.fromkeys(readers, source.name)
    builder.add(source.name, replace(source.operator, shape=shape))
    for node in network:
        if node.sources and node.name not in readers:
            sources = (renamed.get(each, each) for each in node.sources)
            renamed[node.name] = builder.add(node.name, node.operator, *sources)
    end = network.output.name
    return network.replaced(builder.nodes(renamed.get(end, end)))


def _is_loose(node: Node, moves: Iterable[str]) -> bool:
    """Whether a node is a transpose, or stands behind a move and may stand before it."""
    behind = any(each in moves for each in node.sources)
    return isinstance(node.operator, Transpose) or (
        behind and (isinstance(node.operator, Move) or _is_alike(node))
    )


class _Sinking:
    """One walk over the nodes; `moves` says what each result still waits for."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.builder = Builder()
        self.names: dict[str, str] = {}
        self.moves: dict[str, tuple[Move, ...]] = {}

    def result(self) -> Network:
        for node in self.network:
            self.visit(node)
        return self.network.replaced(self.builder.nodes(self.settled(self.network.output.name)))

    def visit(self, node: Node) -> None:
        if isinstance(node.operator, Move):
            (source,) = node.sources
            self.names[node.name] = self.names[source]
            self.moves[node.name] = (*self.moves.get(source, ()), node.operator)
        elif operator := self.sunk(node):
            inner = (self.names[each] for each in node.sources)
            self.names[node.name] = self.builder.add(node.name, operator, *inner)
            self.moves[node.name] = self.moves[node.sources[0]]
        else:
            sources = map(self.settled, node.sources)
            self.names[node.name] = self.builder.add(node.name, node.operator, *sources)

    def sunk(self, node: Node) -> Operator | None:
        """What the operator is before the moves of all its sources, if it may come there."""
        if not node.sources or not all(each in self.moves for each in node.sources):
            return None
        if len({*map(self.moved, node.sources)}) > 1:
            return None
        if _is_alike(node):
            return node.operator
        first = node.sources[0]
        keeps = all(isinstance(each, Reshape) for each in self.moves[first])
        inner = self.builder.shape(self.names[first])
        return _by_channel(node, inner) if keeps and inner[0] == node.shape[0] else None

    def moved(self, name: str) -> tuple[object, ...]:
        """What sources that move alike have in common."""
        shape = self.builder.shape(self.names[name])
        together = _together(self.moves[name], shape)
        return (shape, *map(str, together))

    def settled(self, name: str) -> str:
        """The node that has the order and the shape which a consumer expects."""
        node = self.names[name]
        for move in _together(self.moves.get(name, ()), self.builder.shape(node)):
            node = self.builder.add(f"{name}.shape", move, node)
        return node


def _together(moves: tuple[Move, ...], shape: Shape) -> Iterator[Operator]:
    """As few operators as do the same to a source of this shape."""
    if all(isinstance(each, Reshape) for each in moves):
        yield from (each for each in moves[-1:] if each.shape_of(shape) != shape)
        return
    places = np.arange(float(prod(shape))).reshape(1, *shape)
    for each in moves:
        places = each.apply(places)
    result = places.shape[1:]
    blocks = places.reshape(-1, prod(shape[1:]))
    channels, first = np.divmod(blocks[:, 0], blocks.shape[1])
    if not first.any() and np.all(blocks[:, :1] + np.arange(blocks.shape[1]) == blocks):
        if not np.array_equal(channels, np.arange(shape[0])):
            yield Select(channels.astype(np.intp))
        if result != shape:
            yield Reshape(result)
    else:
        yield from moves


def _by_channel(node: Node, shape: Shape) -> Operator | None:
    """The same operator over samples with as many channels, if its constants are theirs."""
    if not isinstance(node.operator, Affine | Clip):
        return None
    found = {name: each for name, each in vars(node.operator).items() if np.size(each) > 1}
    if any(each.size != len(each) or each.ndim != len(node.shape) for each in found.values()):
        return None
    spread = {n: each.reshape(-1, *(1,) * (len(shape) - 1)) for n, each in found.items()}
    return replace(node.operator, **spread)


def _is_alike(node: Node) -> bool:
    """Whether an operator does the same to every element, whatever their shape."""
    constants = vars(node.operator).values()
    return isinstance(node.operator, Elementwise) and all(np.size(each) == 1 for each in constants)
