"""The readers of all operators, by family; importing this package registers them."""

from snnc.frontends.onnx.operators import (
    activations,
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
    "activations",
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
