"""The network IR as an ONNX graph of floats: what ONNX Runtime evaluates in batches.

In float32 for speed, in float64 for laws. An operator is a function here, registered by its class:
it adds ONNX nodes that read the sources, the last of them under the name it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from snnc.backends.onnx.float_graph import FloatGraph
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import (
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Clip,
    Conv,
    Curve,
    Floor,
    Function,
    MatMul,
    Maximum,
    MaxPool,
    Pad,
    Product,
    Reshape,
    Round,
    Select,
    Spread,
    Staircase,
    Tile,
    Transpose,
    per_channel,
)

Writer: TypeAlias = Callable[..., object]
AnyWriter = TypeVar("AnyWriter", bound=Writer)
WRITERS: dict[type, Writer] = {}


def float_model(
    network: Network,
    outputs: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    dtype: npt.DTypeLike = np.float32,
) -> onnx.ModelProto:
    """Build the graph from some nodes to others, all under their own names, (images, *shape).

    Args:
        network: any stage of the network IR.
        outputs: the nodes to compute.
        inputs: the nodes that are given instead of computed; the network's input if none is named.
        dtype: float32 or float64.
    """
    given = tuple(inputs) or (network.input.name,)
    graph = FloatGraph(network, np.dtype(dtype))
    for node in _between(network, given, outputs):
        WRITERS[type(node.operator)](graph, node.name, node.operator, *node.sources)
    return graph.model(given, tuple(outputs))


def _between(network: Network, inputs: Sequence[str], outputs: Sequence[str]) -> list[Node]:
    """What the outputs need beyond the inputs, in order."""
    needed, found = set(outputs), list[Node]()
    for node in reversed(network.nodes):
        if node.name in needed and node.name not in inputs:
            needed.update(node.sources)
            found.append(node)
    return found[::-1]


def writes(kind: type) -> Callable[[AnyWriter], AnyWriter]:
    """Register how an operator is written."""

    def register(writer: AnyWriter) -> AnyWriter:
        WRITERS[kind] = writer
        return writer

    return register


@writes(Conv)
def _conv(graph: FloatGraph, name: str, operator: Conv, source: str) -> None:
    _convolve(graph, name, operator, source)


def _convolve(graph: FloatGraph, name: str, operator: Conv, source: str) -> str:
    """ONNX Runtime convolves float32 alone; a bias goes along if it is one for each channel."""
    if graph.dtype == np.float32 and operator.bias.ndim == 1:
        return _native(graph, name, operator, source, graph.floats(operator.bias))
    convolution = _native if graph.dtype == np.float32 else _gathered
    bias = per_channel(operator.bias, len(graph.shapes[source]))
    return graph.add("Add", convolution(graph, "", operator, source), graph.floats(bias), name=name)


def _native(graph: FloatGraph, name: str, operator: Conv, source: str, *bias: str) -> str:
    """ONNX's own convolution, which cannot crop."""
    pads = operator.pads
    if min(pads) < 0:
        source, pads = graph.pad(source, pads), (0,) * len(pads)
    return graph.add(
        "Conv",
        source,
        graph.floats(operator.weights),
        *bias,
        name=name,
        strides=operator.strides,
        pads=pads,
        dilations=operator.dilations,
        group=operator.groups,
    )


def _gathered(graph: FloatGraph, name: str, operator: Conv, source: str) -> str:
    """Every window as a column, times the weights as rows."""
    channels, *space = graph.shapes[source]
    out, groups = operator.weights.shape[0], operator.groups
    padded = [size + sum(border) for size, border in zip(space, operator.borders, strict=True)]
    positions = np.arange(np.prod(padded)).astype(np.float64).reshape(1, 1, *padded)
    taps = operator.windows(positions).reshape(-1, np.prod(operator.kernel)).T
    flat = graph.reshape(graph.pad(source, operator.pads), (groups, channels // groups, -1))
    windows = graph.add("Gather", flat, graph.whole(taps), axis=3)
    columns = graph.reshape(windows, (groups, channels // groups * len(taps), taps.shape[1]))
    rows = graph.floats(operator.weights.reshape(groups, out // groups, -1))
    sums = graph.add("MatMul", rows, columns)
    return graph.reshape(sums, operator.shape_of(graph.shapes[source]), name)


@writes(MatMul)
def _matmul(graph: FloatGraph, name: str, operator: MatMul, source: str) -> None:
    shape = graph.shapes[name]
    bias = np.broadcast_to(per_channel(operator.bias, len(shape)), shape).reshape(-1)
    constants = map(graph.floats, (operator.weights, bias))
    sums = graph.add("Gemm", graph.add("Flatten", source), *constants, transB=1)
    graph.reshape(sums, shape, name)


@writes(AveragePool)
def _average_pool(graph: FloatGraph, name: str, operator: AveragePool, source: str) -> None:
    """The sum and the share of each window, as the operator defines itself."""
    shape = graph.shapes[source]
    sums = _convolve(graph, "", operator.as_sum(shape[0]), source)
    graph.add("Mul", sums, graph.floats(operator.share(shape)), name=name)


@writes(Pad)
def _pad(graph: FloatGraph, name: str, operator: Pad, source: str) -> None:
    graph.pad(source, operator.pads, operator.value, name)


@writes(MaxPool)
def _max_pool(graph: FloatGraph, name: str, operator: MaxPool, source: str) -> None:
    graph.add(
        "MaxPool",
        source,
        name=name,
        kernel_shape=operator.kernel,
        strides=operator.strides,
        pads=operator.pads,
        dilations=operator.dilations,
    )


@writes(Select)
def _select(graph: FloatGraph, name: str, operator: Select, source: str) -> None:
    """What is chosen, from a source that has one more channel of zeros behind its own."""
    count, *space = graph.shapes[source]
    if len(operator.kept) < len(operator.channels):
        none = (0,) * len(space)
        source = graph.add("Pad", source, graph.whole((0, 0, *none, 0, 1, *none)))
    graph.add("Gather", source, graph.whole(operator.channels % (count + 1)), name=name, axis=1)


@writes(Spread)
def _spread(graph: FloatGraph, name: str, operator: Spread, source: str) -> None:
    """Each pixel gets an axis of its own, which is filled up with zeros."""
    channels, *space = graph.shapes[source]
    axes = list(zip(space, operator.strides, strict=True))
    single = graph.reshape(source, (channels, *(n for size in space for n in (size, 1))))
    more = (after for _, stride in axes for after in (0, stride - 1))
    filled = graph.add("Pad", single, graph.whole((0,) * (4 + 2 * len(axes)) + (*more,)))
    wide = graph.reshape(filled, (channels, *(size * stride for size, stride in axes)))
    crop = (*(0,) * len(axes), *(1 - stride for stride in operator.strides))
    graph.pad(wide, crop, name=name)


@writes(Tile)
def _tile(graph: FloatGraph, name: str, operator: Tile, source: str) -> None:
    graph.add("Tile", source, graph.whole((1, *operator.repeats)), name=name)


@writes(Transpose)
def _transpose(graph: FloatGraph, name: str, operator: Transpose, source: str) -> None:
    graph.add("Transpose", source, name=name, perm=(0, *(axis + 1 for axis in operator.axes)))


@writes(Reshape)
def _reshape(graph: FloatGraph, name: str, operator: Reshape, source: str) -> None:
    graph.reshape(source, operator.shape, name)


@writes(Affine)
def _affine(graph: FloatGraph, name: str, operator: Affine, source: str) -> None:
    scaled = graph.add("Mul", source, graph.floats(operator.scale))
    graph.add("Add", scaled, graph.floats(operator.offset), name=name)


@writes(BatchNorm)
def _batch_norm(graph: FloatGraph, name: str, operator: BatchNorm, source: str) -> None:
    _affine(graph, name, operator.as_affine(len(graph.shapes[name])), source)


@writes(Add)
def _add(graph: FloatGraph, name: str, operator: Add, *sources: str) -> None:
    graph.add("Sum", *sources, name=name)


@writes(Clip)
def _clip(graph: FloatGraph, name: str, operator: Clip, source: str) -> None:
    """ONNX's Clip takes scalars alone; they run as part of the convolution before."""
    if operator.low.size == operator.high.size == 1:
        graph.clip(source, operator.low.item(), operator.high.item(), name)
    else:
        raised = graph.add("Max", source, graph.floats(operator.low))
        graph.add("Min", raised, graph.floats(operator.high), name=name)


@writes(Floor)
def _floor(graph: FloatGraph, name: str, operator: Floor, source: str) -> None:
    graph.add("Floor", source, name=name)


@writes(Round)
def _round(graph: FloatGraph, name: str, operator: Round, source: str) -> None:
    graph.add("Round", source, name=name)


@writes(Staircase)
def _staircase(graph: FloatGraph, name: str, operator: Staircase, source: str) -> None:
    if operator.shift.any():
        source = graph.add("Add", source, graph.floats(operator.shift))
    if operator.thresholds is None:
        graph.clip(graph.add("Floor", source), 0, operator.levels, name)
        return
    floats = helper.np_dtype_to_tensor_dtype(graph.dtype)
    reached = [
        graph.add("Cast", graph.add("GreaterOrEqual", source, graph.floats(each)), to=floats)
        for each in operator.thresholds
    ]
    graph.add("Sum", *reached, name=name)


FUNCTIONS = {
    "erf": "Erf",
    "exp": "Exp",
    "log": "Log",
    "reciprocal": "Reciprocal",
    "sigmoid": "Sigmoid",
    "sqrt": "Sqrt",
    "tanh": "Tanh",
}
"""ONNX's names for them."""


@writes(Function)
def _function(graph: FloatGraph, name: str, operator: Function, source: str) -> None:
    floats = helper.np_dtype_to_tensor_dtype(graph.dtype)
    if operator.kind == "step":
        above = graph.add("Greater", source, graph.floats(0.0))
        graph.add("Cast", above, name=name, to=floats)
    elif operator.kind == "erf":  # ONNX Runtime has it in float32 alone
        narrow = graph.add("Cast", source, to=onnx.TensorProto.FLOAT)
        graph.add("Cast", graph.add("Erf", narrow), name=name, to=floats)
    elif operator.kind == "softplus":  # and this one too: relu(x) + log(1 + e^−|x|)
        small = graph.add("Exp", graph.add("Neg", graph.add("Abs", source)))
        rest = graph.add("Log", graph.add("Add", small, graph.floats(1.0)))
        graph.add("Add", graph.add("Relu", source), rest, name=name)
    else:
        graph.add(FUNCTIONS[operator.kind], source, name=name)


@writes(Product)
def _product(graph: FloatGraph, name: str, operator: Product, *sources: str) -> None:
    first, *others = sources
    for each in others[:-1]:
        first = graph.add("Mul", first, each)
    graph.add("Mul", first, others[-1], name=name)


@writes(Maximum)
def _maximum(graph: FloatGraph, name: str, operator: Maximum, *sources: str) -> None:
    graph.add("Max", *sources, name=name)


@writes(Curve)
def _curve(graph: FloatGraph, name: str, operator: Curve, source: str) -> None:
    """Step by step, each under a name of its own."""
    values = [source]
    for index, (step, reads) in enumerate(operator.steps, 1):
        values.append(name if index == len(operator.steps) else graph.unique(f"{name}:step"))
        WRITERS[type(step)](graph, values[-1], step, *(values[each] for each in reads))
