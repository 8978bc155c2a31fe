"""Nodes that depend on constants alone are computed here, by ONNX's reference evaluator."""

from __future__ import annotations

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from snnc.compiler.errors import refusal
from snnc.frontends.onnx.values import Array

LIMIT = 1 << 28
"""The most elements that a constant may have."""
GROWING = ("ConstantOfShape", "Expand", "Tile", "Range", "Resize", "OneHot", "EyeLike", "Pad")
UNFOLDABLE = ("If", "Loop", "Scan", "RandomNormal", "RandomUniform", "Multinomial", "Bernoulli")


def is_foldable(node: onnx.NodeProto) -> bool:
    """Whether equal inputs always give equal results, by a standard operator."""
    return node.domain in ("", "ai.onnx") and node.op_type not in UNFOLDABLE


def fold(node: onnx.NodeProto, inputs: list[Array | None], opset: int, name: str) -> list[Array]:
    """The results of one node.

    Raises:
        SnncError: if the node cannot be evaluated, or would not end.
    """
    sizes = [_product(each) for each in inputs if each is not None]
    if node.op_type in GROWING and max(sizes, default=0) > LIMIT:
        what = f"makes a constant of {max(sizes):g} elements; allowed: {LIMIT}"
        raise refusal(name, f"{node.op_type} {what}", "store what it stands for instead")
    feeds = _in_one_precision(
        {n: v for n, v in zip(node.input, inputs, strict=True) if v is not None}
    )
    results = [onnx.helper.make_empty_tensor_value_info(n) for n in node.output if n]
    value_infos = [
        onnx.helper.make_tensor_value_info(
            n, onnx.helper.np_dtype_to_tensor_dtype(v.dtype), v.shape
        )
        for n, v in feeds.items()
    ]
    graph = onnx.helper.make_graph([node], "constant", value_infos, results)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
    try:
        return list(ReferenceEvaluator(model).run(None, feeds))
    except Exception as error:
        what = f"cannot be computed from its constants: {error}".splitlines()[0]
        raise refusal(name, f"{node.op_type} {what}", "simplify the model before export") from None


def _in_one_precision(feeds: dict[str, Array]) -> dict[str, Array]:
    """Dequantised constants are float64; the float32 that meets them follows, as ONNX demands."""
    if all(each.dtype != np.float64 for each in feeds.values()):
        return feeds
    wide = {n: v.astype(np.float64) for n, v in feeds.items() if v.dtype == np.float32}
    return {**feeds, **wide}


def _product(value: Array) -> float:
    """How many elements a list of sizes asks for; 0 for anything else."""
    is_sizes = value.ndim <= 1 and value.dtype == np.int64
    return float(np.prod(np.abs(value.astype(np.float64)))) if is_sizes else 0.0
