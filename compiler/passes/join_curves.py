"""What exporters write of an activation, f(x) in many operators, becomes one operator.

x·sigmoid(x), x·clip(x + 3, 0, 6)/6, relu(x) + e^min(x, 0) − 1: whatever is a function of one tensor
and no sum of clips is a `Curve` afterwards. What the algebra of staircases follows is left alone.
"""

from __future__ import annotations

from snnc.compiler.analysis import staircase
from snnc.compiler.analysis.regions import BEYOND, MOST_NODES, Regions, differs
from snnc.compiler.analysis.staircase import Form, NoStaircaseError, apply_form
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import Clip, Curve, Maximum
from snnc.compiler.operators.curves import Step

GATE = (
    "leave the gate out, or make one of its factors constant, and train again: neurons add up what "
    "arrives, they do not multiply it"
)


def join_curves(network: Network) -> Network:
    """Join the operators of each function of one tensor.

    Raises:
        SnncError: for every product of two tensors.
    """
    if not any(isinstance(node.operator, (Clip, *BEYOND)) for node in network):
        return network
    regions = Regions(network)
    if regions.torn:
        raise SnncError(*map(_fault, regions.torn))
    curves = {name: each for name in regions.exits() if (each := _curve(regions, name))}
    if not curves:
        return network
    builder, renamed = Builder(), dict[str, str]()
    for node in network:
        operator, sources = curves.get(node.name, (node.operator, node.sources))
        reads = (renamed[each] for each in sources)
        renamed[node.name] = builder.add(node.name, operator, *reads)
    return network.replaced(builder.nodes(renamed[network.output.name]))


def _curve(regions: Regions, name: str) -> tuple[Curve, tuple[str]] | None:
    """The function of an exit, and its tensor; None where it is a sum of clips."""
    place = regions.places[name]
    if not place.is_beyond and not place.is_open:
        return None
    region = regions.region(name, place.root)
    if not place.is_beyond and _is_plain(region, place.root):
        return None
    if len(region) > MOST_NODES:
        what = f"is a function of more than {MOST_NODES} operators; allowed: {MOST_NODES}"
        raise SnncError(Problem(name, what, "use a simpler activation"))
    index = {place.root: 0} | {node.name: i for i, node in enumerate(region, 1)}
    steps: tuple[Step, ...] = tuple(
        (node.operator, tuple(index[each] for each in node.sources)) for node in region
    )
    return Curve(steps), (place.root,)


def _is_plain(region: list[Node], root: str) -> bool:
    """Whether every clip of a sum of clips has a lower bound, and the same in every channel.

    What leaves the algebra is for the recogniser of staircases to judge.
    """
    if len(region) > MOST_NODES:
        return True
    forms: dict[str, Form] = {root: staircase.opaque(root)}
    for node in region:
        try:
            forms[node.name] = apply_form(node, [forms[each] for each in node.sources])
        except NoStaircaseError:
            return True
    terms = forms[region[-1].name].terms
    return not any(differs(a.low, a.high) for _, a in terms if a.kind == "clipped")


def _fault(node: Node) -> Problem:
    verb = "compares" if isinstance(node.operator, Maximum) else "multiplies"
    return Problem(node.name, f"{verb} two activations", GATE)
