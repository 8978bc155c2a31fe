"""From a file to a graph that ends in logits; nothing here knows what an operator means."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import inliner

from snnc.compiler.errors import refusal

EXPORT = "export it with snnc.frontends.torch.export_onnx, or torch.onnx.export"
DECISIONS = ("Softmax", "LogSoftmax", "ArgMax", "QLinearSoftmax")
"""Operators behind the logits, which say the same in other words."""
TRANSPARENT = ("Identity", "QuantizeLinear", "DequantizeLinear")
"""What may stand between them and behind them."""


@dataclass(frozen=True, eq=False)
class Model:
    """An ONNX model, cut behind its logits."""

    proto: onnx.ModelProto
    sha256: str
    """Of the file's bytes, as they came."""
    dropped: tuple[str, ...]
    """What stood behind the logits, for a remark."""


def load_model(path: Path) -> Model:
    """Read a model, with its external data, and drop what stands behind its logits.

    Raises:
        SnncError: if there is no such file, it is not a whole ONNX model, or its data are missing.
    """
    where = str(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise refusal(where, f"cannot be read: {error.strerror}", "check the path") from None
    proto = _parsed(content, where)
    try:
        onnx.load_external_data_for_model(proto, str(path.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        what = f"its weights lie in another file that cannot be read: {_first_line(error)}"
        mend = "keep the data file beside the model, or save the model as one file"
        raise refusal(where, what, mend) from None
    if proto.functions:
        proto = inliner.inline_local_functions(proto)
    dropped = _cut_decisions(proto.graph) if len(proto.graph.output) == 1 else ()
    _drop_unused(proto.graph)
    return Model(proto, hashlib.sha256(content).hexdigest(), dropped)


def _parsed(content: bytes, where: str) -> onnx.ModelProto:
    try:
        proto = onnx.load_model_from_string(content)
    except DecodeError:
        raise refusal(where, "is no ONNX model, or only a part of one", EXPORT) from None
    if not proto.graph.node or not proto.graph.output:
        raise refusal(where, "is no ONNX model: it holds no graph", EXPORT)
    return proto


def _cut_decisions(graph: onnx.GraphProto) -> tuple[str, ...]:
    """Let the graph end where its logits are; the names of what follows them."""
    producers = {name: node for node in graph.node for name in node.output}
    dropped: list[str] = []
    output = graph.output[0]
    node = producers.get(output.name)
    while node and node.op_type in (*DECISIONS, *TRANSPARENT):
        if node.op_type in DECISIONS:
            dropped.append(f"{node.op_type} {node.name or node.output[0]}".strip())
            output.name = node.input[0]
        node = producers.get(node.input[0])
    if dropped:
        output.ClearField("type")  # logits of a quantised model may be whole numbers
    return tuple(dropped)


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


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
