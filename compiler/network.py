"""The network IR: the source model as a graph of operators on floats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from snnc.compiler.operators import Floats, Operator, Shape, Source, times


@dataclass(frozen=True, eq=False)
class Node:
    """One operator with its sources, under the name it has in the source model."""

    name: str
    operator: Operator
    sources: tuple[str, ...]
    shape: Shape
    """The shape of one sample of its result."""

    def __str__(self) -> str:
        sources = f" <- {', '.join(self.sources)}" if self.sources else ""
        return f"{self.name} {times(self.shape)}{sources}: {self.operator}"


@dataclass(frozen=True, eq=False)
class Network:
    """Nodes in order, every source before its consumers; the last one is the output."""

    nodes: tuple[Node, ...]
    remarks: tuple[str, ...] = ()
    """What was done to the model that its owner should know."""

    @property
    def by_name(self) -> Mapping[str, Node]:
        """The nodes under their names."""
        return {node.name: node for node in self.nodes}

    @property
    def input(self) -> Node:
        """The one node without a source."""
        return next(node for node in self.nodes if isinstance(node.operator, Source))

    @property
    def output(self) -> Node:
        """The node that gives the logits."""
        return self.nodes[-1]

    def replaced(self, nodes: tuple[Node, ...], *remarks: str) -> Network:
        """The same network with other nodes, and perhaps more to say about it."""
        return replace(self, nodes=nodes, remarks=self.remarks + remarks)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.nodes))


class Builder:
    """Collects nodes, deriving each shape from its sources and keeping names apart."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, operator: Operator, *sources: str) -> str:
        """Append a node; returns its name, which is made unique."""
        unique, count = name, self._counts.get(name, 2)
        while unique in self._nodes:
            unique, count = f"{name}.{count}", count + 1
        self._counts[name] = count
        shape = operator.shape_of(*(self.shape(each) for each in sources))
        self._nodes[unique] = Node(unique, operator, sources, shape)
        return unique

    def keep(self, node: Node) -> str:
        """Append a node as it is."""
        self._nodes[node.name] = node
        return node.name

    @property
    def by_name(self) -> Mapping[str, Node]:
        """The nodes so far, under their names."""
        return self._nodes

    def shape(self, name: str) -> Shape:
        """The shape of a node's samples."""
        return self._nodes[name].shape

    def nodes(self, output: str) -> tuple[Node, ...]:
        """What the output needs, in order, the output last."""
        needed = {output}
        for node in reversed(self._nodes.values()):
            if node.name in needed:
                needed.update(node.sources)
        kept = [node for node in self._nodes.values() if node.name in needed]
        return (*(n for n in kept if n.name != output), self._nodes[output])


def evaluate(network: Network, samples: Floats) -> Mapping[str, Floats]:
    """What every node gives for a batch (batch, *shape) of inputs, in float64: the reference."""
    results: dict[str, Floats] = {network.input.name: samples}
    for node in network:
        if node.sources:
            results[node.name] = node.operator.apply(*(results[each] for each in node.sources))
    return results
