"""Parts of a network: what lies between its activations."""

from __future__ import annotations

from collections.abc import Collection

from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Clip, Curve, Floor, Round, Source, Staircase

ACTIVATIONS = (Clip, Curve, Floor, Round, Staircase)


def sources_before(network: Network, end: str, known: Collection[str]) -> tuple[str, ...]:
    """The nearest known nodes that a node is computed from, in order."""
    needed, found = {end}, list[str]()
    for node in reversed(network.nodes):
        if node.name in needed and node.name in known:
            found.append(node.name)
        elif node.name in needed:
            needed.update(node.sources)
    return tuple(reversed(found))


def sums_after(network: Network, start: str) -> tuple[Network, tuple[str, ...]]:
    """What the next activations read of one activation.

    Returns:
        A network with the activation as its input, and the nodes in it that activations read, or
        the logits. A sum has only those terms that come from the activation: as it changes, they
        change as the whole sum does.
    """
    nodes = {
        start: Node(start, Source(network.by_name[start].shape), (), network.by_name[start].shape)
    }
    ends = dict[str, None]()
    for node in network:
        sources = tuple(each for each in node.sources if each in nodes)
        if sources and isinstance(node.operator, ACTIVATIONS):
            ends.update(dict.fromkeys(sources))
        elif sources:
            nodes[node.name] = Node(node.name, node.operator, sources, node.shape)
    if network.output.name in nodes:
        ends[network.output.name] = None
    return Network(tuple(nodes.values())), tuple(ends)
