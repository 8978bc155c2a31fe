"""Quantised models: ONNX Runtime, and the text of QONNX, say what they mean."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from support.onnx_models import Graph

import snnc
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import Firing
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Floats, MatMul, Staircase
from snnc.compiler.passes.fold_batch_norms import fold_batch_norms
from snnc.compiler.passes.recognize_staircases import recognize_staircases
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model, read_onnx

Build = Callable[[Graph], object]
U8, S8 = QuantType.QUInt8, QuantType.QInt8
IMAGE, PLANE, FLAT = (2, 8, 8), (4, 7, 6), (12,)
LEVEL = 0.0723
"""The scale of the results of single operators."""
THREE = np.int8(3)


def as_network(model: onnx.ModelProto) -> Network:
    return read_model(Model(model, "", ()))


def values(network: Network, x: Floats) -> Floats:
    return evaluate(network, x.astype(np.float64))[network.output.name]


def run(model: onnx.ModelProto, x: Floats) -> Floats:
    """What ONNX Runtime gives, when it fuses nothing."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return np.asarray(session.run(None, {"x": x})[0], np.float64)


def assert_same(found: Floats, expected: Floats, level: float) -> None:
    """Equal, but for one value in fifty that lies on a tie and so may be one level away."""
    gaps = np.abs(found - expected)
    assert np.mean(gaps > 1e-5 * np.abs(expected).max()) < 0.02
    assert gaps.max() < 1.001 * level


class Images(CalibrationDataReader):
    """What the quantiser is calibrated with."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        rng = np.random.default_rng(0)
        self.batches = iter([{"x": rng.uniform(size=(8, *shape)).astype(np.float32)}] * 2)

    def get_next(self) -> Any:
        return next(self.batches, None)


def quantized(graph: Graph, path: Path, form: QuantFormat, **options: Any) -> onnx.ModelProto:
    """What ONNX Runtime makes of a graph; sums of weights of seven bits wrap on no processor."""
    settings = {"quant_format": form, "reduce_range": True, **options}
    quantize_static(graph.model(), str(path), Images(graph.shape[1:]), **settings)
    return onnx.load(path)


def relu_net() -> Graph:
    """What people quantise: convolutions, a pool and a matrix."""
    graph = Graph("batch", *IMAGE)
    graph.conv(4, 2, 3, 3, name="conv1", pads=[1] * 4)
    graph.node("Relu")
    graph.conv(6, 4, 3, 3, name="conv2", strides=[2, 2])
    graph.node("Relu")
    graph.node("GlobalAveragePool")
    graph.node("Flatten")
    graph.dense(5, 6, name="fc")
    return graph


def initializer(model: onnx.ModelProto, name: str) -> Any:
    (found,) = (each for each in model.graph.initializer if each.name == name)
    return onnx.numpy_helper.to_array(found)


@pytest.mark.parametrize("by_channel", [False, True])
@pytest.mark.parametrize(("activations", "weights"), [(U8, U8), (U8, S8), (S8, S8)])
@pytest.mark.parametrize("form", QuantFormat)
def test_a_quantised_model_gives_what_onnx_runtime_gives_and_compiles(
    tmp_path: Path, form: QuantFormat, activations: QuantType, weights: QuantType, by_channel: bool
) -> None:
    types = {"activation_type": activations, "weight_type": weights, "per_channel": by_channel}
    model = quantized(relu_net(), tmp_path / "net.onnx", form, **types)
    x = np.random.default_rng(1).uniform(size=(64, *IMAGE)).astype(np.float32)
    network = as_network(model)
    level = float(initializer(model, "fc_scale"))
    assert_same(values(network, x), run(model, x), level)
    staircases = recognize_staircases(fold_batch_norms(network))
    assert_same(values(staircases, x), values(network, x), level)
    compiled = snnc.compile(tmp_path / "net.onnx").network
    assert {p.neuron.turn for p in compiled if isinstance(p.neuron, Firing)} == {8}


@pytest.mark.parametrize("form", QuantFormat)
def test_quantising_again_on_the_same_grid_changes_nothing(
    tmp_path: Path, form: QuantFormat
) -> None:
    types = {"activation_type": S8, "weight_type": S8}
    symmetric = {"ActivationSymmetric": True}
    model = quantized(relu_net(), tmp_path / "net.onnx", form, **types, extra_options=symmetric)
    assert model.graph.node[-1].op_type == "DequantizeLinear"
    network = recognize_staircases(as_network(model))
    levels = [n.operator.levels for n in network if isinstance(n.operator, Staircase)]
    assert 127 in levels  # of −128..127, its ReLU leaves 0..127


@pytest.mark.parametrize("form", QuantFormat)
def test_a_decision_is_dropped_with_its_quantisation(tmp_path: Path, form: QuantFormat) -> None:
    graph = Graph("batch", *FLAT)
    graph.dense(3, 12, name="fc")
    graph.node("Softmax", name="decision")
    quantized(graph, tmp_path / "net.onnx", form)
    network, model = read_onnx(tmp_path / "net.onnx")
    assert "Softmax decision" in network.remarks[0]
    x = graph.rng.uniform(size=(20, 12)).astype(np.float32)
    np.testing.assert_array_equal(values(network, x).argmax(1), run(model.proto, x).argmax(1))


def on_grid(graph: Graph, scale: Any, zero_point: Any = None, **attributes: Any) -> str:
    """Quantised, and real again."""
    constants = [scale] if zero_point is None else [scale, zero_point]
    graph.with_constants("QuantizeLinear", *constants, **attributes)
    attributes.pop("output_dtype", None)
    return graph.with_constants("DequantizeLinear", *constants, **attributes)


def operands(graph: Graph, *sources: str) -> list[str]:
    """Each source as whole numbers, its scale and its zero point: what a QOperator reads."""
    read = []
    for index, source in enumerate(sources):
        grid = [graph.constant(0.02 + 0.01 * index), graph.constant(np.uint8(100 + index))]
        read += [graph.node("QuantizeLinear", source, *grid), *grid]
    return read


def result(graph: Graph) -> list[str]:
    """Scale and zero point of what a QOperator gives."""
    return [graph.constant(LEVEL), graph.constant(np.uint8(120))]


def whole(graph: Graph, *shape: int, scale: Any = 0.01, zero_point: Any = THREE) -> list[str]:
    """Constant whole numbers, their scale and their zero point."""
    numbers = graph.rng.integers(-20, 20, shape).astype(zero_point.dtype)
    return [graph.constant(each) for each in (numbers, scale, zero_point)]


def operator(graph: Graph, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
    """A QOperator whose result becomes real again."""
    grid = result(graph)
    last = graph.node(kind, *inputs, *grid, domain=domain, **attributes)
    return graph.node("DequantizeLinear", last, *grid)


def microsoft(graph: Graph, kind: str, *inputs: str, **attributes: Any) -> str:
    return operator(graph, kind, *inputs, domain="com.microsoft", **attributes)


def qlinear_conv(graph: Graph, *, by_channel: bool) -> None:
    scale, zero = (np.full(6, 0.01), np.zeros(6, np.int8)) if by_channel else (0.01, np.int8(3))
    scale = scale * np.arange(1, 7) if by_channel else scale
    source, weights = operands(graph, "x"), whole(graph, 6, 2, 3, 3, scale=scale, zero_point=zero)
    grid = result(graph)
    bias = graph.constant(graph.rng.integers(-5000, 5000, 6).astype(np.int32))
    where = {"group": 2, "pads": [1, 0, 2, 1], "strides": [2, 1]}
    graph.node("QLinearConv", *source, *weights, *grid, bias, **where)
    graph.node("DequantizeLinear", graph.last, *grid)


def qgemm(graph: Graph, *, transposed: bool, rounded: bool = True) -> None:
    shape, columns = ((5, 12), 5) if transposed else ((12, 5), 5)
    scales = np.arange(1, columns + 1) / 100
    zeros = np.zeros(columns, np.int8)
    inputs = [*operands(graph, "x"), *whole(graph, *shape, scale=scales, zero_point=zeros)]
    bias = graph.constant(graph.rng.integers(-900, 900, 5).astype(np.int32))
    attributes = {"transB": int(transposed), "alpha": 0.7, "domain": "com.microsoft"}
    if rounded:
        operator(graph, "QGemm", *inputs, bias, **attributes)
    else:
        graph.node("QGemm", *inputs, bias, **attributes)


def integer(graph: Graph, kind: str, weights: Any, zero_points: Any) -> None:
    source, _, zero = operands(graph, "x")
    graph.node(kind, source, graph.constant(weights), zero, graph.constant(zero_points))
    graph.node("Cast", to=TensorProto.FLOAT)


def concat(graph: Graph, *sources: str) -> None:
    """Whose result comes first, for there may be any number of sources."""
    grid = result(graph)
    inputs = [*grid, *operands(graph, *sources)]
    last = graph.node("QLinearConcat", *inputs, domain="com.microsoft", axis=1)
    graph.node("DequantizeLinear", last, *grid)


def scaled_weights(graph: Graph) -> None:
    """Float32 that meets dequantised constants: ONNX allows one precision."""
    weights = graph.node("DequantizeLinear", *whole(graph, 5, 12))
    weights = graph.node("Transpose", weights)
    graph.node("MatMul", "x", graph.node("Mul", weights, graph.constant(0.5)))


def quantised_weights(graph: Graph) -> None:
    """Float weights with both nodes behind them, as training frameworks export them."""
    grid = [graph.constant(np.arange(1, 6) / 50), graph.constant(np.zeros(5, np.int8))]
    weights = graph.constant(graph.rng.normal(size=(12, 5)))
    weights = graph.node("QuantizeLinear", weights, *grid, axis=1)
    graph.node("MatMul", "x", graph.node("DequantizeLinear", weights, *grid, axis=1))


def seven_bits(graph: Graph) -> None:
    """PyTorch writes a narrower range as a clip of the whole numbers."""
    grid = [graph.constant(0.02), graph.constant(np.uint8(60))]
    graph.node("QuantizeLinear", "x", *grid)
    graph.with_constants("Clip", np.uint8(0), np.uint8(127))
    graph.node("DequantizeLinear", graph.last, *grid)


CHANNELS = np.arange(1, 5) / 30, np.array([0, 100, 200, 255], np.uint8)
READ: dict[str, tuple[tuple[int, ...], Build]] = {
    "uint8": (FLAT, lambda g: on_grid(g, 0.01, np.uint8(100))),
    "int8": (FLAT, lambda g: on_grid(g, 0.01, np.int8(-28))),
    "no zero point": (FLAT, lambda g: on_grid(g, 0.01)),
    "declared type": (FLAT, lambda g: on_grid(g, 0.01, output_dtype=TensorProto.INT8)),
    "by channel": (PLANE, lambda g: on_grid(g, *CHANNELS, axis=1)),
    "by channel from the end": (PLANE, lambda g: on_grid(g, *CHANNELS, axis=-3)),
    "16 bits": (FLAT, lambda g: on_grid(g, 1e-3, np.uint16(900), domain="com.microsoft")),
    "16 bits signed": (FLAT, lambda g: on_grid(g, 1e-4, np.int16(9), domain="com.microsoft")),
    "seven bits": (FLAT, seven_bits),
    "weights": (FLAT, quantised_weights),
    "weights scaled": (FLAT, scaled_weights),
    "bias": (
        FLAT,
        lambda g: g.node(
            "Add",
            "x",
            g.node("DequantizeLinear", *whole(g, 12, scale=1e-3, zero_point=np.int32(0))),
        ),
    ),
    "conv": (PLANE, lambda g: qlinear_conv(g, by_channel=False)),
    "conv by channel": (PLANE, lambda g: qlinear_conv(g, by_channel=True)),
    "conv without bias": (
        PLANE,
        lambda g: operator(g, "QLinearConv", *operands(g, "x"), *whole(g, 3, 4, 1, 1)),
    ),
    "matmul": (
        FLAT,
        lambda g: operator(g, "QLinearMatMul", *operands(g, "x"), *whole(g, 12, 5)),
    ),
    "matmul by column": (
        FLAT,
        lambda g: operator(
            g,
            "QLinearMatMul",
            *operands(g, "x"),
            *whole(g, 12, 3, scale=np.arange(1, 4) / 90, zero_point=np.array([1, 0, 9], np.int8)),
        ),
    ),
    "gemm": (FLAT, lambda g: qgemm(g, transposed=False)),
    "gemm transposed": (FLAT, lambda g: qgemm(g, transposed=True)),
    "gemm not rounded": (FLAT, lambda g: qgemm(g, transposed=True, rounded=False)),
    "conv integer": (
        PLANE,
        lambda g: integer(
            g, "ConvInteger", np.eye(4, dtype=np.uint8)[..., None, None], np.uint8(3)
        ),
    ),
    "matmul integer": (
        FLAT,
        lambda g: integer(
            g, "MatMulInteger", np.eye(12, dtype=np.int8), np.arange(12, dtype=np.int8)
        ),
    ),
    "add": (FLAT, lambda g: microsoft(g, "QLinearAdd", *operands(g, "x", g.node("Neg", "x")))),
    "add constant": (
        FLAT,
        lambda g: microsoft(
            g, "QLinearAdd", *operands(g, "x"), *whole(g, 12, scale=0.05, zero_point=np.uint8(99))
        ),
    ),
    "mul constant": (
        PLANE,
        lambda g: microsoft(
            g,
            "QLinearMul",
            *operands(g, "x"),
            *whole(g, 4, 1, 1, scale=0.1, zero_point=np.uint8(9)),
        ),
    ),
    "global average pool": (
        PLANE,
        lambda g: microsoft(g, "QLinearGlobalAveragePool", *operands(g, "x"), channels_last=0),
    ),
    "average pool": (
        PLANE,
        lambda g: microsoft(
            g, "QLinearAveragePool", *operands(g, "x"), kernel_shape=[3, 2], pads=[1, 0, 1, 0]
        ),
    ),
    "sigmoid": (PLANE, lambda g: microsoft(g, "QLinearSigmoid", *operands(g, "x"))),
    "leaky relu": (
        PLANE,
        lambda g: microsoft(g, "QLinearLeakyRelu", *operands(g, "x"), alpha=0.3),
    ),
    "concat": (
        PLANE,
        lambda g: concat(g, "x", g.node("Neg", "x")),
    ),
}


def model_of(graph: Graph) -> onnx.ModelProto:
    model = graph.model(opset=21)
    model.ir_version = 10
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


@pytest.mark.parametrize("name", READ)
def test_an_operator_means_what_onnx_runtime_makes_of_it(name: str) -> None:
    shape, build = READ[name]
    graph = Graph("batch", *shape)
    build(graph)
    x = graph.rng.normal(size=(20, *shape)).astype(np.float32)
    model = model_of(graph)
    assert_same(values(as_network(model), x), run(model, x), LEVEL)


def test_a_source_of_whole_numbers_is_read_as_such() -> None:
    graph = Graph("batch", *FLAT)
    graph.with_constants("DequantizeLinear", 0.1, np.uint8(7))
    model = graph.model()
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8
    x = graph.rng.integers(0, 256, (5, 12)).astype(np.uint8)
    np.testing.assert_allclose(values(as_network(model), x), run(model, x), rtol=1e-6)


def test_dequantised_weights_are_exact_multiples_of_their_scale() -> None:
    graph = Graph("batch", *FLAT)
    numbers, scale, zero = whole(graph, 12, 5, scale=0.1)
    graph.node("MatMul", "x", graph.node("DequantizeLinear", numbers, scale, zero))
    found = as_network(graph.model()).output.operator
    assert isinstance(found, MatMul)
    expected = initializer(graph.model(), numbers).astype(np.float64) - 3
    np.testing.assert_array_equal(found.weights, expected.T * np.float64(np.float32(0.1)))


FRAMES = "quantise by tensor, or with one scale for each channel"
STATIC = "quantise it with fixed scales: onnxruntime.quantization.quantize_static"
DATA = "calibrate it again, with data that differ"
REFUSED: dict[str, tuple[Build, str, str]] = {
    "dynamic": (
        lambda g: g.node("DynamicQuantizeLinear", "x", name="q"),
        "q: DynamicQuantizeLinear takes its scale from the data of each image",
        STATIC,
    ),
    "scales": (
        lambda g: g.with_constants("QuantizeLinear", [0.1, 0.2], np.uint8([1, 2]), name="q"),
        "q: QuantizeLinear has scales of shape (2,) for values of shape (4, 7, 6)",
        FRAMES,
    ),
    "batch": (
        lambda g: g.with_constants("DequantizeLinear", np.ones(6), axis=0, name="q"),
        "q: DequantizeLinear has scales of shape (6,) for values of shape (4, 7, 6)",
        FRAMES,
    ),
    "blocks": (
        lambda g: g.with_constants("QuantizeLinear", 0.1, np.uint8(1), block_size=2, name="q"),
        "q: QuantizeLinear has a scale for each block of 2 values; allowed: one, or one for "
        "each channel",
        "quantise by channel",
    ),
    "zero": (
        lambda g: g.with_constants("QuantizeLinear", 0.0, np.uint8(1), name="q"),
        "q: QuantizeLinear has a scale of 0; allowed: above 0",
        DATA,
    ),
    "floats": (
        lambda g: g.with_constants("QuantizeLinear", 0.1, output_dtype=17, name="q"),
        "q: QuantizeLinear rounds to FLOAT8E4M3FN; allowed: whole numbers",
        "quantise to uint8",
    ),
    "channels last": (
        lambda g: g.node(
            "QLinearGlobalAveragePool",
            *operands(g, "x"),
            *result(g),
            domain="com.microsoft",
            channels_last=1,
            name="q",
        ),
        "q: QLinearGlobalAveragePool has its channels last",
        "save the model before its layout is optimised",
    ),
    "a sum over all": (
        lambda g: g.node(
            "QLinearSoftmax", *operands(g, "x"), *result(g), domain="com.microsoft", name="q"
        ),
        "q: com.microsoft.QLinearSoftmax is not supported",
        "keep it for the end of the model, where it is dropped",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_spikes_cannot_carry_is_refused_by_its_name(name: str) -> None:
    build, what, mend = REFUSED[name]
    graph = Graph("batch", *PLANE)
    build(graph)
    with pytest.raises(SnncError) as caught:
        as_network(model_of(graph))
    assert str(caught.value) == f"{what}\n  help: {mend}"
