"""Max pools become neurons: max(p, q) = p + relu(q − p), exactly.

On level numbers relu(q − p) is a staircase of its own, with Δ = 1 and weights ±1. A window is
reduced along one axis after the other, pair by pair; a last population carries the result, so that
what reads it has one source. A staircase after a pool is pulled before it, since it never falls;
and so is a concatenation. Staircases that rise together, as those of one activation, are pooled
each on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from snnc.compiler.analysis.levels import Levels, levels_behind, rising_sum
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Add,
    Affine,
    MaxPool,
    Pad,
    Select,
    Source,
    Staircase,
)


def lower_max_pools(network: Network, input_levels: int) -> Network:
    """Replace every max pool by staircases of differences.

    Raises:
        SnncError: for every max pool of sums that no activation follows.
    """
    if not any(isinstance(node.operator, MaxPool) for node in network):
        return network
    return _Lowering(network, input_levels).result()


@dataclass(frozen=True, eq=False)
class _Waiting:
    """A pool that waits for a staircase to come before it."""

    pool: MaxPool
    origin: str
    """The pool's name in the source model."""


Part: TypeAlias = tuple[Select, Levels]
"""Some channels of a concatenation, and the levels that they are of."""


class _Lowering:
    """One walk over the nodes; `names` says what each has become."""

    def __init__(self, network: Network, input_levels: int) -> None:
        self.network = network
        self.input_levels = input_levels
        self.builder = Builder()
        self.names: dict[str, str] = {}
        self.waiting: dict[str, _Waiting] = {}
        self.pooled: dict[str, tuple[Levels, ...]] = {}
        """Sums of pools whose terms still rise together."""
        self.faults: list[Problem] = []

    def result(self) -> Network:
        for node in self.network:
            self.visit(node)
        if self.network.output.name in self.waiting:
            self.fault(self.waiting[self.network.output.name])
        if self.faults:
            raise SnncError(*self.faults)
        return self.network.replaced(self.builder.nodes(self.names[self.network.output.name]))

    def visit(self, node: Node) -> None:
        """Rebuild one node, or let it wait."""
        if isinstance(node.operator, MaxPool):
            self.pool(node, node.operator)
        elif any(each in self.waiting for each in node.sources):
            self.behind_pool(node)
        else:
            sources = tuple(self.names[each] for each in node.sources)
            self.names[node.name] = self.builder.add(node.name, node.operator, *sources)

    def pool(self, node: Node, pool: MaxPool) -> None:
        """Lower a pool of levels, or of a concatenation of levels; let others wait."""
        (source,) = node.sources
        self.names[node.name] = inner = self.names[source]
        if source in self.waiting:
            self.fault(self.waiting[source])
        elif parts := self.parts(inner):
            self.names[node.name] = self.branches(node.name, pool, parts)
        elif terms := self.terms(inner):
            self.names[node.name] = self.together(node.name, pool, terms)
        elif wider := self.padded(inner, pool):
            self.names[node.name] = self.branches(node.name, *wider)
        else:
            self.waiting[node.name] = _Waiting(pool, node.name)

    def padded(self, name: str, pool: MaxPool) -> tuple[MaxPool, list[Part]] | None:
        """The same over what a border or a crop reads, if nothing of the border can be greatest."""
        node, border, wider = self.builder.by_name[name], -np.inf, pool
        while isinstance(node.operator, Pad):
            within = _with_border(wider, node.operator)
            if within is None:
                return None
            grows, wider = max(node.operator.pads) > 0, within
            border = max(border, node.operator.value) if grows else border
            node = self.builder.by_name[node.sources[0]]
        parts = self.parts(node.name)
        below = all(np.all(levels.offset >= border) for _, levels in parts)
        return (wider, parts) if parts and below else None

    def terms(self, name: str) -> tuple[Levels, ...]:
        """The levels of an activation that is a sum of staircases and never falls."""
        known = self.pooled.get(name) or rising_sum(self.builder.by_name, name)
        return known if all(map(_even, known)) else ()

    def together(self, name: str, pool: MaxPool, terms: tuple[Levels, ...]) -> str:
        """A pool for each: where one of them is greatest, all are, for they rise together."""
        rising = [each if np.all(each.scale >= 0) else self.turned(each) for each in terms]
        results = [self.lowered(f"{name}.{each.node}", pool, each) for each in rising]
        total = self.builder.add(name, Add(), *results)
        self.pooled[total] = tuple(
            replace(levels, node=self.carrier(result))
            for levels, result in zip(rising, results, strict=True)
        )
        return total

    def turned(self, levels: Levels) -> Levels:
        """The same by the levels that are missing to the highest, which rise where these fall."""
        missing = Affine(np.array(-1.0), np.array(float(levels.highest)))
        node = self.builder.add(f"{levels.node}.missing", missing, levels.node)
        offset = levels.offset + levels.scale * levels.highest
        return Levels(node, levels.highest, -levels.scale, offset)

    def carrier(self, result: str) -> str:
        """The staircase that carries the result of a pool."""
        node = self.builder.by_name[result]
        return node.sources[0] if isinstance(node.operator, Affine) else result

    def parts(self, name: str) -> list[Part]:
        """The levels of a node, or those side by side in it, each with its channels."""
        found = self.placed(name)
        readers = np.zeros(self.channels(name), int)
        for select, _ in found:
            readers[select.kept] += 1
        return found if found and np.all(readers == 1) else []

    def placed(self, name: str) -> list[Part]:
        """The levels behind selections and sums of them; none, if anything else is among them."""
        node = self.builder.by_name[name]
        outer = node.operator
        levels = levels_behind(self.builder.by_name, name, self.input_levels)
        if levels:
            return [(Select(np.arange(node.shape[0])), levels)] if _even(levels) else []
        if not isinstance(outer, Add | Select):
            return []
        found = [self.placed(each) for each in node.sources]
        return [
            (outer.behind(select) if isinstance(outer, Select) else select, levels)
            for each in found
            for select, levels in each
            if all(found)
        ]

    def channels(self, name: str) -> int:
        return self.builder.shape(name)[0]

    def branches(self, name: str, pool: MaxPool, parts: list[Part]) -> str:
        """A pool for each part of a concatenation, and its channels of that."""
        ((select, levels), *others) = parts
        if not others and np.array_equal(select.channels, np.arange(self.channels(levels.node))):
            return self.lowered(name, pool, levels)
        placed = []
        for select, levels in parts:
            pooled = self.lowered(f"{name}.{levels.node}", pool, levels)
            placed.append(self.builder.add(f"{pooled}.place", select, pooled))
        return placed[0] if len(placed) == 1 else self.builder.add(name, Add(), *placed)

    def behind_pool(self, node: Node) -> None:
        """Move a rising affine map, or the staircase, in front of the pool that waits."""
        source = next(each for each in node.sources if each in self.waiting)
        waiting, inner, operator = self.waiting[source], self.names[source], node.operator
        if isinstance(operator, Affine) and np.all(operator.scale > 0) and _even(operator):
            self.names[node.name] = self.builder.add(f"{node.name}.before", operator, inner)
            self.waiting[node.name] = waiting
        elif isinstance(operator, Staircase):
            fired = self.builder.add(f"{node.name}.before", operator, inner)
            levels = Levels(fired, operator.levels, np.array(1.0), np.array(0.0))
            self.names[node.name] = self.lowered(waiting.origin, waiting.pool, levels)
        else:
            self.fault(waiting)
            self.names[node.name] = self.builder.add(node.name, Source(node.shape))

    def fault(self, waiting: _Waiting) -> None:
        what = "MaxPool reads sums; allowed: an activation, or sums right before one"
        self.faults.append(
            Problem(waiting.origin, what, "put the activation before the pool, or use an average")
        )

    def lowered(self, name: str, pool: MaxPool, levels: Levels) -> str:
        """The greatest level of each window, as a staircase, and the affine map of the source."""
        terms = [levels.node]
        for axis in range(len(pool.kernel)):
            terms = self.along(f"{name}.axis{axis}", pool, axis, terms, levels.highest)
        total = self.builder.add(name, Add(), *terms)
        found = self.builder.add(f"{name}.levels", _carrying(levels.highest), total)
        if np.all(levels.scale == 1) and not np.any(levels.offset):
            return found
        return self.builder.add(f"{name}.scale", Affine(levels.scale, levels.offset), found)

    def along(
        self, name: str, pool: MaxPool, axis: int, terms: list[str], highest: int
    ) -> list[str]:
        """Reduce windows of one axis; a value is the sum of its terms, and so is the result."""
        row = [self.taps(f"{name}.tap{i}", pool, axis, i, terms) for i in range(pool.kernel[axis])]
        while len(row) > 1:
            pairs = zip(row[::2], row[1::2], strict=False)
            reduced = [
                self.greater(f"{name}.{len(row)}.{i}", first, second, highest)
                for i, (first, second) in enumerate(pairs)
            ]
            row = [*reduced, *(row[-1:] if len(row) % 2 else [])]
        return row[0]

    def taps(self, name: str, pool: MaxPool, axis: int, index: int, terms: list[str]) -> list[str]:
        """What one tap of every window sees: a strided view, with 0 outside."""
        return [
            self.builder.add(name, pool.tap(self.builder.shape(each)[0], axis, index), each)
            for each in terms
        ]

    def greater(self, name: str, first: list[str], second: list[str], highest: int) -> list[str]:
        """max(p, q) = p + relu(q − p): the terms of p, and one more."""
        minus, zero = np.array(-1.0), np.array(0.0)
        negative = [self.builder.add(f"{name}.minus", Affine(minus, zero), e) for e in first]
        gap = self.builder.add(name, Add(), *second, *negative)
        return [*first, self.builder.add(f"{name}.relu", _carrying(highest), gap)]


def _carrying(highest: int) -> Staircase:
    return Staircase(highest, serves="max pools")


def _with_border(pool: MaxPool, border: Pad) -> MaxPool | None:
    """A pool that has the border in its own pads; None where it sees nothing else, or too much."""
    pairs = list(zip(pool.pads, border.pads, strict=True))
    spans = [(k - 1) * d + 1 for k, d in zip(pool.kernel, pool.dilations, strict=True)]
    pads = tuple(own + more for own, more in pairs)
    fits = all(each < span for each, span in zip(pads, spans * 2, strict=True))
    return replace(pool, pads=pads) if fits and all(m >= 0 or not own for own, m in pairs) else None


def _even(operator: Affine | Levels) -> bool:
    """Whether all of a map is treated alike, so that pooling before or after is the same."""
    return all(
        np.size(v) == 1 or set(v.shape[1:]) <= {1} for v in (operator.scale, operator.offset)
    )
