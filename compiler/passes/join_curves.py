"""What exporters write of an activation, f(x) in many operators, becomes one operator.

x·sigmoid(x), x·clip(x + 3, 0, 6)/6, relu(x) + e^min(x, 0) − 1: whatever is a function of one tensor
and no sum of clips is a `Curve` afterwards. What the algebra of staircases follows is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.compiler.analysis import staircase
from snnc.compiler.analysis.staircase import Form, NoStaircaseError, apply_form
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Add,
    Affine,
    Clip,
    Curve,
    Elementwise,
    Floats,
    Function,
    Maximum,
    Product,
    Staircase,
)
from snnc.compiler.operators.curves import Step

GATE = (
    "leave the gate out, or make one of its factors constant, and train again: neurons add up what "
    "arrives, they do not multiply it"
)
MOST_STEPS = 256
"""Operators of one activation; exporters write a dozen."""
BEYOND = (Function, Maximum, Product)
"""What the algebra of staircases cannot follow."""


def join_curves(network: Network) -> Network:
    """Join the operators of each function of one tensor.

    Raises:
        SnncError: for every product of two tensors.
    """
    if not any(isinstance(node.operator, (Clip, *BEYOND)) for node in network):
        return network
    regions = _Regions(network)
    if regions.faults:
        raise SnncError(*regions.faults)
    curves = {name: each for name in regions.exits() if (each := regions.curve(name))}
    if not curves:
        return network
    builder, renamed = Builder(), dict[str, str]()
    for node in network:
        operator, sources = curves.get(node.name, (node.operator, node.sources))
        reads = (renamed[each] for each in sources)
        renamed[node.name] = builder.add(node.name, operator, *reads)
    return network.replaced(builder.nodes(renamed[network.output.name]))


@dataclass(frozen=True)
class _Place:
    """What an element-wise node is a function of."""

    root: str
    is_bent: bool = False
    """Whether anything but affine maps lies between."""
    is_beyond: bool = False
    """Whether anything that the algebra of staircases cannot follow does."""
    is_open: bool = False
    """Whether a clip without a lower bound does, or one whose bounds differ between channels."""


class _Regions:
    """For each node the tensor that it is a function of, element by element."""

    def __init__(self, network: Network) -> None:
        self.nodes = network.by_name
        self.order = {node.name: index for index, node in enumerate(network)}
        self.output = network.output.name
        self.network = network
        self.faults: list[Problem] = []
        self.places: dict[str, _Place] = {}
        for node in network:
            self.places[node.name] = self.place(node)

    def place(self, node: Node) -> _Place:
        """Of what a node is a function; of itself, where it begins something new."""
        sources = [self.places[each] for each in node.sources]
        is_linear = isinstance(node.operator, Affine | Add)
        is_bent = any(each.is_bent for each in sources)
        if not isinstance(node.operator, Elementwise) or isinstance(node.operator, Staircase):
            return _Place(node.name)
        if is_linear and not is_bent:
            return _Place(node.name)
        root = self.common([each.root for each in sources])
        if root is not None:
            is_beyond = isinstance(node.operator, BEYOND) or any(e.is_beyond for e in sources)
            is_open = _is_open(node) or any(each.is_open for each in sources)
            return _Place(root, True, is_beyond, is_open)
        if not is_linear:
            self.faults.append(_fault(node))
        return _Place(node.name)

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
        inside = {name for name, place in self.places.items() if place.is_bent}
        read = {
            source for node in self.network for source in node.sources if node.name not in inside
        }
        return [name for name in self.places if name in inside and name in {*read, self.output}]

    def curve(self, name: str) -> tuple[Curve, tuple[str]] | None:
        """The function of an exit, and its tensor; None where it is a sum of clips."""
        place = self.places[name]
        if not place.is_beyond and not place.is_open:
            return None
        region = self.region(name, place.root)
        if not place.is_beyond and self.is_plain(region, place.root):
            return None
        if len(region) > MOST_STEPS:
            what = f"is a function of more than {MOST_STEPS} operators; allowed: {MOST_STEPS}"
            raise SnncError(Problem(name, what, "use a simpler activation"))
        index = {place.root: 0} | {node.name: i for i, node in enumerate(region, 1)}
        steps: tuple[Step, ...] = tuple(
            (node.operator, tuple(index[each] for each in node.sources)) for node in region
        )
        return Curve(steps), (place.root,)

    def region(self, name: str, root: str) -> list[Node]:
        """All that lies between the root and the exit, which is the last, in order.

        One operator more than are allowed, where there are too many.
        """
        found, waiting = dict[str, Node](), [name]
        while waiting and len(found) <= MOST_STEPS:
            each = waiting.pop()
            if each not in found and each != root:
                found[each] = self.nodes[each]
                waiting += self.nodes[each].sources
        return sorted(found.values(), key=lambda node: self.order[node.name])

    def is_plain(self, region: list[Node], root: str) -> bool:
        """Whether every clip of a sum of clips has a lower bound, and the same in every channel.

        What leaves the algebra is for the recogniser of staircases to judge.
        """
        if len(region) > MOST_STEPS:
            return True
        forms: dict[str, Form] = {root: staircase.opaque(root)}
        for node in region:
            try:
                forms[node.name] = apply_form(node, [forms[each] for each in node.sources])
            except NoStaircaseError:
                return True
        terms = forms[region[-1].name].terms
        return not any(_differs(a.low, a.high) for _, a in terms if a.kind == "clipped")


def _is_open(node: Node) -> bool:
    return isinstance(node.operator, Clip) and _differs(node.operator.low, node.operator.high)


def _differs(low: Floats, high: Floats) -> bool:
    """Whether there is no lower bound, or bounds are others from channel to channel."""
    alike = all(np.all(each == each.flat[0]) for each in (low, high))
    return not alike or not np.isfinite(low).all()


def _fault(node: Node) -> Problem:
    verb = "compares" if isinstance(node.operator, Maximum) else "multiplies"
    return Problem(node.name, f"{verb} two activations", GATE)
