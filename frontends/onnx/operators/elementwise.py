"""Readers of element-wise operators: affine maps and the parts of staircases."""

from __future__ import annotations

from functools import reduce

import numpy as np
import onnx

from snnc.compiler.operators import (
    Add,
    Affine,
    Clip,
    Floats,
    Floor,
    Function,
    Maximum,
    Product,
    Round,
)
from snnc.compiler.passes.join_curves import GATE
from snnc.frontends.onnx.arrays import REAL, Array, name_of
from snnc.frontends.onnx.grid import bounds_of
from snnc.frontends.onnx.limits import ENTRIES
from snnc.frontends.onnx.ranges import numbers_of
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import Call, Constant, Tensor, sample_constant

ZERO, ONE, INFINITY = np.array(0.0), np.array(1.0), np.array(np.inf)
FLOATS = tuple(map(onnx.TensorProto.DataType.Value, ("FLOAT", "FLOAT16", "DOUBLE", "BFLOAT16")))
ROUND = "round with Floor or Round, and clip"
WIDE = 2.0**30
"""Types of more numbers have room for whatever a network counts."""


def _operands(call: Call) -> tuple[Tensor | Floats, ...]:
    """The inputs, constants as they broadcast over the tensor's samples."""
    shape = call.tensors[0].shape
    if any(each.shape != shape for each in call.tensors):
        found = ", ".join(str(each.shape) for each in call.tensors)
        raise call.refuse(f"broadcasts tensors of shapes {found}", "give them one shape")
    return tuple(
        each if isinstance(each, Tensor) else _finite(call, each, shape)
        for each in call.inputs
        if isinstance(each, Tensor | Constant)
    )


def _finite(call: Call, constant: Constant, shape: tuple[int, ...]) -> Floats:
    value, rank = constant.value, len(shape) + 1
    if "axis" in call.attributes:  # of operator sets up to 6: where the constant's axes begin
        axis = call.attributes.whole("axis", low=-rank, high=rank - 1) % rank
        value = value.reshape(value.shape + (1,) * max(rank - axis - value.ndim, 0))
    values = sample_constant(call, value, shape)
    if not np.all(np.isfinite(values)):
        what = f"has a constant {constant.name!r} with values that are NaN or infinite"
        raise call.refuse(what, "train it again from a sound checkpoint")
    return values


@reads("Add", "Sum", inputs=(1, ENTRIES), layout="any")
def add(call: Call) -> str:
    """Tensors are summed; constants shift the sum."""
    operands = _operands(call)
    tensors = [each.node for each in operands if isinstance(each, Tensor)]
    shift = sum((each for each in operands if not isinstance(each, Tensor)), start=ZERO)
    node = tensors[0] if len(tensors) == 1 else call.builder.add(call.name, Add(), *tensors)
    if len(tensors) == 1 or np.any(shift):
        node = call.builder.add(call.name, Affine(ONE, shift), node)
    return node


@reads("Sub", inputs=(2, 2), layout="any")
def sub(call: Call) -> str:
    """The second operand with its sign turned, added."""
    left, right = _operands(call)
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        negative = call.builder.add(call.name, Affine(-ONE, ZERO), right.node)
        return call.builder.add(call.name, Add(), left.node, negative)
    if isinstance(left, Tensor):
        return call.builder.add(call.name, Affine(ONE, -np.asarray(right)), left.node)
    assert isinstance(right, Tensor)
    return call.builder.add(call.name, Affine(-ONE, np.asarray(left)), right.node)


@reads("Mul", inputs=(2, 2), layout="any")
def mul(call: Call) -> str:
    """A constant scales a tensor; two tensors may be one activation together."""
    if len({each.shape for each in call.tensors}) > 1:
        raise call.refuse("multiplies two activations", GATE)
    left, right = _operands(call)
    if isinstance(left, Tensor) and isinstance(right, Tensor):
        return call.builder.add(call.name, Product(), left.node, right.node)
    tensor, scale = (left, right) if isinstance(left, Tensor) else (right, left)
    assert isinstance(tensor, Tensor)
    return call.builder.add(call.name, Affine(np.asarray(scale), ZERO), tensor.node)


@reads("Div", inputs=(2, 2), layout="any")
def div(call: Call) -> str:
    """A constant divides a tensor; what a tensor divides may be one activation with it."""
    if len({each.shape for each in call.tensors}) > 1:
        raise call.refuse("divides by an activation", GATE)
    left, right = _operands(call)
    if isinstance(right, Tensor):
        share = call.builder.add(f"{call.name}.part", Function("reciprocal"), right.node)
        if isinstance(left, Tensor):
            return call.builder.add(call.name, Product(), left.node, share)
        return call.builder.add(call.name, Affine(np.asarray(left), ZERO), share)
    assert isinstance(left, Tensor)
    if np.any(right == 0):
        raise call.refuse("divides by a constant that is 0", "check the scale it stands for")
    divisor = call.constant(1, "divisors")
    if divisor.dtype.kind == "f":
        return call.then(Affine(1.0 / right, ZERO))
    if np.any(right < 0) or numbers_of(call.builder.by_name, left.node).low < 0:
        raise call.refuse("of whole numbers rounds toward 0", ROUND)
    return call.then(Affine(1.0 / right, 0.5 / right), Floor())


@reads("Neg", layout="any")
def neg(call: Call) -> str:
    """The sign turned."""
    return call.then(Affine(-ONE, ZERO))


@reads("Relu", layout="any")
def relu(call: Call) -> str:
    """A clip at 0."""
    return call.then(Clip(ZERO, INFINITY))


@reads("Clip", inputs=(1, 3), layout="any")
def clip(call: Call) -> str:
    """A clip at constants; one that is left out is infinite."""
    return call.then(Clip(_bound(call, "min", 1, -INFINITY), _bound(call, "max", 2, INFINITY)))


@reads("Min", inputs=(1, ENTRIES), layout="any")
def minimum(call: Call) -> str:
    """A clip from above; of several tensors −max(−a, −b)."""
    limit = _limit(call, np.minimum, INFINITY)
    if len(call.tensors) == 1:
        return call.builder.add(call.name, Clip(-INFINITY, limit), call.tensors[0].node)
    inside = f"{call.name}.part"
    turned = [call.builder.add(inside, Affine(-ONE, ZERO), each) for each in _alike(call)]
    greatest = call.builder.add(inside, Maximum(), *turned)
    least = call.builder.add(call.name, Affine(-ONE, ZERO), greatest)
    return _clipped(call, least, Clip(-INFINITY, limit))


@reads("Max", inputs=(1, ENTRIES), layout="any")
def maximum(call: Call) -> str:
    """A clip from below; of several tensors the greatest."""
    limit = _limit(call, np.maximum, -INFINITY)
    if len(call.tensors) == 1:
        return call.builder.add(call.name, Clip(limit, INFINITY), call.tensors[0].node)
    greatest = call.builder.add(call.name, Maximum(), *_alike(call))
    return _clipped(call, greatest, Clip(limit, INFINITY))


@reads("Floor", layout="any")
def floor(call: Call) -> str:
    """Rounding down."""
    return call.then(Floor())


@reads("Round", layout="any")
def round_to_even(call: Call) -> str:
    """Rounding to the nearest."""
    return call.then(Round())


@reads("Identity", "Dropout", inputs=(1, 3), layout="any")
def identity(call: Call) -> str:
    """Nothing, once training is over."""
    return call.tensor.node


@reads("Cast", "CastLike", inputs=(1, 2), layout="any")
def cast(call: Call) -> str:
    """Nothing, between floats or where whole numbers stay as they are; others round toward 0."""
    kind = call.attributes.whole("to") if call.kind == "Cast" else _kind_like(call)
    if kind in FLOATS:
        return call.tensor.node
    if kind not in REAL:
        raise call.refuse(f"to {name_of(kind)}; allowed: to numbers", ROUND)
    numbers = numbers_of(call.builder.by_name, call.tensor.node)
    if not numbers.whole and numbers.low < 0:
        raise call.refuse(f"to {name_of(kind)} rounds toward 0", ROUND)
    low, high = bounds_of(call, onnx.helper.tensor_dtype_to_np_dtype(kind))
    if high < WIDE and not low <= numbers.low <= numbers.high <= high:
        span = f"{numbers.low:g} to {numbers.high:g}"
        raise call.refuse(f"to {name_of(kind)} of numbers from {span}, which wrap there", ROUND)
    return call.tensor.node if numbers.whole else call.then(Floor())


def _kind_like(call: Call) -> int:
    """The type of a second input, as far as it is known: tensors here are floats."""
    other = call.inputs[1] if call.has(1) else None
    if not isinstance(other, Constant):
        return onnx.TensorProto.FLOAT
    return onnx.helper.np_dtype_to_tensor_dtype(other.value.dtype)


def _bound(call: Call, name: str, index: int, missing: Floats) -> Floats:
    """An attribute of older operator sets, or an input; what is left out is infinite."""
    if name in call.attributes:
        value: Array = np.array(call.attributes.number(name))
    elif call.has(index):
        value = call.constant(index, name)
    else:
        return missing
    bound = sample_constant(call, value, call.tensor.shape) if value.size else missing
    if np.any(np.isnan(bound)):
        raise call.refuse("has a bound that is NaN", "check the scale it stands for")
    # Exporters write "no bound" as the largest float32.
    return np.where(np.abs(bound) >= np.finfo(np.float32).max, np.copysign(np.inf, bound), bound)


def _alike(call: Call) -> list[str]:
    """The tensors, which must have one shape."""
    if len({each.shape for each in call.tensors}) > 1:
        found = ", ".join(str(each.shape) for each in call.tensors)
        raise call.refuse(f"broadcasts tensors of shapes {found}", "give them one shape")
    return [each.node for each in call.tensors]


def _clipped(call: Call, node: str, clip: Clip) -> str:
    """What constants among the operands leave of a node."""
    if np.isinf(clip.low).all() and np.isinf(clip.high).all():
        return node
    return call.builder.add(call.name, clip, node)


def _limit(call: Call, choose: np.ufunc, start: Floats) -> Floats:
    tensor = call.tensors[0]
    constants = [each for each in call.inputs if isinstance(each, Constant)]
    bounds = [sample_constant(call, each.value, tensor.shape) for each in constants]
    if any(np.isnan(each).any() for each in bounds):
        raise call.refuse("has a bound that is NaN", "check the scale it stands for")
    return np.asarray(reduce(choose, bounds, start))
