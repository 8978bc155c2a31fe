"""Which numbers a node can give: casting whole numbers to a type that has them changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from snnc.compiler.network import Node
from snnc.compiler.operators import (
    Add,
    Affine,
    AveragePool,
    Clip,
    Floats,
    Floor,
    MaxPool,
    Reshape,
    Round,
    Select,
    Tile,
    Transpose,
)

STEPS = 64
"""How many operators are looked back through."""
MOVES: TypeAlias = Reshape | Transpose | Tile


@dataclass(frozen=True)
class Numbers:
    """From the least to the greatest, and whether all of them are whole."""

    low: float
    high: float
    whole: bool

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest."""
        return self.low, self.high

    def over(self, other: Numbers) -> Numbers:
        """Those of either."""
        low, high = min(self.low, other.low), max(self.high, other.high)
        return Numbers(low, high, self.whole and other.whole)


ANY = Numbers(-np.inf, np.inf, whole=False)


def numbers_of(nodes: Mapping[str, Node], name: str, steps: int = STEPS) -> Numbers:
    """What is known of a node's numbers, as far as the operators before it tell."""
    node = nodes[name]
    operator = node.operator
    if not node.sources or not steps:
        return ANY
    if isinstance(operator, Clip):
        return _clipped(numbers_of(nodes, node.sources[0], steps - 1), operator)
    if isinstance(operator, Affine):
        return _scaled(numbers_of(nodes, node.sources[0], steps - 1), operator)
    if not isinstance(operator, Floor | Round | MaxPool | AveragePool | Select | Add | MOVES):
        return ANY
    found = [numbers_of(nodes, each, steps // len(node.sources) - 1) for each in node.sources]
    first = found[0]
    if isinstance(operator, Floor | Round):
        edge = np.floor if isinstance(operator, Floor) else np.round
        return Numbers(float(edge(first.low)), float(edge(first.high)), whole=True)
    if isinstance(operator, Add):
        low, high = sum(each.low for each in found), sum(each.high for each in found)
        return Numbers(low, high, all(each.whole for each in found))
    if isinstance(operator, Select) and len(operator.kept) < len(operator.channels):
        return first.over(Numbers(0.0, 0.0, whole=True))
    if isinstance(operator, AveragePool):
        return Numbers(min(first.low, 0.0), max(first.high, 0.0), whole=False)
    return first


def _clipped(source: Numbers, clip: Clip) -> Numbers:
    low, high = float(np.min(clip.low)), float(np.max(clip.high))
    whole = source.whole and _is_whole(clip.low) and _is_whole(clip.high)
    return Numbers(max(source.low, low), min(source.high, high), whole)


def _scaled(source: Numbers, affine: Affine) -> Numbers:
    with np.errstate(invalid="ignore"):
        products = [np.where(affine.scale == 0, 0.0, affine.scale * e) for e in source.ends]
    sums = [each + affine.offset for each in products]
    low, high = (float(edge([edge(each) for each in sums])) for edge in (np.min, np.max))
    whole = source.whole and _is_whole(affine.scale) and _is_whole(affine.offset)
    return Numbers(low, high, whole)


def _is_whole(values: Floats) -> bool:
    finite = values[np.isfinite(values)]
    return bool(np.all(finite == np.round(finite)))
