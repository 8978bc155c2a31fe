"""Max pools of activations that fall somewhere: max(p, q) = p + relu(q − p), on real numbers.

Of an activation that never falls a pool is exact on levels (`lower_max_pools`). Of SiLU and others
with a dip no one level says which of two is greater, so the difference becomes a ReLU like any
other, and calibration gives it levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.compiler.analysis.regions import Regions
from snnc.compiler.network import Builder, Network, Node
from snnc.compiler.operators import (
    Add,
    Affine,
    Clip,
    Curve,
    Floats,
    Floor,
    MaxPool,
    Round,
)

REACH = 80.0
"""Activations are looked at from −REACH to REACH; e^x is a float there."""
PLACES = 4001
FLAT = 1e-6
"""A function that changes less in one place is flat there."""
ONE, ZERO, INFINITY = np.array(1.0), np.array(0.0), np.array(np.inf)


def split_max_pools(network: Network) -> Network:
    """Replace the max pools whose source is an activation without levels that falls somewhere.

    One that is unbounded below is left alone where the pool has pads: nothing is below it there.
    """
    if not any(isinstance(node.operator, MaxPool) for node in network):
        return network
    regions, lowest = Regions(network), dict[str, Floats]()
    for node in network:
        if isinstance(node.operator, MaxPool):
            (source,) = node.sources
            least = lowest[source] if source in lowest else _lowest(regions, source)
            if least is not None and (np.isfinite(least).all() or not any(node.operator.pads)):
                lowest[node.name] = least
    if not lowest:
        return network
    builder, renamed = Builder(), dict[str, str]()
    for node in network:
        sources = tuple(renamed[each] for each in node.sources)
        if isinstance(node.operator, MaxPool) and node.name in lowest:
            shift = np.where(np.isfinite(lowest[node.name]), lowest[node.name], 0.0)
            renamed[node.name] = _Split(builder, node.name, node.operator).of(sources[0], shift)
        else:
            renamed[node.name] = builder.add(node.name, node.operator, *sources)
    return network.replaced(builder.nodes(renamed[network.output.name]))


def _lowest(regions: Regions, name: str) -> Floats | None:
    """The least value of an activation, −∞ if there is none; None of one that never falls."""
    place = regions.places[name]
    if not place.is_bent:
        return None
    region = regions.region(name, place.root)
    kinds = tuple(type(node.operator) for node in region)
    if not {Clip, Curve} & {*kinds} or {Floor, Round} & {*kinds}:
        return None
    values = _values(region, place.root, len(region[-1].shape))
    if not np.isfinite(values).all():
        return None
    rises = np.diff(values, axis=0)
    if np.all(rises >= -FLAT * np.abs(rises).max()):
        return None
    open_ended = (rises[:1] > FLAT) | (rises[-1:] < -FLAT)
    return np.asarray(np.where(open_ended, -np.inf, values.min(0, keepdims=True))[0])


def _values(region: list[Node], root: str, rank: int) -> Floats:
    """What operators make of places: (places, …)."""
    results = {root: np.linspace(-REACH, REACH, PLACES).reshape(-1, *(1,) * rank)}
    for node in region:
        results[node.name] = node.operator.apply(*(results[each] for each in node.sources))
    return results[region[-1].name]


@dataclass(frozen=True)
class _Split:
    """A pool in the making."""

    builder: Builder
    name: str
    pool: MaxPool

    def of(self, source: str, lowest: Floats) -> str:
        """Along one axis after the other; above the lowest value, so that 0 outside never wins."""
        node = self.builder.add(f"{self.name}.above", Affine(ONE, -lowest), source)
        channels = self.builder.shape(source)[0]
        for axis, size in enumerate(self.pool.kernel):
            label = f"{self.name}.axis{axis}"
            row = [
                self.builder.add(f"{label}.tap{i}", self.pool.tap(channels, axis, i), node)
                for i in range(size)
            ]
            while len(row) > 1:
                pairs = zip(row[::2], row[1::2], strict=False)
                row = [*(self.greater(label, *pair) for pair in pairs), *row[len(row) // 2 * 2 :]]
            (node,) = row
        return self.builder.add(self.name, Affine(ONE, lowest), node)

    def greater(self, label: str, first: str, second: str) -> str:
        """P + relu(q − p)."""
        minus = self.builder.add(f"{label}.minus", Affine(-ONE, ZERO), first)
        gap = self.builder.add(f"{label}.gap", Add(), second, minus)
        relu = self.builder.add(f"{label}.relu", Clip(ZERO, INFINITY), gap)
        return self.builder.add(f"{label}.max", Add(), first, relu)
