"""The readers of all operators, by family; importing this package registers them."""

from snnc.frontends.onnx.operators import (
    elementwise,
    integer,
    joins,
    linear,
    pools,
    qonnx,
    quantized,
    selections,
    shapes,
)

__all__ = [
    "elementwise",
    "integer",
    "joins",
    "linear",
    "pools",
    "qonnx",
    "quantized",
    "selections",
    "shapes",
]
