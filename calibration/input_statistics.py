"""What arrives at a projection of a composed network on calibration images."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.network import Node
from snnc.compiler.operators import Conv, MatMul, pad
from snnc.compiler.quantization.feedback import Statistics

Array: TypeAlias = npt.NDArray[Any]

ROWS = 16384
"""Places of a projection that are sampled, at least; more for a large fan-in."""
ROWS_AN_INPUT, ROWS_AN_INPUT_OF_A_CHANNEL = 3, 16
"""The second where each channel has statistics of its own, for which few of the places count."""
MOST_INPUTS, INPUTS_OF_A_BLOCK = 1 << 13, 1 << 11
"""Above the first, statistics are those of blocks of inputs: a covariance takes memory as the
square of its size, and time as the cube."""
BATCH_NUMBERS = 1 << 24
"""Numbers of all windows together that are held at once."""
BEYOND = 0.1
"""How much those count that do not in full: a little, lest a weight be left to chance."""


def input_statistics(node: Node, values: Array, within: Array | None = None) -> Statistics:
    """The covariance of the inputs of a projection, a convolution or a matrix.

    Args:
        node: the projection.
        values: (images, *shape of its source), what the source sends.
        within: (images, *shape of the projection) which of its sums count in full, the others
            `BEYOND`; every channel, or neuron of a matrix, then has statistics of its own.
    """
    rng = np.random.default_rng(0)
    groups, fan_in = _extent(node, values.shape[1:])
    if groups == 1 and fan_in > MOST_INPUTS:
        groups = -(-fan_in // INPUTS_OF_A_BLOCK)
        fan_in = -(-fan_in // groups)
    sums = _Sums(groups, fan_in)
    own = None if within is None else _Sums(_extent_of_result(node), fan_in)
    wanted = max(ROWS, fan_in * (ROWS_AN_INPUT if within is None else ROWS_AN_INPUT_OF_A_CHANNEL))
    places = max(1, round(wanted / len(values)))
    about: Array | None = None
    for batch in _batches(node, values):
        chosen = _places(node, len(values[batch]), places, rng)
        rows = _rows(node, values[batch].astype(np.float32), chosen)
        # float32 would lose a small variance beside the square of a large mean
        about = rows.mean(1, keepdims=True) if about is None else about
        rows = rows - about
        sums.add(_in_blocks(rows, fan_in))
        if own is not None and within is not None:
            own.add_chosen(rows[0], _at(within[batch], chosen))
    return (sums if own is None else own.with_share(sums, BEYOND)).statistics()


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

    def add(self, rows: Array) -> None:
        """Add rows of each group."""
        for group, each in enumerate(rows):
            self._add(group, each)

    def add_chosen(self, rows: Array, chosen: Array) -> None:
        """Add to each group some of the rows of all: those that are chosen (groups, places)."""
        for group, each in enumerate(chosen):
            self._add(group, rows[each])

    def _add(self, group: int, rows: Array) -> None:
        """Of one group: a product of a matrix with itself, of which BLAS computes one half."""
        self.count[group] += len(rows)
        self.total[group] += rows.sum(0, dtype=np.float64)
        self.squares[group] += rows.T @ rows

    def with_share(self, others: _Sums, share: float) -> _Sums:
        """These, and a share of those rows that were not chosen out of others."""
        found = _Sums(*self.total.shape)
        for name in ("count", "total", "squares"):
            kept, of_all = getattr(self, name), getattr(others, name)
            setattr(found, name, (1 - share) * kept + share * of_all)
        return found

    def statistics(self) -> Statistics:
        """What they come to."""
        mean = self.total / self.count
        return Statistics(self.squares / self.count[:, :, None] - mean[:, :, None] * mean[:, None])


def _extent(node: Node, source: tuple[int, ...]) -> tuple[int, int]:
    """Groups and fan-in of a projection."""
    if isinstance(node.operator, Conv):
        return node.operator.groups, node.operator.weights[0].size
    return 1, prod(source)


def _extent_of_result(node: Node) -> int:
    """Its channels, or neurons of a matrix."""
    assert isinstance(node.operator, Conv | MatMul)
    return len(node.operator.weights)


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


def _in_blocks(rows: Array, size: int) -> Array:
    """Inputs of all places, (1, places, fan-in), as (blocks, places, size); others as they are."""
    _, places, fan_in = rows.shape
    if fan_in == size:
        return rows
    filled = np.pad(rows[0], ((0, 0), (0, -fan_in % size)))
    return np.swapaxes(filled.reshape(places, -1, size), 0, 1)


def _at(values: Array, places: tuple[Any, ...]) -> Array:
    """Values of some places: (channels, places)."""
    chosen = values[places] if places else values[:, None]
    return np.asarray(chosen.reshape(chosen.shape[0] * chosen.shape[1], -1).T)
