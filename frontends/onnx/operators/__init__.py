"""The readers of all operators, by family; importing this package registers them."""

from snnc.frontends.onnx.operators import elementwise, integer, linear, qonnx, quantized, shapes

__all__ = ["elementwise", "integer", "linear", "qonnx", "quantized", "shapes"]
