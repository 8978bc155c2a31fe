"""Readers of operators that put tensors side by side, or take them apart."""

from __future__ import annotations

from itertools import accumulate

from snnc.compiler.operators import Add, Select
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import Call

MOST = 1 << 10
"""Tensors that are joined at once."""


@reads("Concat", inputs=(1, MOST), layout="any")
def concat(call: Call) -> str:
    """Tensors side by side along the channels: their sum, each in its place."""
    tensors = call.tensors
    axis = call.axis(1, len(tensors[0].shape) + 1)
    if len(tensors) != len([each for each in call.inputs if each is not None]):
        raise call.refuse("joins an activation and a constant", "add the constant to a bias")
    if axis != 1:
        raise call.refuse(f"is along axis {axis}; allowed: 1", "join along the channels")
    if len({each.shape[1:] for each in tensors}) > 1:
        found = ", ".join(str(each.shape) for each in tensors)
        raise call.refuse(f"joins tensors of shapes {found}", "give them one size in space")
    counts = [each.shape[0] for each in tensors]
    starts = [0, *accumulate(counts)][:-1]
    placed = [
        call.builder.add(
            f"{call.name}.{each.node}", Select.placed(count, start, sum(counts)), each.node
        )
        for each, count, start in zip(tensors, counts, starts, strict=True)
    ]
    return placed[0] if len(placed) == 1 else call.builder.add(call.name, Add(), *placed)
