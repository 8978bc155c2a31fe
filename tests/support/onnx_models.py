"""Small ONNX models for the tests, written node by node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from snnc.compiler.operators import Floats


class Graph:
    """Grows by one node at a time; `last` is the tensor that the next node reads."""

    def __init__(self, *shape: int | str, seed: int = 0) -> None:
        self.shape = shape
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.last = "x"

    def constant(self, value: Any, name: str = "") -> str:
        """An initializer; floats as float32."""
        array = np.asarray(value)
        array = array.astype(np.float32) if array.dtype.kind == "f" else array
        name = name or f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def node(self, kind: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """A node that reads `last`, unless it is told what to read."""
        output = name or f"{kind.lower()}{len(self.nodes)}"
        reads = list(inputs) or [self.last]
        self.nodes.append(helper.make_node(kind, reads, [output], name=output, **attributes))
        self.last = output
        return output

    def with_constants(self, kind: str, *values: Any, name: str = "", **attributes: Any) -> str:
        """A node that reads `last` and constants."""
        return self.node(kind, self.last, *map(self.constant, values), name=name, **attributes)

    def conv(self, out: int, width: int, *kernel: int, name: str = "", **attributes: Any) -> str:
        """A convolution with random weights of a sensible size."""
        weights = self.rng.normal(size=(out, width, *kernel)) / np.sqrt(width * np.prod(kernel))
        return self.with_constants(
            "Conv", weights, self.rng.normal(size=out) / 4, name=name, **attributes
        )

    def dense(self, out: int, features: int, name: str = "") -> str:
        """A matrix with random weights."""
        weights = self.rng.normal(size=(out, features)) / np.sqrt(features)
        return self.with_constants(
            "Gemm", weights, self.rng.normal(size=out) / 4, name=name, transB=1
        )

    def batch_norm(self, channels: int) -> str:
        """A norm whose channels differ, some with a negative scale."""
        numbers = [self.rng.normal(size=channels), *self.rng.uniform(0.5, 1.5, (3, channels))]
        return self.with_constants("BatchNormalization", *numbers)

    def qcfs(self, levels: int, threshold: float = 2.0, offset: float = 0.0, name: str = "") -> str:
        """λ/L·clip(⌊x·L/λ + ½⌋, 0, L) + offset, floor before clip."""
        self.with_constants("Div", threshold)
        self.with_constants("Mul", float(levels))
        self.with_constants("Add", 0.5)
        self.node("Floor")
        self.with_constants("Clip", 0.0, float(levels))
        self.with_constants("Mul", threshold / levels, name="" if offset else name)
        return self.with_constants("Add", offset, name=name) if offset else self.last

    def model(self, opset: int = 17, outputs: Sequence[str] = ()) -> onnx.ModelProto:
        """The model so far; it reads x and gives `last`."""
        source = helper.make_tensor_value_info("x", TensorProto.FLOAT, self.shape)
        results = [helper.make_empty_tensor_value_info(n) for n in outputs or [self.last]]
        for each in results:
            each.type.CopyFrom(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
        graph = helper.make_graph(self.nodes, "g", [source], results, self.weights)
        opsets = [helper.make_opsetid("", opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def save(self, folder: Path, name: str = "model.onnx", **options: Any) -> Path:
        """The model as a file."""
        path = folder / name
        onnx.save(self.model(**options), path)
        return path


def run_onnx(model: onnx.ModelProto, x: Floats) -> Floats:
    """What ONNX Runtime gives."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return np.asarray(session.run(None, {"x": x.astype(np.float32)})[0], np.float64)


def chains() -> st.SearchStrategy[Graph]:
    """Random chains of what this compiler composes, each ending in logits."""
    return st.integers(0, 2**32 - 1).map(random_chain)


def random_chain(seed: int) -> Graph:
    """Two to four layers: convolutions of all kinds, norms, pools, offsets, T from 1 to 5."""
    graph = Graph("batch", 2, 9, 8, seed=seed)
    draw = graph.rng.integers
    channels, size = 2, np.array([9, 8])
    for _ in range(draw(1, 4)):
        depthwise, stride, kernel = bool(draw(2)), int(draw(1, 3)), int(draw(1, 4))
        out = channels * int(draw(1, 3)) if depthwise else int(draw(2, 6))
        groups = channels if depthwise else 1
        pads = [int(each) for each in draw(0, 2, 4)]
        after = (size + np.add(pads[:2], pads[2:]) - kernel) // stride + 1
        if min(after) < 2:
            break
        graph.conv(
            out, channels // groups, kernel, kernel, group=groups, pads=pads, strides=[stride] * 2
        )
        channels, size = out, after
        if draw(2):
            graph.batch_norm(channels)
        graph.qcfs(int(draw(1, 32)), float(graph.rng.uniform(0.5, 3)), float(draw(2)) * 0.3)
        if draw(2) and min(size) >= 4:
            graph.node("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
            size = size // 2
    graph.node("Flatten")
    graph.dense(5, channels * int(np.prod(size)))
    return graph


def graphs() -> st.SearchStrategy[Graph]:
    """Random networks with branches, each ending in logits."""
    return st.integers(0, 2**32 - 1).map(random_graph)


def random_graph(seed: int) -> Graph:
    """Three blocks: residual with and without a projection, concatenating, or pooling."""
    graph = Graph("batch", 2, 8, 8, seed=seed)
    draw = graph.rng.integers
    channels, size = 4, 8
    graph.conv(channels, 2, 3, 3, pads=[1] * 4)
    graph.qcfs(int(draw(1, 16)))
    for _ in range(3):
        kind = draw(4)
        if kind == 0:
            channels = _concatenating(graph, channels)
        elif kind == 1 and size >= 4:
            size = _pooling(graph, channels, size)
        else:
            stride = 2 if kind == 2 and size >= 4 else 1
            channels, size = _residual(graph, channels, size, stride)
    if draw(2):
        graph.node("GlobalAveragePool")
        size = 1
    graph.node("Flatten")
    graph.dense(5, channels * size * size)
    return graph


def _residual(graph: Graph, channels: int, size: int, stride: int) -> tuple[int, int]:
    """Two convolutions beside the identity, or beside a strided 1x1 convolution."""
    start, out = graph.last, channels if stride == 1 else channels + 2
    graph.conv(out, channels, 3, 3, pads=[1] * 4, strides=[stride] * 2)
    graph.qcfs(int(graph.rng.integers(1, 16)))
    graph.conv(out, out, 3, 3, pads=[1] * 4)
    main = graph.last
    if stride > 1:
        graph.last = start
        graph.conv(out, channels, 1, 1, strides=[stride] * 2)
        start = graph.last
    graph.node("Add", main, start)
    if graph.rng.integers(4):
        graph.qcfs(int(graph.rng.integers(1, 16)), 3.0)
    return out, -(-size // stride)


def _concatenating(graph: Graph, channels: int) -> int:
    """Two activated branches and their source, side by side; sometimes normalised after."""
    start, ends = graph.last, []
    for kernel in (1, 3):
        graph.last = start
        graph.conv(3, channels, kernel, kernel, pads=[kernel // 2] * 4)
        graph.qcfs(int(graph.rng.integers(1, 16)))
        ends.append(graph.last)
    graph.node("Concat", start, *ends, axis=1)
    if graph.rng.integers(2):
        graph.batch_norm(channels + 6)
        graph.qcfs(7)
    return channels + 6


def _pooling(graph: Graph, channels: int, size: int) -> int:
    """A convolution, and a max pool before or after its activation."""
    graph.conv(channels, channels, 3, 3, pads=[1] * 4)
    after = bool(graph.rng.integers(2))
    if after:
        graph.qcfs(int(graph.rng.integers(1, 16)))
    kernel = int(graph.rng.integers(2, 4))
    graph.node("MaxPool", kernel_shape=[kernel] * 2, strides=[2, 2], pads=[kernel // 3] * 4)
    if not after:
        graph.qcfs(int(graph.rng.integers(1, 16)))
    return (size + 2 * (kernel // 3) - kernel) // 2 + 1
