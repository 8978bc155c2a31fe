"""Sizes that a model leaves open, and what fixes them."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from snnc.compiler.errors import refusal
from snnc.compiler.operators import Shape
from snnc.frontends.onnx.limits import PIXELS


def inputs_of(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """The inputs of a graph that are no stored constants."""
    stored = {each.name for each in graph.initializer}
    return [each for each in graph.input if each.name not in stored]


def sizes_of(value: onnx.ValueInfoProto) -> list[int | str]:
    """What a model says of a shape, the batch first: a size, its name, or a question mark."""
    return [_size(each) or each.dim_param or "?" for each in value.type.tensor_type.shape.dim]


def fix_sizes(graph: onnx.GraphProto, shape: Shape) -> None:
    """Give the input of a model the sizes of a sample; what the file says already must agree.

    Raises:
        SnncError: if it does not, or these are no sizes.
    """
    if not shape:
        return
    if not all(1 <= each <= PIXELS for each in shape):
        what = f"{_text(shape)}; allowed: sizes from 1 to {PIXELS}"
        raise refusal("`input_shape`", what, "write 3,224,224")
    for value in inputs_of(graph):
        dims = value.type.tensor_type.shape.dim
        known = [*map(_size, dims)][1:] if dims else [0] * len(shape)
        agree = (not size or size == given for size, given in zip(known, shape, strict=False))
        if len(known) != len(shape) or not all(agree):
            what = f"{_text(shape)}, and the input {value.name!r} has shape {sizes_of(value)}"
            raise refusal("`input_shape`", what, "give the sizes of a sample, the batch aside")
        if not dims:
            dims.add().dim_param = "batch"
            dims.extend(onnx.TensorShapeProto.Dimension() for _ in shape)
        for dim, size in zip(dims[1:], shape, strict=True):
            dim.dim_value = size


def fix_open_sizes(graph: onnx.GraphProto, shape: Shape) -> None:
    """Give the input the sizes of a compiled one, (channels, 1, length) for a line, if it has none.

    Raises:
        SnncError: if it has others.
    """
    for value in inputs_of(graph):
        sizes = sizes_of(value)
        if all(isinstance(each, int) for each in sizes[1:]) and sizes:
            continue
        lines = len(sizes) == len(shape) == 3
        fix_sizes(graph, tuple(_without_height(shape)) if lines else shape)


def _without_height(shape: Shape) -> Iterable[int]:
    height = 0 if shape[0] == 1 and shape[1] != 1 else 1
    return (size for axis, size in enumerate(shape) if axis != height)


def _size(dim: onnx.TensorShapeProto.Dimension) -> int:
    """A size, or 0 where there is none."""
    return max(dim.dim_value, 0) if dim.HasField("dim_value") else 0


def _text(shape: Shape) -> str:
    return ",".join(map(str, shape))
