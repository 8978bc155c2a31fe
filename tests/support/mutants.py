"""Damaged ONNX models: each a sound one with some of its parts changed, by a seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import helper
from support.onnx_models import Graph, random_chain, random_graph

Rng: TypeAlias = np.random.Generator
Mutation: TypeAlias = Callable[[onnx.ModelProto, Rng], None]
NUMBERS = (0, 1, -1, 2, 3, 7, -7, 255, 1 << 16, 1 << 31, -(1 << 31), (1 << 62) - 1, -(1 << 63))
REALS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e38, -1e38, np.inf, -np.inf, np.nan)
TEXTS = ("", "NOTSET", "SAME_UPPER", "VALID", "reflect", "x", "ROUND", "\0", "[/red]")
KINDS = ("Relu", "Conv", "Gemm", "Softmax", "Concat", "Shape", "Reshape", "RandomNormal", "If", "")


def mutant(seed: int) -> bytes:
    """A model with one to three mutations, as the bytes of its file."""
    rng = np.random.default_rng(seed)
    model = onnx.ModelProto()
    model.CopyFrom(_of(ORIGINALS, rng)())
    for _ in range(rng.integers(1, 4)):
        MUTATIONS[rng.integers(len(MUTATIONS))](model, rng)
    return bytes(model.SerializeToString())


def _of(values: Sequence[Any], rng: Rng) -> Any:
    return values[int(rng.integers(len(values)))]


def _spelled() -> onnx.ModelProto:
    """Operators that the random networks lack, with sizes that are computed."""
    graph = Graph("batch", 2, 8, 8)
    graph.with_constants("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), 0.0)
    graph.conv(4, 2, 3, 3, auto_pad="SAME_LOWER", strides=[2, 2])
    graph.with_constants("Clip", 0.0, 6.0)
    grid = [graph.constant(0.1), graph.constant(np.uint8(0))]
    graph.node("QuantizeLinear", graph.last, *grid)
    graph.node("DequantizeLinear", graph.last, *grid)
    graph.node("MaxPool", kernel_shape=[2, 2], strides=[1, 1], dilations=[1, 1])
    pool = graph.node("AveragePool", kernel_shape=[3, 3], strides=[2, 2])
    first = graph.node("Gather", graph.node("Shape", pool), graph.constant(np.array([0])), axis=0)
    ones = graph.node("ConstantOfShape", graph.constant(np.array([1])))
    rest = graph.node("Sub", graph.node("Cast", ones, to=7), graph.constant(np.array([1])))
    rest = graph.node("Where", graph.node("Equal", rest, rest), graph.constant(-1), rest)
    sizes = graph.node("Concat", first, rest, axis=0)
    graph.node("Reshape", pool, sizes)
    width = 4
    last = graph.last
    weights = graph.node("Transpose", graph.constant(graph.rng.normal(size=(3, width))))
    graph.node("Gemm", last, weights, graph.constant(np.ones(3)), alpha=0.5)
    graph.node("Softmax", axis=1)
    return graph.model()


def _pooled() -> onnx.ModelProto:
    """Means, and axes that come and go."""
    graph = Graph("batch", 3, 6, 6)
    graph.conv(4, 3, 3, 3, group=1, dilations=[1, 1])
    graph.batch_norm(4)
    graph.qcfs(7)
    graph.node("ReduceMean", axes=[2, 3], keepdims=1)
    graph.with_constants("Squeeze", np.array([2, 3]))
    graph.with_constants("Unsqueeze", np.array([2]))
    graph.node("Transpose", perm=[0, 2, 1])
    graph.node("Flatten", axis=1)
    graph.with_constants("Mul", 4.0)
    graph.node("Floor")
    graph.with_constants("Min", 3.0)
    graph.with_constants("Max", 0.0)
    graph.with_constants("MatMul", graph.rng.normal(size=(4, 3)))
    graph.node("Cast", to=1)
    return graph.model()


def _whole() -> onnx.ModelProto:
    """QOperators, and a Quant of QONNX."""
    graph = Graph("batch", 2, 6, 6)
    grid = [graph.constant(0.05), graph.constant(np.uint8(0))]
    source = [graph.node("QuantizeLinear", "x", *grid), *grid]
    weights = graph.rng.integers(-20, 20, (4, 2, 3, 3)).astype(np.int8)
    rows = graph.rng.integers(-20, 20, (64, 3)).astype(np.int8)
    kernel = [graph.constant(each) for each in (weights, 0.02, np.int8(0))]
    bias = graph.constant(np.arange(4, dtype=np.int32))
    graph.node("QLinearConv", *source, *kernel, *grid, bias, strides=[1, 1])
    both = [graph.last, *grid, graph.last, *grid, *grid]
    graph.node("QLinearAdd", *both, domain="com.microsoft")
    graph.node("DequantizeLinear", graph.last, *grid)
    numbers = map(graph.constant, (np.float32(0.1), np.float32(0), np.float32(4)))
    graph.node("Quant", graph.last, *numbers, domain=QONNX, signed=0, narrow=0)
    graph.node("Flatten")
    graph.node("QuantizeLinear", graph.last, *grid)
    matrix = [graph.constant(each) for each in (rows, 0.02, np.int8(0))]
    graph.node("QGemm", graph.last, *grid, *matrix, domain="com.microsoft")
    model = graph.model()
    model.opset_import.append(helper.make_opsetid(QONNX, 2))
    return model


def _with_functions() -> onnx.ModelProto:
    """A function of a function."""
    graph = Graph("batch", 4)
    graph.dense(4, 4)
    graph.node("Outer", domain="local")
    graph.with_constants("Clip", -3.0, 4.0)
    graph.dense(3, 4)
    model = graph.model()
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    inner = [helper.make_node("Floor", ["a"], ["b"])]
    outer = [helper.make_node("Inner", ["a"], ["c"], domain="local")]
    outer += [helper.make_node("Neg", ["c"], ["b"])]
    for name, nodes in (("Inner", inner), ("Outer", outer)):
        model.functions.append(helper.make_function("local", name, ["a"], ["b"], nodes, opset))
    model.opset_import.append(opset[1])
    return model


def _any_node(model: onnx.ModelProto, rng: Rng) -> onnx.NodeProto:
    nodes = [*model.graph.node, *(each for f in model.functions for each in f.node)]
    return _of(nodes, rng) if nodes else model.graph.node.add()


def _any_tensor(model: onnx.ModelProto, rng: Rng) -> onnx.TensorProto:
    stored = model.graph.initializer
    return _of(stored, rng) if stored else stored.add()


def _names(model: onnx.ModelProto) -> list[str]:
    return ["", "x", "nothing", *(name for node in model.graph.node for name in node.output)]


def attribute_value(model: onnx.ModelProto, rng: Rng) -> None:
    """Another value of the same kind."""
    node = _any_node(model, rng)
    for each in node.attribute:
        each.i, each.f = _of(NUMBERS, rng), _of(REALS, rng)
        each.s = _of(TEXTS, rng).encode()
        if each.ints:
            each.ints[rng.integers(len(each.ints))] = _of(NUMBERS, rng)


def attribute_count(model: onnx.ModelProto, rng: Rng) -> None:
    """More or fewer numbers."""
    for each in _any_node(model, rng).attribute:
        if rng.integers(2):
            each.ints.append(_of(NUMBERS, rng))
        elif each.ints:
            del each.ints[0]


def attribute_kind(model: onnx.ModelProto, rng: Rng) -> None:
    """Another kind, perhaps with something in it."""
    for each in _any_node(model, rng).attribute:
        each.type = int(rng.integers(0, 15))
        if rng.integers(3) == 0:
            each.t.CopyFrom(_any_tensor(model, rng))


def attribute_missing(model: onnx.ModelProto, rng: Rng) -> None:
    """One less."""
    node = _any_node(model, rng)
    if node.attribute:
        del node.attribute[int(rng.integers(len(node.attribute)))]


def attribute_twice(model: onnx.ModelProto, rng: Rng) -> None:
    """One more of the same."""
    node = _any_node(model, rng)
    if node.attribute:
        node.attribute.append(_of(node.attribute, rng))


def attribute_new(model: onnx.ModelProto, rng: Rng) -> None:
    """One that operators know, on a node that may not."""
    name = _of(NAMES, rng)
    value = _of((_of(NUMBERS, rng), _of(REALS, rng), _of(TEXTS, rng), [1, 1], [0, -1, 2]), rng)
    _any_node(model, rng).attribute.append(helper.make_attribute(name, value))


def type_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """Another type, known or not."""
    _any_tensor(model, rng).data_type = int(rng.integers(0, 28))


def shape_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """Another size of one axis, or an axis more or less."""
    dims = _any_tensor(model, rng).dims
    if dims and rng.integers(2):
        dims[int(rng.integers(len(dims)))] = _of(NUMBERS, rng)
    elif dims and rng.integers(2):
        del dims[0]
    else:
        dims.append(_of(NUMBERS, rng))


def reshaped_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """The same numbers, under another shape that fits."""
    tensor = _any_tensor(model, rng)
    size = int(np.prod(tensor.dims, dtype=np.float64)) if len(tensor.dims) else 1
    del tensor.dims[:]
    tensor.dims.extend(_of(([size], [1, size], [size, 1], [1, 1, size], [size, 1, 1, 1]), rng))


def data_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """Bytes cut, added or changed."""
    tensor = _any_tensor(model, rng)
    data = bytearray(tensor.raw_data)
    form = rng.integers(3)
    if form == 0:
        data = data[: int(rng.integers(len(data) + 1))]
    elif form == 1:
        data += bytes(int(rng.integers(1, 9)))
    elif data:
        first = int(rng.integers(len(data)))
        data[first : first + 4] = np.float32(_of(REALS, rng)).tobytes()[: len(data) - first]
    tensor.raw_data = bytes(data)


def place_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """Elsewhere, where nothing is."""
    tensor = _any_tensor(model, rng)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key in ("location", "offset", "length", "what")[: int(rng.integers(5))]:
        value = _of(("weights.bin", "../x", "/dev/zero", "-1", "9" * 30, "\0"), rng)
        tensor.external_data.add(key=key, value=value)


def input_of_node(model: onnx.ModelProto, rng: Rng) -> None:
    """Another source, one more or one less."""
    node, form = _any_node(model, rng), rng.integers(3)
    stored = [each.name for each in model.graph.initializer]
    name = _of([*_names(model), *stored], rng)
    if form == 0 and node.input:
        node.input[int(rng.integers(len(node.input)))] = name
    elif form == 1 and node.input:
        del node.input[int(rng.integers(len(node.input)))]
    else:
        node.input.append(name)


def output_of_node(model: onnx.ModelProto, rng: Rng) -> None:
    """Another result, one more or none."""
    node = _any_node(model, rng)
    if rng.integers(3) and node.output:
        node.output[0] = _of(_names(model), rng)
    elif rng.integers(2):
        node.output.append("more")
    else:
        del node.output[:]


def kind_of_node(model: onnx.ModelProto, rng: Rng) -> None:
    """Another operator, or another domain."""
    node = _any_node(model, rng)
    if rng.integers(3):
        node.op_type = _of([*KINDS, *(each.op_type for each in model.graph.node)], rng)
    else:
        node.domain = _of(("", "ai.onnx", "com.microsoft", "local", QONNX, "my.lab"), rng)


def order_of_nodes(model: onnx.ModelProto, rng: Rng) -> None:
    """A node twice, gone, or elsewhere."""
    nodes = [*model.graph.node]
    node = _of(nodes, rng) if nodes else onnx.NodeProto()
    copy = onnx.NodeProto.FromString(node.SerializeToString())
    if nodes and rng.integers(2):
        nodes.remove(node)
    nodes.insert(int(rng.integers(len(nodes) + 1)), copy)
    kept = [each.SerializeToString() for each in nodes]
    del model.graph.node[:]
    model.graph.node.extend(map(onnx.NodeProto.FromString, kept))


def name_of_node(model: onnx.ModelProto, rng: Rng) -> None:
    """A name that means something elsewhere."""
    names = (*TEXTS, *_names(model), "constant", "x:0", "a" * 5000)
    _any_node(model, rng).name = _of(names, rng)


def input_of_graph(model: onnx.ModelProto, rng: Rng) -> None:
    """Another type, shape or name."""
    if not model.graph.input:
        return
    value, form = model.graph.input[0], rng.integers(4)
    dims = value.type.tensor_type.shape.dim
    if form == 0:
        value.type.tensor_type.elem_type = int(rng.integers(0, 28))
    elif form == 1 and dims:
        dims[int(rng.integers(len(dims)))].dim_value = _of(NUMBERS, rng)
    elif form == 2:
        value.ClearField("type")
    else:
        value.name = _of(_names(model), rng)


def output_of_graph(model: onnx.ModelProto, rng: Rng) -> None:
    """Something else is asked for."""
    if model.graph.output:
        model.graph.output[0].name = _of(_names(model), rng)


def opset(model: onnx.ModelProto, rng: Rng) -> None:
    """Another version."""
    for each in model.opset_import:
        each.version = _of((*range(1, 26), *NUMBERS), rng)


def function(model: onnx.ModelProto, rng: Rng) -> None:
    """A function that calls itself, or has other inputs or nodes."""
    if not model.functions:
        return
    found, form = _of(model.functions, rng), rng.integers(4)
    if form == 0:
        found.node.append(helper.make_node("Outer", ["a"], ["d"], domain="local"))
    elif form == 1:
        del found.node[:]
    elif form == 2:
        del found.input[:]
    else:
        found.attribute.append("alpha")
        reference = found.node.add(op_type="Elu", input=["a"], output=["e"]).attribute.add()
        reference.name, reference.ref_attr_name, reference.type = "alpha", "alpha", 1


QONNX = "qonnx.custom_op.general"
NAMES = ("axis", "axes", "pads", "strides", "group", "alpha", "to", "mode", "auto_pad", "value")
ORIGINALS: tuple[Callable[[], onnx.ModelProto], ...] = (
    _spelled,
    _pooled,
    _whole,
    _with_functions,
    lambda: random_graph(1).model(),
    lambda: random_graph(8).model(),
    lambda: random_chain(3).model(),
)
MUTATIONS: tuple[Mutation, ...] = (
    attribute_value,
    attribute_count,
    attribute_kind,
    attribute_missing,
    attribute_twice,
    attribute_new,
    type_of_tensor,
    shape_of_tensor,
    reshaped_tensor,
    data_of_tensor,
    place_of_tensor,
    input_of_node,
    output_of_node,
    kind_of_node,
    order_of_nodes,
    name_of_node,
    input_of_graph,
    output_of_graph,
    opset,
    function,
)
