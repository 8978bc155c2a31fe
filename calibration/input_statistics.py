"""What arrives at a projection of a composed network on calibration images."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.network import Node
from snnc.compiler.operators import Conv, pad
from snnc.compiler.quantization.feedback import Statistics

Array: TypeAlias = npt.NDArray[Any]

ROWS = 16384
"""Places of a projection that are sampled, at least; more for a large fan-in."""
ROWS_AN_INPUT, ROWS_AN_INPUT_OF_A_CHANNEL = 3, 16
"""The second where each channel has statistics of its own, for which few of the places count."""
BATCH_NUMBERS = 1 << 24
"""Numbers of all windows together that are held at once."""


def input_statistics(node: Node, values: Array, weights: Array | None = None) -> Statistics:
    """The covariance of the inputs of a projection, a convolution or a matrix.

    Args:
        node: the projection.
        values: (images, *shape of its source), what the source sends.
        weights: (images, *shape of the projection) how much each of its sums counts; every channel,
            or neuron of a matrix, then has statistics of its own.
    """
    rng = np.random.default_rng(0)
    groups, fan_in = _extent(node, values.shape[1:])
    groups = groups if weights is None else node.operator.weights.shape[0]  # type: ignore[attr-defined]
    sums = _Sums(groups, fan_in)
    wanted = max(ROWS, fan_in * (ROWS_AN_INPUT if weights is None else ROWS_AN_INPUT_OF_A_CHANNEL))
    places = max(1, round(wanted / len(values)))
    for batch in _batches(node, values):
        chosen = _places(node, len(values[batch]), places, rng)
        rows = _rows(node, values[batch].astype(np.float32), chosen)
        sums.add(rows, None if weights is None else _at(weights[batch], chosen))
    return sums.statistics()


def _batches(node: Node, values: Array) -> Iterator[slice]:
    taps = prod(node.operator.kernel) if isinstance(node.operator, Conv) else 1
    size = max(1, min(64, BATCH_NUMBERS // (taps * prod(values.shape[1:]))))
    return (slice(start, start + size) for start in range(0, len(values), size))


class _Sums:
    """Running sums over rows (groups, places, fan-in)."""

    def __init__(self, groups: int, fan_in: int) -> None:
        self.count = np.zeros((groups, 1))
        self.total = np.zeros((groups, fan_in))
        self.squares = np.zeros((groups, fan_in, fan_in))

    def add(self, rows: Array, weights: Array | None) -> None:
        """Add rows, all alike or by weights (groups, places); then rows may be those of all."""
        if weights is None:
            weights = np.ones((len(rows), rows.shape[1]), np.float32)
        size = max(1, BATCH_NUMBERS // rows[0].size)
        for start in range(0, len(weights), size):
            part = slice(start, start + size)
            own = rows if len(rows) == 1 else rows[part]
            weighted = own * weights[part, :, None]
            self.count[part] += weights[part].sum(1, dtype=np.float64, keepdims=True)
            self.total[part] += weighted.sum(1, dtype=np.float64)
            self.squares[part] += np.matmul(np.swapaxes(weighted, 1, 2), own)

    def statistics(self) -> Statistics:
        """What they come to."""
        mean = self.total / self.count
        return Statistics(self.squares / self.count[:, :, None] - mean[:, :, None] * mean[:, None])


def _extent(node: Node, source: tuple[int, ...]) -> tuple[int, int]:
    """Groups and fan-in of a projection."""
    if isinstance(node.operator, Conv):
        return node.operator.groups, node.operator.weights[0].size
    return 1, prod(source)


def _places(node: Node, images: int, count: int, rng: np.random.Generator) -> tuple[Any, ...]:
    """Some neurons of every image, as an index of (images, channels, …)."""
    if not isinstance(node.operator, Conv):
        return ()
    space = [rng.integers(size, size=(images, count)) for size in node.shape[1:]]
    return (np.arange(images)[:, None], slice(None), *space)


def _rows(node: Node, values: Array, places: tuple[Any, ...]) -> Array:
    """What arrives in some places: (groups, places, fan-in)."""
    if not isinstance(node.operator, Conv):
        return values.reshape(1, len(values), -1)
    conv = node.operator
    chosen = conv.windows(pad(values, conv.borders))[places]
    rows = chosen.reshape(chosen.shape[0] * chosen.shape[1], conv.groups, -1)
    return np.ascontiguousarray(np.swapaxes(rows, 0, 1))


def _at(weights: Array, places: tuple[Any, ...]) -> Array:
    """Weights of some places: (channels, places)."""
    if not places:
        return weights.reshape(len(weights), -1).T.astype(np.float32)
    chosen = weights[places]
    return np.asarray(chosen.reshape(chosen.shape[0] * chosen.shape[1], -1).T, np.float32)
