"""Of which tensor every element-wise node is a function, element by element."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.compiler.network import Network, Node
from snnc.compiler.operators import (
    Add,
    Affine,
    Clip,
    Elementwise,
    Floats,
    Function,
    Maximum,
    Product,
    Staircase,
)

MOST_NODES = 256
"""Operators of one activation; exporters write a dozen."""
BEYOND = (Function, Maximum, Product)
"""What the algebra of staircases cannot follow."""


@dataclass(frozen=True)
class Place:
    """What an element-wise node is a function of."""

    root: str
    is_bent: bool = False
    """Whether anything but affine maps lies between."""
    is_beyond: bool = False
    """Whether anything that the algebra of staircases cannot follow does."""
    is_open: bool = False
    """Whether a clip without a lower bound does, or one whose bounds differ between channels."""


class Regions:
    """For each node the tensor that it is a function of, element by element."""

    def __init__(self, network: Network) -> None:
        self.nodes = network.by_name
        self.order = {node.name: index for index, node in enumerate(network)}
        self.output = network.output.name
        self.network = network
        self.torn: list[Node] = []
        """What makes one number of two tensors, and is no sum."""
        self.places: dict[str, Place] = {}
        for node in network:
            self.places[node.name] = self.place(node)

    def place(self, node: Node) -> Place:
        """Of what a node is a function; of itself, where it begins something new."""
        sources = [self.places[each] for each in node.sources]
        is_linear = isinstance(node.operator, Affine | Add)
        is_bent = any(each.is_bent for each in sources)
        if not isinstance(node.operator, Elementwise) or isinstance(node.operator, Staircase):
            return Place(node.name)
        if is_linear and not is_bent:
            return Place(node.name)
        root = self.common([each.root for each in sources])
        if root is not None:
            is_beyond = isinstance(node.operator, BEYOND) or any(e.is_beyond for e in sources)
            is_open = _is_open(node) or any(each.is_open for each in sources)
            return Place(root, True, is_beyond, is_open)
        if not is_linear:
            self.torn.append(node)
        return Place(node.name)

    def common(self, roots: list[str]) -> str | None:
        """One root of all, looking back through affine maps; None if there is none."""
        found = set(roots)
        while len(found) > 1:
            latest = max(found, key=self.order.__getitem__)
            node = self.nodes[latest]
            if not isinstance(node.operator, Affine):
                return None
            found = found - {latest} | {self.places[node.sources[0]].root}
        return found.pop()

    def exits(self) -> list[str]:
        """The functions that are read by what is no part of the same function."""
        bent = [name for name, place in self.places.items() if place.is_bent]
        inside = set(bent)
        read = {
            source for node in self.network for source in node.sources if node.name not in inside
        }
        read.add(self.output)
        return [name for name in bent if name in read]

    def region(self, name: str, root: str) -> list[Node]:
        """All that lies between the root and the exit, which is the last, in order.

        One operator more than are allowed, where there are too many.
        """
        found, waiting = dict[str, Node](), [name]
        while waiting and len(found) <= MOST_NODES:
            each = waiting.pop()
            if each not in found and each != root:
                found[each] = self.nodes[each]
                waiting += self.nodes[each].sources
        return sorted(found.values(), key=lambda node: self.order[node.name])


def _is_open(node: Node) -> bool:
    return isinstance(node.operator, Clip) and differs(node.operator.low, node.operator.high)


def differs(low: Floats, high: Floats) -> bool:
    """Whether there is no lower bound, or bounds are others from channel to channel."""
    alike = all(np.all(each == each.flat[0]) for each in (low, high))
    return not alike or not np.isfinite(low).all()
