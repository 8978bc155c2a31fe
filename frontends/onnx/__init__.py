"""ONNX models, read."""
