"""The shift of every staircase, the half step of QCFS in it, becomes part of the bias before it.

QCFS rounds to the nearest level: y = λ/L · clip(⌊x·L/λ + ½⌋, 0, L). A neuron only compares with
its threshold, n = clip(⌊z⌋, 0, N), so the ½ moves into the sum, z = x·L/λ + ½: with x = w∗y + b
the bias becomes

    b' = b + λ/(2L)

That is the shifted bias of the error-free conversion (Theorem I: all parameters are copied but the
bias, which is shifted so that the accumulated input equals the pre-activation). As recognised, a
staircase is clip(⌊a·x + c⌋, 0, N): its shift c holds the ½, the lowest level of another quantiser,
and the offsets of affine maps between the layer and the rounding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import Affine, Floats, Staircase


def shift_biases(network: Network) -> Network:
    """Let every staircase begin at 0, the affine map before it shifted as much."""
    if not any(_shift(node).any() for node in network):
        return network
    readers = [source for node in network for source in node.sources]
    nodes = network.by_name
    builder, renamed = Builder(), dict[str, str]()
    late = {
        node.sources[0]: _shift(node)
        for node in network
        if _shift(node).any() and _is_own(nodes[node.sources[0]], readers)
    }
    for node in network:
        sources = [renamed[each] for each in node.sources]
        operator = node.operator
        if node.name in late and isinstance(operator, Affine):
            operator = replace(operator, offset=operator.offset + late[node.name])
        elif isinstance(operator, Staircase):
            if operator.shift.any() and node.sources[0] not in late:
                shifted = Affine(np.array(1.0), operator.shift)
                sources = [builder.add(f"{node.name}.shift", shifted, *sources)]
            operator = replace(operator, shift=np.array(0.0))
        renamed[node.name] = builder.add(node.name, operator, *sources)
    return network.replaced(builder.nodes(renamed[network.output.name]))


def _shift(node: Node) -> Floats:
    operator = node.operator
    return operator.shift if isinstance(operator, Staircase) else np.array(0.0)


def _is_own(node: Node, readers: list[str]) -> bool:
    """Whether a node is an affine map that nothing but the staircase reads."""
    return isinstance(node.operator, Affine) and readers.count(node.name) == 1
