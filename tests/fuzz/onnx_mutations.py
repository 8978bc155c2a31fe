"""Changes of ONNX models, each of one part: an attribute, a tensor, an edge, a name."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TypeAlias

import numpy as np
import onnx
from onnx import helper, numpy_helper

from tests.fuzz.draws import TEXTS, Rng, of, real, whole
from tests.fuzz.sound_models import QONNX

Mutation: TypeAlias = Callable[[onnx.ModelProto, Rng], None]
KINDS = ("Relu", "Conv", "Gemm", "Softmax", "Concat", "Shape", "Reshape", "RandomNormal", "If", "")


def _any_node(model: onnx.ModelProto, rng: Rng) -> onnx.NodeProto:
    nodes = [*model.graph.node, *(each for f in model.functions for each in f.node)]
    return of(nodes, rng) if nodes else model.graph.node.add()


def _any_tensor(model: onnx.ModelProto, rng: Rng) -> onnx.TensorProto:
    stored = model.graph.initializer
    return of(stored, rng) if stored else stored.add()


def _names(model: onnx.ModelProto) -> list[str]:
    return ["", "x", "nothing", *(name for node in model.graph.node for name in node.output)]


def attribute_value(model: onnx.ModelProto, rng: Rng) -> None:
    """Another value of the same kind."""
    node = _any_node(model, rng)
    for each in node.attribute:
        each.i, each.f = whole(rng), float(_single(rng))
        each.s = of(TEXTS, rng).encode()
        if each.ints:
            each.ints[rng.integers(len(each.ints))] = whole(rng)


def attribute_count(model: onnx.ModelProto, rng: Rng) -> None:
    """More or fewer numbers."""
    for each in _any_node(model, rng).attribute:
        if rng.integers(2):
            each.ints.append(whole(rng))
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
        node.attribute.append(of(node.attribute, rng))


def attribute_new(model: onnx.ModelProto, rng: Rng) -> None:
    """One that operators know, on a node that may not."""
    name = of(NAMES, rng)
    value = of((whole(rng), real(rng), of(TEXTS, rng), [1, 1], [0, -1, 2]), rng)
    _any_node(model, rng).attribute.append(helper.make_attribute(name, value))


def type_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """Another type, known or not."""
    _any_tensor(model, rng).data_type = int(rng.integers(0, 28))


def shape_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """Another size of one axis, or an axis more or less."""
    dims = _any_tensor(model, rng).dims
    if dims and rng.integers(2):
        dims[int(rng.integers(len(dims)))] = whole(rng)
    elif dims and rng.integers(2):
        del dims[0]
    else:
        dims.append(whole(rng))


def reshaped_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """The same numbers, under another shape that fits."""
    tensor = _any_tensor(model, rng)
    size = min(prod(tensor.dims), (1 << 63) - 1)
    del tensor.dims[:]
    tensor.dims.extend(of(([size], [1, size], [size, 1], [1, 1, size], [size, 1, 1, 1]), rng))


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
        data[first : first + 4] = _single(rng).tobytes()[: len(data) - first]
    tensor.raw_data = bytes(data)


def place_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """Elsewhere, where nothing is."""
    tensor = _any_tensor(model, rng)
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key in ("location", "offset", "length", "what")[: int(rng.integers(5))]:
        value = of(("weights.bin", "../x", "/dev/zero", "-1", "9" * 30, "\0"), rng)
        tensor.external_data.add(key=key, value=value)


def numbers_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """Other numbers, as many and of the same type: extremes, or all of another size."""
    found = _readable(model, rng)
    if found is None or found[1].dtype.kind not in "iuf" or not found[1].size:
        return
    tensor, values = found
    values = values.copy()
    with np.errstate(all="ignore"):
        if rng.integers(2):
            values.flat[int(rng.integers(values.size))] = np.array(real(rng)).astype(values.dtype)
        else:
            values = (values * real(rng)).astype(values.dtype)
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def cast_of_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """The same numbers in another type, as an exporter would write them."""
    found = _readable(model, rng)
    if found is None or found[1].dtype.kind not in "iufb":
        return
    tensor, values = found
    types = ("f2", "f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "?", "c8", "U")
    with np.errstate(all="ignore"):
        cast = values.astype(of(types, rng))
    if cast.dtype.kind == "U":
        cast = cast.astype(object)
    tensor.CopyFrom(numpy_helper.from_array(cast, tensor.name))


def sparse_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """A tensor of which only some numbers are stored."""
    tensor = _any_tensor(model, rng)
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(tensor)
    sparse.dims.extend([whole(rng), *tensor.dims])
    model.graph.initializer.remove(tensor)


def second_tensor(model: onnx.ModelProto, rng: Rng) -> None:
    """One more of a name that is taken."""
    copy = model.graph.initializer.add()
    copy.CopyFrom(_any_tensor(model, rng))
    copy.name = of(_names(model), rng) or copy.name


def _readable(model: onnx.ModelProto, rng: Rng) -> tuple[onnx.TensorProto, np.ndarray] | None:
    tensor = _any_tensor(model, rng)
    try:
        return tensor, numpy_helper.to_array(tensor)
    except Exception:  # another mutation was here before
        return None


def _single(rng: Rng) -> np.float32:
    with np.errstate(all="ignore"):
        return np.float32(real(rng))


def input_of_node(model: onnx.ModelProto, rng: Rng) -> None:
    """Another source, one more or one less."""
    node, form = _any_node(model, rng), rng.integers(3)
    stored = [each.name for each in model.graph.initializer]
    name = of([*_names(model), *stored], rng)
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
        node.output[0] = of(_names(model), rng)
    elif rng.integers(2):
        node.output.append("more")
    else:
        del node.output[:]


def kind_of_node(model: onnx.ModelProto, rng: Rng) -> None:
    """Another operator, or another domain."""
    node = _any_node(model, rng)
    if rng.integers(3):
        node.op_type = of([*KINDS, *(each.op_type for each in model.graph.node)], rng)
    else:
        node.domain = of(("", "ai.onnx", "com.microsoft", "local", QONNX, "my.lab"), rng)


def order_of_nodes(model: onnx.ModelProto, rng: Rng) -> None:
    """A node twice, gone, or elsewhere."""
    nodes = [*model.graph.node]
    node = of(nodes, rng) if nodes else onnx.NodeProto()
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
    _any_node(model, rng).name = of(names, rng)


def input_of_graph(model: onnx.ModelProto, rng: Rng) -> None:
    """Another type, shape or name."""
    if not model.graph.input:
        return
    value, form = model.graph.input[0], rng.integers(4)
    dims = value.type.tensor_type.shape.dim
    if form == 0:
        value.type.tensor_type.elem_type = int(rng.integers(0, 28))
    elif form == 1 and dims:
        dims[int(rng.integers(len(dims)))].dim_value = whole(rng)
    elif form == 2:
        value.ClearField("type")
    else:
        value.name = of(_names(model), rng)


def output_of_graph(model: onnx.ModelProto, rng: Rng) -> None:
    """Something else is asked for."""
    if model.graph.output:
        model.graph.output[0].name = of(_names(model), rng)


def opset(model: onnx.ModelProto, rng: Rng) -> None:
    """Another version."""
    for each in model.opset_import:
        each.version = of((*range(1, 26), whole(rng)), rng)


def node_between(model: onnx.ModelProto, rng: Rng) -> None:
    """A sound operator between two nodes, where it may not make sense."""
    node = _any_node(model, rng)
    if not node.input:
        return
    kind = of(BETWEEN, rng)
    name = f"between{len(model.graph.node)}"
    added = helper.make_node(kind, [node.input[0]], [name], name=name)
    if kind == "Transpose":
        axes = [int(each) for each in rng.permutation(int(rng.integers(1, 5)))]
        added.attribute.append(helper.make_attribute("perm", axes))
    node.input[0] = name
    place = next((i for i, each in enumerate(model.graph.node) if name in each.input), 0)
    nodes = [*model.graph.node[:place], added, *model.graph.node[place:]]
    kept = [each.SerializeToString() for each in nodes]
    del model.graph.node[:]
    model.graph.node.extend(map(onnx.NodeProto.FromString, kept))


def branch(model: onnx.ModelProto, rng: Rng) -> None:
    """A node with graphs inside."""
    inner = onnx.GraphProto()
    inner.CopyFrom(model.graph)
    node = _any_node(model, rng)
    node.op_type = of(("If", "Loop", "Scan", "SequenceMap", node.op_type), rng)
    for name in ("then_branch", "else_branch", "body")[int(rng.integers(3)) :]:
        node.attribute.append(helper.make_attribute(name, inner))


def function(model: onnx.ModelProto, rng: Rng) -> None:
    """A function that calls itself, or has other inputs or nodes."""
    if not model.functions:
        return
    found, form = of(model.functions, rng), rng.integers(4)
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


BETWEEN = (
    *("Identity", "Relu", "Softmax", "Flatten", "Transpose", "Neg", "Abs", "Floor", "Sigmoid"),
    *("Dropout", "GlobalAveragePool", "Shape", "Size", "Squeeze", "Round", "Exp", "Sign", "Not"),
)
NAMES = ("axis", "axes", "pads", "strides", "group", "alpha", "to", "mode", "auto_pad", "value")
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
    numbers_of_tensor,
    cast_of_tensor,
    sparse_tensor,
    second_tensor,
    input_of_node,
    output_of_node,
    kind_of_node,
    order_of_nodes,
    name_of_node,
    input_of_graph,
    output_of_graph,
    opset,
    node_between,
    branch,
    function,
)
