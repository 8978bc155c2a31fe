"""Write refused.onnx, what snnc cannot take: a local response norm, and a gate.

python tests/data/make_refused.py
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def main() -> None:
    """Write the model beside this file."""
    weights = np.random.default_rng(0).normal(size=(4, 4, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["stem"], name="/stem/Conv", pads=[1] * 4),
        helper.make_node("Relu", ["stem"], ["relu"], name="/stem/Relu"),
        helper.make_node("LRN", ["relu"], ["norm"], name="/norm/LRN", size=3),
        helper.make_node("GlobalAveragePool", ["relu"], ["mean"], name="/gate/Pool"),
        helper.make_node("Sigmoid", ["mean"], ["gate"], name="/gate/Sigmoid"),
        helper.make_node("Mul", ["relu", "gate"], ["product"], name="/gate/Mul"),
        helper.make_node("Add", ["norm", "product"], ["sum"], name="/Add"),
        helper.make_node("Flatten", ["sum"], ["y"], name="/Flatten"),
    ]
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 4, 8, 8])
    logits = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 256])
    graph = helper.make_graph(
        nodes, "refused", [image], [logits], [numpy_helper.from_array(weights, "w")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, Path(__file__).with_name("refused.onnx"))


if __name__ == "__main__":
    main()
