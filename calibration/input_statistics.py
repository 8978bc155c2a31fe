"""What arrives at every projection of a composed network on calibration images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Conv, MatMul, Shape, pad
from snnc.compiler.quantization.feedback import Statistics
from snnc.runtime.engines.float_network import FloatNetwork

Array: TypeAlias = npt.NDArray[Any]

ROWS = 8192
"""Places of a projection that are sampled, at least; more for a large fan-in, 3 for each input."""
BATCH_NUMBERS = 1 << 25
"""Numbers of all layers together that are held at once."""


def input_statistics(network: Network, levels: Array) -> Mapping[str, Statistics]:
    """Mean and covariance of the inputs of each projection, by its name.

    Args:
        network: a composed network.
        levels: (images, *input shape), what the input sends.
    """
    projections = [n for n in network if isinstance(n.operator, Conv | MatMul)]
    sources = tuple(dict.fromkeys(each.sources[0] for each in projections))
    model = FloatNetwork(network, sources)
    sums = {
        node.name: _Sums.of(node, network.by_name[node.sources[0]].shape) for node in projections
    }
    rng = np.random.default_rng(0)
    for batch in _batches(network, levels):
        sent = model.run(batch)
        for node in projections:
            share = len(batch) / len(levels)
            sums[node.name].add(_rows(node, sent[node.sources[0]], share, rng))
    return {name: each.statistics() for name, each in sums.items()}


def _batches(network: Network, levels: Array) -> Iterator[Array]:
    size = max(1, min(64, BATCH_NUMBERS // sum(prod(node.shape) for node in network)))
    return (levels[i : i + size] for i in range(0, len(levels), size))


@dataclass(eq=False)
class _Sums:
    """Running sums over rows (groups, places, fan-in)."""

    count: int
    total: Array
    squares: Array

    @classmethod
    def of(cls, node: Node, source: Shape) -> _Sums:
        groups, fan_in = _extent(node, source)
        return cls(0, np.zeros((groups, fan_in)), np.zeros((groups, fan_in, fan_in)))

    def add(self, rows: Array) -> None:
        self.count += rows.shape[1]
        self.total += rows.sum(1, dtype=np.float64)
        self.squares += np.matmul(np.swapaxes(rows, 1, 2), rows)

    def statistics(self) -> Statistics:
        mean = self.total / self.count
        covariance = self.squares / self.count - mean[:, :, None] * mean[:, None, :]
        return Statistics(mean, covariance)


def _extent(node: Node, source: Shape) -> tuple[int, int]:
    """Groups and fan-in of a projection."""
    if isinstance(node.operator, Conv):
        return node.operator.groups, node.operator.weights[0].size
    return 1, prod(source)


def _rows(node: Node, values: Array, share: float, rng: np.random.Generator) -> Array:
    """What arrives at neurons in some places: (groups, places, fan-in)."""
    if not isinstance(node.operator, Conv):
        return values.reshape(1, len(values), -1)
    conv = node.operator
    windows = conv.windows(pad(values, conv.borders))
    wanted = max(ROWS, 3 * conv.weights[0].size) * share / len(values)
    count = max(1, round(wanted))
    places = [rng.integers(size, size=(len(values), count)) for size in node.shape[1:]]
    index: tuple[Any, ...] = (np.arange(len(values))[:, None], slice(None), *places)
    chosen = windows[index]
    batch = len(chosen)
    rows = chosen.reshape(batch * count, conv.groups, -1)
    return np.ascontiguousarray(np.swapaxes(rows, 0, 1))
