"""Nodes that depend on constants alone are computed here, by ONNX's reference evaluator.

Only operators of a list: they give the same in every compilation, and `_size` knows how much of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import TypeAlias

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from snnc.compiler.errors import SnncError, refusal
from snnc.frontends.onnx.arrays import READABLE, Array, array_of, name_of, size_of
from snnc.frontends.onnx.attributes import EXPORT_AGAIN, Attributes
from snnc.frontends.onnx.limits import ENTRIES, NUMBERS, SIZE, Budget

Arrays: TypeAlias = Sequence[Array | None]
SIMPLIFY = "simplify the model before export"
STORE = "store what it stands for instead"
Proto = onnx.AttributeProto

BROADCAST = (
    "Abs Add And Ceil Clip Cos Div Equal Exp Floor Greater GreaterOrEqual Identity IsInf IsNaN "
    "Less LessOrEqual Log Max Mean Min Mod Mul Neg Not Or Pow Reciprocal Relu Round Sigmoid Sign "
    "Sin Softplus Sqrt Sub Sum Tanh Where Xor"
)
"""Element by element, over shapes that broadcast."""
SHRINKING = (
    "ArgMax ArgMin Cast CastLike Flatten ReduceL1 ReduceL2 ReduceMax ReduceMean "
    "ReduceMin ReduceProd ReduceSum ReduceSumSquare Reshape Shape Size Slice Split Squeeze "
    "Transpose Trilu Unsqueeze"
)
"""No result has more elements than all inputs together."""
CONSTANT = "Constant"
LETTERS = 200
"""Of what ONNX says of a node that it cannot compute."""


def _total(inputs: Arrays) -> float:
    return sum(each.size for each in inputs if each is not None)


def _broadcast(inputs: Arrays) -> float:
    return prod(map(float, np.broadcast_shapes(*(e.shape for e in inputs if e is not None))))


def _gathered(inputs: Arrays) -> float:
    """What one index picks, for each index."""
    data, indices = _given(inputs, 0), _given(inputs, 1)
    return float(indices.size) * data.size / max(min(data.shape, default=1), 1)


def _repeated(inputs: Arrays) -> float:
    return float(_given(inputs, 0).size) * _product(_given(inputs, 1))


def _expanded(inputs: Arrays) -> float:
    wanted = [int(each) for each in _given(inputs, 1).reshape(-1)[: ENTRIES + 1]]
    if len(wanted) > ENTRIES or any(not 0 <= each <= SIZE for each in wanted):
        return float("inf")
    return prod(map(float, np.broadcast_shapes(_given(inputs, 0).shape, tuple(wanted))))


def _bordered(inputs: Arrays) -> float:
    """Every axis might grow by the sum of all borders."""
    more = float(np.abs(_given(inputs, 1).astype(np.float64)).sum())
    return float(prod(each + more for each in _given(inputs, 0).shape))


def _range(inputs: Arrays) -> float:
    start, limit, step = (float(_given(inputs, i).reshape(-1)[0]) for i in range(3))
    return abs((limit - start) / step) + 1 if step else float("inf")


def _matrix(inputs: Arrays) -> float:
    """Products, of which there are more than results: they take the time."""
    left, right = _given(inputs, 0), _given(inputs, 1)
    width = right.shape[-1] if right.ndim > 1 else 1
    batch = prod(right.shape[:-2])
    return float(left.size) * width * batch


SIZES: Mapping[str, Callable[[Arrays], float]] = {
    **dict.fromkeys(BROADCAST.split(), _broadcast),
    **dict.fromkeys(SHRINKING.split(), _total),
    "Concat": _total,
    "ConstantOfShape": lambda inputs: _product(_given(inputs, 0)),
    "Expand": _expanded,
    "Gather": _gathered,
    "MatMul": _matrix,
    "Pad": _bordered,
    "Range": _range,
    "Tile": _repeated,
}
"""How many elements each operator of the list makes at most."""


def is_foldable(node: onnx.NodeProto) -> bool:
    """Whether equal inputs always give equal results, by a standard operator of the list."""
    return node.domain in ("", "ai.onnx") and (node.op_type in SIZES or node.op_type == CONSTANT)


def fold(
    node: onnx.NodeProto, inputs: Arrays, opset: int, name: str, budget: Budget
) -> list[Array]:
    """The results of one node.

    Raises:
        SnncError: if the node cannot be evaluated, or would make more than the limits allow.
    """
    attributes = Attributes.of(node, name)
    if node.op_type == CONSTANT:
        return [_constant(attributes, budget)]
    _check_attributes(attributes, len(node.output))
    size = _size(node.op_type, inputs, name)
    if not size <= NUMBERS:
        what = f"makes a constant of {size:g} elements; allowed: {NUMBERS}"
        raise refusal(name, f"{node.op_type} {what}", STORE)
    budget.take(int(size), name)
    results = _evaluated(node, inputs, opset, name)
    if len(results) != len(node.output) or not all(map(_is_real, results)):
        raise refusal(name, f"{node.op_type} gives no numbers", SIMPLIFY)
    return results


def _size(kind: str, inputs: Arrays, name: str) -> float:
    try:
        return SIZES[kind](inputs)
    except (ValueError, IndexError, OverflowError) as error:
        raise _incomputable(kind, name, str(error)) from None


def _evaluated(node: onnx.NodeProto, inputs: Arrays, opset: int, name: str) -> list[Array]:
    """What ONNX's own evaluator makes of it, which raises whatever comes to it."""
    names = [f"i{index}" if each is not None else "" for index, each in enumerate(inputs)]
    given = {n: v for n, v in zip(names, inputs, strict=True) if v is not None}
    feeds = _in_one_precision(given)
    outputs = [f"o{index}" for index in range(len(node.output))]
    alone = onnx.helper.make_node(node.op_type, names, outputs)
    alone.attribute.extend(node.attribute)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = _model(alone, feeds, opset)
            found = ReferenceEvaluator(model).run(None, feeds)
            return [np.asarray(each) for each in found]
    except Exception as error:
        raise _incomputable(node.op_type, name, str(error)) from None


def _model(node: onnx.NodeProto, feeds: Mapping[str, Array], opset: int) -> onnx.ModelProto:
    results = [onnx.helper.make_empty_tensor_value_info(each) for each in node.output]
    kind_of = onnx.helper.np_dtype_to_tensor_dtype
    values = [
        onnx.helper.make_tensor_value_info(n, kind_of(v.dtype), v.shape) for n, v in feeds.items()
    ]
    graph = onnx.helper.make_graph([node], "constant", values, results)
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])


def _constant(attributes: Attributes, budget: Budget) -> Array:
    """What a Constant holds, by the name under which it does."""
    where = attributes.where
    if len(attributes.protos) != 1:
        what = f"Constant has {len(attributes.protos)} attributes; allowed: 1"
        raise refusal(where, what, EXPORT_AGAIN)
    (name,) = attributes.protos
    if name == "value":
        proto = attributes.tensor(name)
        budget.take(size_of(proto, where), where)
        return array_of(proto, where)
    if name in ("value_float", "value_int"):
        kind = np.float32 if name == "value_float" else np.int64
        value = attributes.number(name) if name == "value_float" else attributes.whole(name)
        return np.asarray(value, kind)
    if name == "value_ints":
        return np.array(attributes.wholes(name), np.int64)
    what = f"Constant has {name}; allowed: value, value_float, value_int, value_ints"
    raise refusal(where, what, STORE)


def _check_attributes(attributes: Attributes, outputs: int) -> None:
    """Numbers of a sensible size, texts and tensors; nothing that makes more than `_size` knows."""
    for name, proto in attributes.protos.items():
        if proto.type == Proto.INT:
            attributes.whole(name, low=-SIZE - 1)
        elif proto.type == Proto.INTS:
            attributes.wholes(name, low=-SIZE - 1)
        elif proto.type == Proto.TENSOR:
            array_of(attributes.tensor(name), attributes.where)
        elif proto.ref_attr_name or proto.type not in (Proto.FLOAT, Proto.STRING):
            what = f"{attributes.operator} has attribute {name!r} of a kind that no constant needs"
            raise refusal(attributes.where, what, SIMPLIFY)
    if attributes.operator == "Cast":
        kind = attributes.whole("to")
        if kind not in READABLE:
            what = f"Cast to {name_of(kind)}; allowed: real numbers"
            raise refusal(attributes.where, what, SIMPLIFY)
    if attributes.operator == "Split" and "num_outputs" in attributes:
        attributes.whole("num_outputs", low=outputs, high=outputs)


def _is_real(value: Array) -> bool:
    try:
        return onnx.helper.np_dtype_to_tensor_dtype(value.dtype) in READABLE
    except (ValueError, KeyError, TypeError):
        return False


def _incomputable(kind: str, name: str, reason: str) -> SnncError:
    what = f"cannot be computed from its constants: {reason}".strip().splitlines()[0]
    return refusal(name, f"{kind} {what[:LETTERS]}", SIMPLIFY)


def _in_one_precision(feeds: dict[str, Array]) -> dict[str, Array]:
    """Dequantised constants are float64; the float32 that meets them follows, as ONNX demands."""
    if all(each.dtype != np.float64 for each in feeds.values()):
        return feeds
    wide = {n: v.astype(np.float64) for n, v in feeds.items() if v.dtype == np.float32}
    return {**feeds, **wide}


def _given(inputs: Arrays, index: int) -> Array:
    value = inputs[index]
    if value is None:
        raise ValueError(f"its input {index} is missing")
    return value


def _product(sizes: Array) -> float:
    """How many elements a list of sizes asks for."""
    return prod(abs(float(each)) for each in sizes.reshape(-1)[: ENTRIES + 1])
