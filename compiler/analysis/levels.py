"""What is known to be a level number, or an affine map of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from snnc.compiler.network import Node
from snnc.compiler.operators import Add, Affine, Floats, Source, Staircase


@dataclass(frozen=True, eq=False)
class Levels:
    """scale·n + offset with whole numbers n from 0 to highest, and scale above 0."""

    node: str
    """The node that gives n."""
    highest: int
    scale: Floats
    offset: Floats


def levels_behind(nodes: Mapping[str, Node], name: str, input_levels: int) -> Levels | None:
    """Look back from a node through rising affine maps; None if no level stands there."""
    scale, offset = np.array(1.0), np.array(0.0)
    node = nodes[name]
    while isinstance(node.operator, Affine):
        offset = offset + scale * node.operator.offset
        scale = scale * node.operator.scale
        node = nodes[node.sources[0]]
    if not np.all(scale > 0):
        return None
    if isinstance(node.operator, Staircase):
        return Levels(node.name, node.operator.levels, scale, offset)
    if isinstance(node.operator, Source):
        return Levels(node.name, input_levels, scale, offset)
    return None


MOST_TERMS = 64
"""Staircases of one activation; hardly any has more than a few."""


def rising_sum(nodes: Mapping[str, Node], name: str) -> tuple[Levels, ...]:
    """The terms of a sum of staircases of one tensor, none of which falls where it rises.

    A term whose level falls as the tensor rises has a scale below 0. Their offsets add up to that
    of the sum. Nothing, if the node is no such sum.
    """
    terms, offset = list[tuple[Node, Floats]](), np.array(0.0)
    waiting = [(name, np.array(1.0))]
    while waiting and len(terms) + len(waiting) <= MOST_TERMS:
        each, scale = waiting.pop()
        node = nodes[each]
        if isinstance(node.operator, Affine):
            offset = offset + scale * node.operator.offset
            waiting.append((node.sources[0], scale * node.operator.scale))
        elif isinstance(node.operator, Add):
            waiting += ((source, scale) for source in node.sources)
        elif isinstance(node.operator, Staircase):
            terms.append((node, scale))
        else:
            return ()
    roots = {_slope(nodes, node.sources[0])[0] for node, _ in terms}
    if waiting or len(roots) != 1:
        return ()
    if any(np.any(scale * _slope(nodes, node.sources[0])[1] < 0) for node, scale in terms):
        return ()
    if any(np.any(scale > 0) and np.any(scale < 0) for _, scale in terms):
        return ()
    found = []
    for node, scale in terms:
        assert isinstance(node.operator, Staircase)
        found.append(Levels(node.name, node.operator.levels, scale, offset))
        offset = np.array(0.0)
    return tuple(found)


def _slope(nodes: Mapping[str, Node], name: str) -> tuple[str, Floats]:
    """The node behind affine maps, and what they scale it by."""
    scale, node = np.array(1.0), nodes[name]
    while isinstance(node.operator, Affine):
        scale = scale * node.operator.scale
        node = nodes[node.sources[0]]
    return node.name, scale
