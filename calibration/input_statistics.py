"""What arrives at a projection of a composed network on calibration images."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.network import Node
from snnc.compiler.operators import Conv, pad
from snnc.compiler.quantization.feedback import Statistics

Array: TypeAlias = npt.NDArray[Any]

ROWS = 16384
"""Places of a projection that are sampled, at least; more for a large fan-in, 3 for each input."""
BATCH_NUMBERS = 1 << 24
"""Numbers of all windows together that are held at once."""


def input_statistics(node: Node, values: Array) -> Statistics:
    """Mean and covariance of the inputs of a projection, a convolution or a matrix.

    Args:
        node: the projection.
        values: (images, *shape of its source), what the source sends.
    """
    rng = np.random.default_rng(0)
    sums = _Sums.of(node, values.shape[1:])
    for batch in _batches(node, values):
        sums.add(_rows(node, batch.astype(np.float32), len(batch) / len(values), rng))
    return sums.statistics()


def _batches(node: Node, values: Array) -> list[Array]:
    taps = prod(node.operator.kernel) if isinstance(node.operator, Conv) else 1
    size = max(1, min(64, BATCH_NUMBERS // (taps * prod(values.shape[1:]))))
    return [values[i : i + size] for i in range(0, len(values), size)]


@dataclass(eq=False)
class _Sums:
    """Running sums over rows (groups, places, fan-in)."""

    count: int
    total: Array
    squares: Array

    @classmethod
    def of(cls, node: Node, source: tuple[int, ...]) -> _Sums:
        groups, fan_in = _extent(node, source)
        return cls(0, np.zeros((groups, fan_in)), np.zeros((groups, fan_in, fan_in)))

    def add(self, rows: Array) -> None:
        self.count += rows.shape[1]
        self.total += rows.sum(1, dtype=np.float64)
        self.squares += np.matmul(np.swapaxes(rows, 1, 2), rows)

    def statistics(self) -> Statistics:
        mean = self.total / self.count
        return Statistics(self.squares / self.count - mean[:, :, None] * mean[:, None, :])


def _extent(node: Node, source: tuple[int, ...]) -> tuple[int, int]:
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
