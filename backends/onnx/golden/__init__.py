"""The golden model: the integer network as an ONNX graph."""
