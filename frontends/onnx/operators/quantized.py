"""Readers of QuantizeLinear and DequantizeLinear: a quantised tensor carries its whole numbers.

So what an exporter puts between the two, a clip of whole numbers or another shape, means what it
says; constants are folded here, as ONNX's own evaluator would round the products of a scale.
"""

from __future__ import annotations

import numpy as np

from snnc.frontends.onnx.arrays import Array
from snnc.frontends.onnx.grid import Grid, bounds_of, grid_at, kind_at, values_of
from snnc.frontends.onnx.limits import ENTRIES
from snnc.frontends.onnx.registry import folds, reads
from snnc.frontends.onnx.values import Call

QUANTIZE = ("QuantizeLinear", "com.microsoft.QuantizeLinear")
DEQUANTIZE = ("DequantizeLinear", "com.microsoft.DequantizeLinear")


@reads(*QUANTIZE, inputs=(2, 3), layout="any")
def quantize(call: Call) -> str:
    """x/scale, rounded, plus the zero point, within the bounds of the type."""
    return call.then(*_grid(call, divides=True).levels(*bounds_of(call, kind_at(call, 2))))


@reads(*DEQUANTIZE, inputs=(2, 3), layout="any")
def dequantize(call: Call) -> str:
    """(n − zero point)·scale."""
    return call.then(_grid(call).values)


@folds(*QUANTIZE, inputs=(2, 3))
def quantized(call: Call) -> Array:
    """The whole numbers of a constant, divided in the precision of the model: so ties agree."""
    value, kind = call.numbers(0, "data"), kind_at(call, 2)
    grid = _grid(call, divides=True)
    scale = grid.scale.astype(np.result_type(value.dtype, np.float32))
    rounded = np.round(value / scale) + grid.zero_point
    return np.asarray(np.clip(rounded, *bounds_of(call, kind)), kind)


@folds(*DEQUANTIZE, inputs=(2, 3))
def dequantized(call: Call) -> Array:
    """What the whole numbers of a constant stand for."""
    return values_of(call.numbers(0, "data"), _grid(call))


@reads("DynamicQuantizeLinear", "com.microsoft.DynamicQuantizeMatMul", inputs=(0, ENTRIES))
def dynamic(call: Call) -> str:
    """Refused: a threshold cannot wait for the greatest value of an image."""
    mend = "quantise it with fixed scales: onnxruntime.quantization.quantize_static"
    raise call.refuse("takes its scale from the data of each image", mend)


def _grid(call: Call, *, divides: bool = False) -> Grid:
    """The grid of the first input, whose axes count from the batch."""
    if block := call.attributes.whole("block_size", 0):
        what = f"has a scale for each block of {block} values"
        raise call.refuse(f"{what}; allowed: one, or one for each channel", "quantise by channel")
    if call.tensors:
        shape = call.tensor.shape
        axis = call.axis(1, len(shape) + 1) - 1
    else:
        shape = call.constant(0, "data").shape
        axis = call.axis(1, len(shape)) if len(shape) > 1 else 0
    return grid_at(call, shape, scale=1, zero=2, axis=axis, divides=divides)
