"""Convolutions as NIR holds them: as much padding on both sides, one group, a square kernel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from snnc.compiler.spiking import Convolution


def evened(connection: Convolution, source: Sequence[int]) -> Convolution:
    """The same padded on the far sides as on the near ones, where nothing reads what that adds.

    Args:
        connection: of any padding.
        source: the shape that it reads.
    """
    top, left, _, _ = connection.pads
    even = replace(connection, pads=(top, left, top, left))
    return even if places(even, source) == places(connection, source) else connection


def places(connection: Convolution, source: Sequence[int]) -> tuple[int, int]:
    """The rows and columns that come out."""
    top, left, bottom, right = connection.pads
    rows, columns = (
        (size + pads - gap * (extent - 1) - 1) // stride + 1
        for size, pads, extent, gap, stride in zip(
            source[1:],
            (top + bottom, left + right),
            connection.weights.shape[2:],
            connection.dilations,
            connection.strides,
            strict=True,
        )
    )
    return rows, columns


def ungrouped(connection: Convolution) -> Convolution:
    """The same without groups: weights of 0 between them.

    nir 1.0.8 takes the inputs of one group for those of the layer, and refuses the graph.
    """
    outputs, inputs, *kernel = connection.weights.shape
    parts = np.split(connection.weights, connection.groups)
    weights = np.zeros((outputs, inputs * connection.groups, *kernel), np.int64)
    for k, (rows, part) in enumerate(zip(np.split(weights, connection.groups), parts, strict=True)):
        rows[:, k * inputs : (k + 1) * inputs] = part
    return replace(connection, weights=weights, groups=1)


def squared(connection: Convolution) -> Convolution:
    """The same with a square kernel: weights of 0 on both sides, and as many more rows of padding.

    nir 1.0.8 takes the height of a kernel for its width, and refuses a graph whose shapes are not
    what comes of that.
    """
    size, pads, around = max(connection.weights.shape[2:]), [], []
    for extent, pad, gap in zip(
        connection.weights.shape[2:], connection.pads, connection.dilations, strict=False
    ):
        before = -(-(size - extent) // 2)
        pads.append(pad + before * gap)
        around.append((before, size - extent - before))
    weights = np.pad(connection.weights, ((0, 0), (0, 0), *around))
    rows, columns = pads
    return replace(connection, weights=weights, pads=(rows, columns, rows, columns))
