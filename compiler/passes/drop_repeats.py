"""A staircase that gives the level it is given needs no neurons."""

from __future__ import annotations

import numpy as np

from snnc.compiler.analysis.levels import Levels, levels_behind
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import Staircase


def drop_repeats(network: Network, input_levels: int) -> Network:
    """Drop staircases of levels that leave every level as it is.

    Quantised models have them wherever a tensor is quantised twice on one grid: behind a pool, a
    flatten, or at the input.
    """
    nodes = network.by_name
    repeats = {
        node.name: levels.node
        for node in network
        if isinstance(node.operator, Staircase)
        and (levels := levels_behind(nodes, node.sources[0], input_levels))
        and _repeats(levels, node)
    }
    if not repeats:
        return network
    builder, renamed = Builder(), dict[str, str]()
    for node in network:
        sources = (renamed[each] for each in node.sources)
        if node.name in repeats:
            renamed[node.name] = renamed[repeats[node.name]]
        else:
            renamed[node.name] = builder.add(node.name, node.operator, *sources)
    return network.replaced(builder.nodes(renamed[network.output.name]))


def _repeats(levels: Levels, node: Node) -> bool:
    """Whether n stays n for all of 0 … N, in every channel."""
    assert isinstance(node.operator, Staircase)
    if node.operator.levels < levels.highest:
        return False
    rank = len(node.shape)
    n = np.arange(levels.highest + 1).reshape(-1, *(1,) * rank)
    return bool(np.all(node.operator.apply(levels.scale * n + levels.offset) == n))
