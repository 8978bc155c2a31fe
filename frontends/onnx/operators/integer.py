"""Readers of operators on whole numbers: what ONNX Runtime's quantiser writes as QOperators.

Each is its linear operator between the values that the whole numbers stand for.
"""

from __future__ import annotations

from dataclasses import replace

from snnc.frontends.onnx.grid import ONE_SCALE, bounds_of, grid_at, kind_at, operand
from snnc.frontends.onnx.operators.joins import MOST
from snnc.frontends.onnx.registry import READERS, mend_for, reads
from snnc.frontends.onnx.values import Call, Constant, Tensor, Value


@reads("QLinearConv", inputs=(8, 9))
def conv(call: Call) -> str:
    """A convolution whose bias counts in products of the scales of source and weights."""
    inputs = (_real(call, 0), _real(call, 3), _bias(call, 8, 1.0))
    return _requantized(call, "Conv", inputs, 6)


@reads("com.microsoft.QGemm", inputs=(6, 9))
def gemm(call: Call) -> str:
    """A matrix, and a bias that alpha scales too; without a scale, its result stays real."""
    axis = 0 if call.attributes.flag("transB") else 1
    bias = _bias(call, 6, call.attributes.number("alpha", 1.0))
    return _requantized(call, "Gemm", (_real(call, 0), _real(call, 3, axis), bias), 7)


@reads("QLinearMatMul", inputs=(7, 8))
def matmul(call: Call) -> str:
    """A sample times a constant matrix, whose columns may have scales of their own."""
    return _requantized(call, "MatMul", (_real(call, 0), _real(call, 3, 1)), 6)


@reads("ConvInteger", inputs=(2, 4))
def conv_integer(call: Call) -> str:
    """The sums as they are; a scale follows where the model has one."""
    inputs = (operand(call, i, scale=None, zero=i + 2) for i in (0, 1))
    return _linear(call, "Conv", *inputs)


@reads("MatMulInteger", inputs=(2, 4))
def matmul_integer(call: Call) -> str:
    """The sums as they are, of weights whose columns may have zero points of their own."""
    inputs = (operand(call, i, scale=None, zero=i + 2, axis=i) for i in (0, 1))
    return _linear(call, "MatMul", *inputs)


@reads("com.microsoft.QLinearAdd", inputs=(2, 8))
def add(call: Call) -> str:
    """A sum of tensors on different grids."""
    return _requantized(call, "Add", (_real(call, 0), _real(call, 3)), 6)


@reads("com.microsoft.QLinearMul", inputs=(2, 8))
def mul(call: Call) -> str:
    """A product with a constant."""
    return _requantized(call, "Mul", (_real(call, 0), _real(call, 3)), 6)


@reads("com.microsoft.QLinearConcat", inputs=(3, 3 * MOST))
def concat(call: Call) -> str:
    """Tensors on different grids, one after the other."""
    inputs = tuple(_real(call, index) for index in range(2, len(call.inputs), 3))
    return _requantized(call, "Concat", inputs, 0)


@reads("com.microsoft.QLinearAveragePool", "com.microsoft.QLinearGlobalAveragePool", inputs=(2, 5))
def average(call: Call) -> str:
    """A mean over space."""
    if call.attributes.flag("channels_last"):
        raise call.refuse("has its channels last", "save the model before its layout is optimised")
    return _requantized(call, call.kind.removeprefix("QLinear"), (_real(call, 0),), 3)


@reads("com.microsoft.QLinearSigmoid", "com.microsoft.QLinearLeakyRelu", inputs=(4, 5))
def activation(call: Call) -> str:
    """A function of what its whole numbers stand for."""
    kind = call.kind.removeprefix("QLinear")
    return _requantized(replace(call, kind=kind), kind, (_real(call, 0),), 3)


def _real(call: Call, index: int, axis: int = 0) -> Tensor | Constant:
    """An operand with its scale and its zero point behind it."""
    return operand(call, index, scale=index + 1, zero=index + 2, axis=axis)


def _bias(call: Call, index: int, factor: float) -> Constant | None:
    """A bias of whole numbers; one unit is a product of one unit of source and of weights."""
    if not call.has(index):
        return None
    source, weights = (call.weights(each, "scales").reshape(-1) for each in (1, 4))
    biases = call.weights(index, "biases")
    if source.size != 1 or weights.size not in (1, *biases.shape[-1:]):
        what = f"has {weights.size} scales for biases of shape {biases.shape}"
        raise call.refuse(what, ONE_SCALE)
    return Constant("bias", biases * source * weights * factor)


def _linear(call: Call, kind: str, *inputs: Value | None) -> str:
    """The operator that has the same meaning on real values."""
    if kind not in READERS:
        raise call.refuse("is not supported", mend_for(kind))
    found = READERS[kind](replace(call, inputs=inputs))
    assert isinstance(found, str)
    return found


def _requantized(call: Call, kind: str, inputs: tuple[Value | None, ...], result: int) -> str:
    """The operator on real values, and its result on the grid that starts at an input."""
    node = _linear(call, kind, *inputs)
    if call.kind == "QGemm" and not call.has(result):
        return node
    shape, zero = call.builder.shape(node), result + 1
    grid = grid_at(call, shape, scale=result, zero=zero, axis=0, divides=True)
    source = (Tensor(node, shape),)
    rounding = replace(call, name=f"{call.name}.levels", inputs=source)
    return rounding.then(*grid.levels(*bounds_of(call, kind_at(call, zero))))
