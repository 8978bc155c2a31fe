"""What is known to be a level number, or an affine map of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from snnc.compiler.network import Node
from snnc.compiler.operators import Affine, Floats, Source, Staircase


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
