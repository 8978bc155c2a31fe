"""Where ONNX has the channels: what an input is, and tensors brought into another order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import onnx

from snnc.compiler.errors import SnncError
from snnc.compiler.network import Builder
from snnc.compiler.operators import Shape, Transpose
from snnc.frontends.onnx.arrays import Array, array_of, size_of
from snnc.frontends.onnx.limits import ENTRIES
from snnc.frontends.onnx.registry import LAYOUTS, kind_of
from snnc.frontends.onnx.values import Tensor, Value


def channels_last(rank: int) -> Shape:
    """The order of the axes of samples of this rank whose channels come last."""
    return (*range(1, rank), 0)


def order_for(kind: str, inputs: Sequence[Value | None]) -> Shape:
    """The order in which an operator wants its tensors."""
    tensors = [each for each in inputs if isinstance(each, Tensor)]
    layout = LAYOUTS[kind]
    if layout == "any":
        return tensors[0].order
    return channels_last(len(tensors[0].shape)) if layout == "last" else ()


def in_order(builder: Builder, tensor: Tensor, order: Shape) -> Tensor:
    """The same values with the axes in another order; elements move if they must."""
    rank = len(tensor.shape)
    wanted = order if len(order) == rank else tuple(range(rank))
    found = tensor.order or tuple(range(rank))
    if wanted == found:
        return tensor
    axes = tuple(found[wanted.index(axis)] for axis in range(rank))
    node = builder.add(f"{tensor.node}.order", Transpose(axes), tensor.node)
    return Tensor(node, builder.shape(node), order)


def reads_channels_last(graph: onnx.GraphProto, name: str, sizes: Sequence[object]) -> bool:
    """Whether a model has the channels of its input last: the first operator tells that minds."""
    same = {name}
    for node in graph.node:
        if not same.intersection(node.input):
            continue
        kind = kind_of(node)
        if LAYOUTS.get(kind) == "last" or _moves_channels(node, sizes, graph):
            return True
        if kind != "Unsqueeze" and (LAYOUTS.get(kind) != "any" or kind == "Transpose"):
            return False
        same.update(node.output)
    return False


def _moves_channels(node: onnx.NodeProto, sizes: Sequence[object], graph: onnx.GraphProto) -> bool:
    """Whether a node brings the last axis to the front; a single channel needs no transpose."""
    if node.op_type == "Transpose":
        perm = next(([*each.ints] for each in node.attribute if each.name == "perm"), [])
        return len(perm) > 2 and perm[1] == len(perm) - 1
    if node.op_type != "Reshape" or sizes[-1] != 1 or len(node.input) != 2:
        return False
    return any(
        [*shape[1:]] == [1, *sizes[1:-1]] for shape in _stored(graph, node.input[1]) if shape.ndim
    )


def _stored(graph: onnx.GraphProto, name: str) -> Iterator[Array]:
    """A small constant that is stored under a name, if there is one and it is sound."""
    found = [each for each in graph.initializer if each.name == name]
    found += [
        each.t
        for node in graph.node
        if node.op_type == "Constant" and name in node.output
        for each in node.attribute
        if each.name == "value"
    ]
    for tensor in found:
        with suppress(SnncError):
            if size_of(tensor, name) <= ENTRIES:
                yield array_of(tensor, name)
