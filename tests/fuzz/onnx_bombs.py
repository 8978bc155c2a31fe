"""Changes that let a small ONNX model grow: without end, or far beyond any memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.fuzz.draws import Rng, of

Mutation: TypeAlias = Callable[[onnx.ModelProto, Rng], None]
SIZES = (1 << 10, 1 << 16, 1 << 20, (1 << 28) + 1, 1 << 31, 1 << 40)
"""Not those from 2^22 to 2^28: a network may be so large, and take its minutes."""


def constant_of_size(model: onnx.ModelProto, rng: Rng) -> None:
    """A constant that is computed, as large as somebody wants, in the place of another."""
    size = of(SIZES, rng)
    shape = of(([size], [size, 1], [1, size, 1], [size, size], [1 << 10] * 4), rng)
    kind = of(("ConstantOfShape", "Expand", "Tile", "Range", "Pad", "Resize", "Cast"), rng)
    name = _take_a_place(model, rng)
    one = _constant(model, np.ones((1,) * len(shape), np.float32))
    sizes = _constant(model, np.array(shape, np.int64))
    inputs = {
        "ConstantOfShape": [sizes],
        "Expand": [one, sizes],
        "Tile": [one, sizes],
        "Range": [_constant(model, np.int64(each)) for each in (0, size, 1)],
        "Pad": [one, _constant(model, np.array([0] * len(shape) + shape, np.int64))],
        "Resize": [one, "", "", sizes],
        "Cast": [sizes],
    }[kind]
    node = helper.make_node(kind, inputs, [name], name=name)
    if kind == "Cast":
        node.attribute.append(helper.make_attribute("to", int(rng.integers(0, 20))))
    _put_first(model, [node])


def doubled_constant(model: onnx.ModelProto, rng: Rng) -> None:
    """A constant that is joined to itself, again and again."""
    name = _take_a_place(model, rng)
    last = _constant(model, np.ones(4, np.float32))
    nodes = []
    for index in range(int(rng.integers(8, 60))):
        result = f"{name}.{index}"
        nodes.append(helper.make_node("Concat", [last, last], [result], axis=0))
        last = result
    nodes.append(helper.make_node("Identity", [last], [name]))
    _put_first(model, nodes)


def doubled_paths(model: onnx.ModelProto, rng: Rng) -> None:
    """Sums of a result with itself: twice the paths with every node."""
    node = of(model.graph.node, rng) if model.graph.node else None
    if node is None or not node.output or not node.output[0]:
        return
    result, kind = node.output[0], of(("Add", "Concat", "Sub", "Mul", "Sum"), rng)
    node.output[0] = last = f"{result}.0"
    nodes = []
    for index in range(1, int(rng.integers(3, 40))):
        added = helper.make_node(kind, [last, last], [f"{result}.{index}"])
        if kind == "Concat":
            added.attribute.append(helper.make_attribute("axis", 1))
        nodes.append(added)
        last = f"{result}.{index}"
    nodes.append(helper.make_node("Identity", [last], [result]))
    place = next(i for i, each in enumerate(model.graph.node) if each == node) + 1
    _put(model, place, nodes)


def deep_functions(model: onnx.ModelProto, rng: Rng) -> None:
    """Functions of functions, each of which calls the next more than once."""
    depth, calls = int(rng.integers(2, 40)), int(rng.integers(1, 4))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("deep", 1)]
    for index in range(depth):
        names = [f"t{k}" for k in range(calls)] + ["y"]
        kind, domain = (f"f{index + 1}", "deep") if index + 1 < depth else ("Relu", "")
        nodes = [
            helper.make_node(kind, ["x" if k == 0 else names[k - 1]], [names[k]], domain=domain)
            for k in range(calls)
        ]
        nodes.append(helper.make_node("Identity", [names[calls - 1]], ["y"]))
        found = helper.make_function("deep", f"f{index}", ["x"], ["y"], nodes, opsets)
        model.functions.append(found)
    model.opset_import.append(opsets[1])
    node = of(model.graph.node, rng) if model.graph.node else model.graph.node.add()
    node.op_type, node.domain = "f0", "deep"


def large_input(model: onnx.ModelProto, rng: Rng) -> None:
    """Images of any size."""
    for value in model.graph.input:
        for each in value.type.tensor_type.shape.dim[1:]:
            if rng.integers(2):
                each.dim_value = of((*SIZES, 100, 1000), rng)


def long_chain(model: onnx.ModelProto, rng: Rng) -> None:
    """Many nodes that change nothing, or little."""
    node = of(model.graph.node, rng) if model.graph.node else None
    if node is None or not node.input:
        return
    source, kind = node.input[0], of(("Identity", "Relu", "Floor", "Neg", "Flatten"), rng)
    nodes = []
    for index in range(of((10, 100, 1000, 3000), rng)):
        nodes.append(helper.make_node(kind, [source], [f"long{index}"]))
        source = f"long{index}"
    place = next(i for i, each in enumerate(model.graph.node) if each == node)
    node.input[0] = source
    _put(model, place, nodes)


def _take_a_place(model: onnx.ModelProto, rng: Rng) -> str:
    """The name of a stored constant, which is one no longer."""
    stored = model.graph.initializer
    if not stored:
        return "made"
    taken = of(stored, rng)
    name = taken.name
    stored.remove(taken)
    return str(name)


def _constant(model: onnx.ModelProto, value: np.ndarray) -> str:
    name = f"bomb{len(model.graph.initializer)}"
    model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def _put_first(model: onnx.ModelProto, nodes: list[onnx.NodeProto]) -> None:
    _put(model, 0, nodes)


def _put(model: onnx.ModelProto, place: int, nodes: list[onnx.NodeProto]) -> None:
    kept = [each.SerializeToString() for each in model.graph.node]
    kept[place:place] = [each.SerializeToString() for each in nodes]
    del model.graph.node[:]
    model.graph.node.extend(map(onnx.NodeProto.FromString, kept))


BOMBS: tuple[Mutation, ...] = (
    constant_of_size,
    doubled_constant,
    doubled_paths,
    deep_functions,
    large_input,
    long_chain,
)
