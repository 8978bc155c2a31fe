"""The operators of the network IR: what each computes, on samples of float64.

`apply` takes arrays with a leading batch axis; `shape_of` takes and gives the shapes of one sample,
without it. Constants broadcast against one sample.
"""

from snnc.compiler.operators.base import (
    Floats,
    Operator,
    Shape,
    pad,
    per_channel,
    span_of,
    split_pads,
    times,
    windows_along,
)
from snnc.compiler.operators.curves import FUNCTIONS, Curve, Function, Maximum, Product
from snnc.compiler.operators.elementwise import (
    Add,
    Affine,
    BatchNorm,
    Clip,
    Elementwise,
    Floor,
    Round,
    Staircase,
)
from snnc.compiler.operators.linear import Conv, MatMul, Source
from snnc.compiler.operators.pools import AveragePool, MaxPool
from snnc.compiler.operators.shapes import Pad, Reshape, Select, Spread, Tile, Transpose

__all__ = [
    "FUNCTIONS",
    "Add",
    "Affine",
    "AveragePool",
    "BatchNorm",
    "Clip",
    "Conv",
    "Curve",
    "Elementwise",
    "Floats",
    "Floor",
    "Function",
    "MatMul",
    "MaxPool",
    "Maximum",
    "Operator",
    "Pad",
    "Product",
    "Reshape",
    "Round",
    "Select",
    "Shape",
    "Source",
    "Spread",
    "Staircase",
    "Tile",
    "Transpose",
    "pad",
    "per_channel",
    "span_of",
    "split_pads",
    "times",
    "windows_along",
]
