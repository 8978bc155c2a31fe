"""Reshapes move behind the element-wise operators that follow them, so that chains stay whole."""

from __future__ import annotations

import numpy as np

from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import Elementwise, Reshape, Shape


def sink_reshapes(network: Network) -> Network:
    """Swap every reshape with the operators behind it that treat all elements alike."""
    nodes = network.by_name
    reshapes = {n.name for n in network if isinstance(n.operator, Reshape)}
    if not any(_is_alike(n) and reshapes.intersection(n.sources) for n in nodes.values()):
        return network
    return _Sinking(network).result()


class _Sinking:
    """One walk over the nodes; `shapes` says which results still wait for their reshape."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.builder = Builder()
        self.names: dict[str, str] = {}
        self.shapes: dict[str, Shape] = {}

    def result(self) -> Network:
        for node in self.network:
            self.visit(node)
        return self.network.replaced(self.builder.nodes(self.settled(self.network.output.name)))

    def visit(self, node: Node) -> None:
        if isinstance(node.operator, Reshape):
            self.names[node.name] = self.names[node.sources[0]]
            self.shapes[node.name] = node.shape
        elif self.sinks_below(node):
            inner = (self.names[each] for each in node.sources)
            self.names[node.name] = self.builder.add(node.name, node.operator, *inner)
            self.shapes[node.name] = node.shape
        else:
            sources = map(self.settled, node.sources)
            self.names[node.name] = self.builder.add(node.name, node.operator, *sources)

    def sinks_below(self, node: Node) -> bool:
        """Whether an operator may come before the reshapes of all its sources."""
        waiting = [each in self.shapes for each in node.sources]
        shapes = {self.builder.shape(self.names[each]) for each in node.sources}
        return bool(waiting) and all(waiting) and len(shapes) == 1 and _is_alike(node)

    def settled(self, name: str) -> str:
        """The node that has the shape which a consumer expects."""
        if name not in self.shapes:
            return self.names[name]
        return self.builder.add(f"{name}.shape", Reshape(self.shapes[name]), self.names[name])


def _is_alike(node: Node) -> bool:
    """Whether an operator does the same to every element, whatever their shape."""
    constants = vars(node.operator).values()
    return isinstance(node.operator, Elementwise) and all(np.size(each) == 1 for each in constants)
