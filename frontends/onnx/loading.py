"""From a file to a graph that ends in logits; nothing here knows what an operator means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.files import regular_bytes
from snnc.compiler.operators import Shape
from snnc.frontends.onnx.arrays import load_external
from snnc.frontends.onnx.functions import without_functions
from snnc.frontends.onnx.limits import FILE_BYTES, NAME, NODES
from snnc.frontends.onnx.sizes import fix_sizes

EXPORT = "export it with snnc.frontends.torch.export_onnx, or torch.onnx.export"
DECISIONS = ("Softmax", "LogSoftmax", "ArgMax", "QLinearSoftmax", "Sigmoid", "QLinearSigmoid")
"""Operators behind the logits, which say the same in other words."""
TRANSPARENT = (
    *("Identity", "Cast", "QuantizeLinear", "DequantizeLinear"),
    *("Flatten", "Reshape", "Squeeze", "Transpose", "Unsqueeze"),
)
"""What may stand between them and behind them."""
QUOTED = 40
"""Letters of a name that cannot be shown whole."""


@dataclass(frozen=True, eq=False)
class Model:
    """An ONNX model, cut behind its logits."""

    proto: onnx.ModelProto
    sha256: str
    """Of the file's bytes, as they came."""
    dropped: tuple[str, ...]
    """What stood behind the logits, for a remark."""


def load_model(path: Path, input_shape: Shape = ()) -> Model:
    """Read a model, with its external data, and drop what stands behind its logits.

    Args:
        path: the file.
        input_shape: of a sample, where the file leaves it open.

    Raises:
        SnncError: if there is no such file, it is not a whole ONNX model, its data are missing, or
            it has another shape.
    """
    where = str(path)
    content = regular_bytes(path, FILE_BYTES)
    proto = _parsed(content, where)
    load_external(_tensors(proto.graph), path)
    proto = without_functions(proto, where)
    _check_graph(proto.graph, where)
    fix_sizes(proto.graph, input_shape)
    dropped = _cut_decisions(proto.graph) if len(proto.graph.output) == 1 else ()
    _drop_unused(proto.graph)
    return Model(proto, hashlib.sha256(content).hexdigest(), dropped)


def data_files(path: Path) -> list[Path]:
    """The files in which a model keeps its numbers; of a model that cannot be read none.

    They are named and not looked at: whoever reads the model says what is wrong with them.
    """
    try:
        graph = _parsed(regular_bytes(path, FILE_BYTES), str(path)).graph
    except SnncError:
        return []
    entries = (entry for each in _tensors(graph) for entry in each.external_data)
    names = dict.fromkeys(each.value for each in entries if each.key == "location")
    return [path.parent / each for each in names]


def _parsed(content: bytes, where: str) -> onnx.ModelProto:
    try:
        proto = onnx.load_model_from_string(content)
    except DecodeError:
        raise refusal(where, "is no ONNX model, or only a part of one", EXPORT) from None
    if not proto.graph.node or not proto.graph.output:
        raise refusal(where, "is no ONNX model: it holds no graph", EXPORT)
    for name in _names(proto):
        if not isinstance(name, str) or len(name) > NAME or not name.isprintable():
            what = f"holds the name {name[:QUOTED]!r}"
            raise refusal(where, f"{what}; allowed: up to {NAME} printable letters", EXPORT)
    return proto


def _names(proto: onnx.ModelProto) -> Iterator[str | bytes]:
    """Every name in a model; ONNX gives as bytes what is no text."""
    graph = proto.graph
    yield graph.name
    yield from (each.domain for each in proto.opset_import)
    nodes = [*graph.node]
    for function in proto.functions:
        yield from (function.name, function.domain, function.overload)
        yield from (*function.input, *function.output, *function.attribute)
        nodes += function.node
    for value in (*graph.input, *graph.output, *graph.initializer):
        yield value.name
    for value in graph.input:
        yield from (each.dim_param for each in value.type.tensor_type.shape.dim)
    for node in nodes:
        yield from (node.name, node.op_type, node.domain, node.overload)
        yield from (*node.input, *node.output)
        for each in node.attribute:
            yield from (each.name, each.ref_attr_name, each.t.name)
    for tensor in _tensors(graph):
        yield from (text for each in tensor.external_data for text in (each.key, each.value))


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """The initializers, and what the attributes hold."""
    yield from graph.initializer
    for node in graph.node:
        for each in node.attribute:
            if each.type == onnx.AttributeProto.TENSOR:
                yield each.t


def _check_graph(graph: onnx.GraphProto, where: str) -> None:
    """Few enough nodes, no value that is written twice, and none that needs itself.

    Raises:
        SnncError: for the first of these.
    """
    if len(graph.node) > NODES:
        what = f"has {len(graph.node)} nodes; allowed: {NODES}"
        raise refusal(where, what, "use a smaller model")
    known = {each.name for each in graph.initializer}
    known.update(each.name for each in graph.input)
    for node in graph.node:
        for name in filter(None, node.output):
            if name in known:
                what = f"writes {name!r}, which is there before it; allowed: a name of its own"
                raise refusal(name_of(node), what, EXPORT)
            known.add(name)


def name_of(node: onnx.NodeProto) -> str:
    """The name by which the user knows a node."""
    return node.name or f"{node.op_type} {next(iter(node.output), '')}".strip()


def _cut_decisions(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Let the graph end where its logits are; the names of what follows them."""
    producers = {name: node for node in graph.node for name in node.output if name}
    dropped: list[str] = []
    output, seen = graph.output[0], set[str]()
    logits = reached = output.name
    while (node := producers.get(reached)) and node.op_type in (*DECISIONS, *TRANSPARENT):
        if reached in seen:
            what = "stands in a cycle: it needs its own result"
            raise refusal(name_of(node), f"{node.op_type} {what}", EXPORT)
        seen.add(reached)
        reached = next(iter(node.input), "")
        if node.op_type in DECISIONS and reached:
            dropped.append(f"{node.op_type} {node.name or node.output[0]}")
            logits = reached
    last = producers.get(logits)
    if last and last.op_type == "Transpose" and _puts_channels_last(last):
        logits = next(iter(last.input), logits)
        dropped.append(f"{last.op_type} {name_of(last)}")
    if dropped:
        output.name = logits
        output.ClearField("type")  # logits of a quantised model may be whole numbers
    return tuple(dropped)


def _puts_channels_last(node: onnx.NodeProto) -> bool:
    """Whether a transpose shows logits in many places with their channels last."""
    perm = next(([*each.ints] for each in node.attribute if each.name == "perm"), [])
    return len(perm) > 2 and perm == [0, *range(2, len(perm)), 1]


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Keep the nodes that an output needs."""
    needed = {each.name for each in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
