"""What a network must obey between two passes; a breach is a bug of snnc, never the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from snnc.compiler.network import Network
from snnc.compiler.operators import (
    Add,
    BatchNorm,
    Clip,
    Conv,
    Curve,
    Floor,
    Function,
    MatMul,
    Maximum,
    MaxPool,
    Product,
    Round,
    Source,
    Staircase,
)

NetworkRule = Callable[[Network], Iterator[str]]


def sources_come_first(network: Network) -> Iterator[str]:
    """A graph in order has no cycles and no loose ends."""
    known: set[str] = set()
    for node in network:
        yield from (f"{node.name} reads {s} too early" for s in node.sources if s not in known)
        if node.name in known:
            yield f"{node.name} stands there twice"
        known.add(node.name)


def shapes_follow_from_sources(network: Network) -> Iterator[str]:
    """Every shape is what the operator makes of its sources' shapes."""
    nodes = network.by_name
    for node in network:
        shape = node.operator.shape_of(*(nodes[each].shape for each in node.sources))
        if shape != node.shape:
            yield f"{node.name} has shape {node.shape}, its operator gives {shape}"


def batch_norms_are_folded(network: Network) -> Iterator[str]:
    """Nothing after the first pass knows a batch norm."""
    yield from (f"{n.name} is left" for n in network if isinstance(n.operator, BatchNorm))


def curves_are_joined(network: Network) -> Iterator[str]:
    """No part of a curve stands on its own."""
    parts = (Function, Maximum, Product)
    yield from (f"{n.name} is left" for n in network if isinstance(n.operator, parts))


def activations_are_staircases(network: Network) -> Iterator[str]:
    """No clip, no curve and no rounding stands on its own."""
    parts = (Clip, Curve, Floor, Round)
    yield from (f"{n.name} is left" for n in network if isinstance(n.operator, parts))


def staircases_begin_at_zero(network: Network) -> Iterator[str]:
    """What rounds to the nearest level does so by its bias."""
    for node in network:
        if isinstance(node.operator, Staircase) and np.any(node.operator.shift):
            yield f"{node.name} is shifted"


def max_pools_are_lowered(network: Network) -> Iterator[str]:
    """What is left between staircases is linear."""
    yield from (f"{n.name} is left" for n in network if isinstance(n.operator, MaxPool))


ALLOWED_SOURCES: Mapping[type, tuple[type, ...]] = {
    Conv: (Source, Staircase),
    MatMul: (Source, Staircase),
    Add: (Conv, MatMul),
    Staircase: (Conv, MatMul, Add),
}
"""What each operator may read once chains are composed; no other operator is left."""


def sums_are_projections(network: Network) -> Iterator[str]:
    """Between two staircases stands a projection, or a sum of projections."""
    nodes = network.by_name
    for node in network:
        allowed = ALLOWED_SOURCES.get(type(node.operator), ())
        sources = (nodes[each].operator for each in node.sources)
        yield from (f"{node.name} reads {s}" for s in sources if not isinstance(s, allowed))
    if not isinstance(network.output.operator, Conv | MatMul | Add):
        yield f"{network.output.name} is the output, and no projection"


MODEL: tuple[NetworkRule, ...] = (sources_come_first, shapes_follow_from_sources)
FOLDED: tuple[NetworkRule, ...] = (*MODEL, batch_norms_are_folded)
JOINED: tuple[NetworkRule, ...] = (*FOLDED, curves_are_joined)
RECOGNIZED: tuple[NetworkRule, ...] = (*JOINED, activations_are_staircases)
SHIFTED: tuple[NetworkRule, ...] = (*RECOGNIZED, staircases_begin_at_zero)
POOLED: tuple[NetworkRule, ...] = (*SHIFTED, max_pools_are_lowered)
COMPOSED: tuple[NetworkRule, ...] = (*POOLED, sums_are_projections)


def require_rules(network: Network, rules: tuple[NetworkRule, ...], after: str) -> None:
    """Hold a network against the rules of its level.

    Raises:
        RuntimeError: naming the pass that broke a rule.
    """
    for rule in rules:
        breaches = list(rule(network))
        if breaches:
            raise RuntimeError(f"after {after}, {rule.__name__} fails: {'; '.join(breaches)}")
