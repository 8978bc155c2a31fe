"""The readers of all operators, by family; importing this package registers them."""

from snnc.frontends.onnx.operators import elementwise, linear, shapes

__all__ = ["elementwise", "linear", "shapes"]
