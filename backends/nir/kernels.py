"""Convolutions as NIR holds them: as much padding on both sides, one group, a square kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snnc.compiler.composition.convolutions import without_groups
from snnc.compiler.spiking import Convolution


def evened(connection: Convolution, source: tuple[int, ...]) -> Convolution:
    """The same padded on the far sides as on the near ones, where nothing reads what that adds.

    Args:
        connection: of any padding.
        source: the shape that it reads.
    """
    top, left, _, _ = connection.pads
    even = replace(connection, pads=(top, left, top, left))
    return even if even.places(source) == connection.places(source) else connection


def ungrouped(connection: Convolution) -> Convolution:
    """The same without groups: weights of 0 between them.

    nir 1.0.8 takes the inputs of one group for those of the layer, and refuses the graph.
    """
    weights = without_groups(connection.weights, connection.groups)
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
