"""Average pools as populations of their own, where that is wanted or saves synapses.

Composed, a pool widens the kernel of what follows it. As a population it sums the levels of each
window, Σ n from 0 to k²·N, exactly: Δ = 1 and weights 1. That takes more bits, so more time steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from snnc.compiler.analysis.levels import Levels, levels_behind
from snnc.compiler.laws import bits_for
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Affine,
    AveragePool,
    Conv,
    MatMul,
    Operator,
    Reshape,
    Shape,
    Staircase,
)
from snnc.compiler.options import AveragePools
from snnc.compiler.spiking import Schedule


def sum_average_pools(
    network: Network, choice: AveragePools, schedule: Schedule, input_levels: int
) -> Network:
    """Give the average pools of levels a population: all that can have one, or those worth it.

    "auto" takes what needs fewer synapses; in the pipelined schedule only if no image then waits
    longer for the next, which the larger numbers of a sum can make it do.
    """
    if choice == "compose" or not any(isinstance(n.operator, AveragePool) for n in network):
        return network
    steps = max((bits_for(_highest(n)) for n in network), default=1)
    longest = steps if schedule == "pipelined" else None
    summed = {
        node.name: levels
        for node in network
        if (levels := _summable(node, network.by_name, input_levels))
        and (choice == "sum" or _pays(network, node, levels, longest))
    }
    return _rebuilt(network, summed) if summed else network


def _highest(node: Node) -> int:
    return node.operator.levels if isinstance(node.operator, Staircase) else 1


def _summable(node: Node, nodes: Mapping[str, Node], input_levels: int) -> Levels | None:
    """The levels that a pool reads, if all of its windows are whole or see zeros outside."""
    pool = node.operator
    if not isinstance(pool, AveragePool):
        return None
    levels = levels_behind(nodes, node.sources[0], input_levels)
    whole = not any(pool.pads)
    alike = levels is not None and all(
        v.ndim == 0 or prod(v.shape[1:]) == 1 for v in (levels.scale, levels.offset)
    )
    zeros = levels is not None and pool.counts_pads and not np.any(levels.offset)
    return levels if alike and (whole or zeros) else None


def _pays(network: Network, node: Node, levels: Levels, longest: int | None) -> bool:
    """Whether a sum needs fewer synapses than the pool as part of what reads it."""
    pool = node.operator
    assert isinstance(pool, AveragePool)
    area = prod(pool.kernel)
    if longest is not None and bits_for(levels.highest * area) > longest:
        return False
    composed, alone = _synapses_behind(network, node, pool)
    return prod(node.shape) * area + alone < composed


def _synapses_behind(network: Network, node: Node, pool: AveragePool) -> tuple[int, int]:
    """Synapses of what reads a pool, the pool composed with it, and without."""
    composed = alone = 0
    for reader in network:
        if node.name not in reader.sources:
            continue
        operator = reader.operator
        if isinstance(operator, Affine | Reshape):
            more = _synapses_behind(network, reader, pool)
        else:
            more = _synapses(operator, reader.shape, pool)
        composed, alone = composed + more[0], alone + more[1]
    return composed, alone


def _synapses(operator: Operator, shape: Shape, pool: AveragePool) -> tuple[int, int]:
    if isinstance(operator, MatMul):
        size = operator.weights.size
        return size * prod(pool.strides if any(s > 1 for s in pool.strides) else pool.kernel), size
    if not isinstance(operator, Conv):
        return 0, 0
    pairs = prod(shape) * operator.weights.shape[1]
    wide = zip(operator.span, pool.strides, pool.kernel, strict=True)
    return pairs * prod((k - 1) * s + p for k, s, p in wide), pairs * prod(operator.kernel)


def _rebuilt(network: Network, summed: Mapping[str, Levels]) -> Network:
    builder = Builder()
    renamed: dict[str, str] = {}
    for node in network:
        sources = tuple(renamed[each] for each in node.sources)
        levels = summed.get(node.name)
        if levels is None:
            renamed[node.name] = builder.add(node.name, node.operator, *sources)
        else:
            renamed[node.name] = _sum(builder, node, levels, renamed[levels.node])
    return network.replaced(builder.nodes(renamed[network.output.name]))


def _sum(builder: Builder, node: Node, levels: Levels, source: str) -> str:
    """The sum of each window as a staircase that clips nothing, and its share."""
    pool = node.operator
    assert isinstance(pool, AveragePool)
    area = prod(pool.kernel)
    sums = builder.add(node.name, pool.as_sum(builder.shape(source)[0]), source)
    staircase = Staircase(levels.highest * area, serves="average pools")
    fired = builder.add(f"{node.name}.levels", staircase, sums)
    return builder.add(f"{node.name}.share", Affine(levels.scale / area, levels.offset), fired)
