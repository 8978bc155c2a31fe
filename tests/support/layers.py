"""Small layers before their weights are whole numbers."""

from __future__ import annotations

import numpy as np

from snnc.compiler.network import Node
from snnc.compiler.operators import MatMul, Staircase
from snnc.compiler.quantization.layer import Layer


def plain_layer(
    *rows: list[list[float]], bias: tuple[float, ...] = (0.0, 0.0), levels: int = 7
) -> Layer:
    """Two channels of one neuron each, whose sources have as many levels as they do."""
    parts = tuple(np.array(each, float)[:, None] for each in rows)
    shift = np.array(bias)
    matrices = tuple(
        Node(f"fc{k}", MatMul(part[:, 0], shift), ("x",), shift.shape)
        for k, part in enumerate(parts)
    )
    end = Node("qcfs", Staircase(levels), ("add",), shift.shape)
    return Layer(end, matrices, parts, (levels,) * len(parts), shift)
