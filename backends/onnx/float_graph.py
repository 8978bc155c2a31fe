"""An ONNX graph in the making: nodes and constants in the order of computation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from snnc.compiler.network import Network
from snnc.compiler.operators import Shape

BATCH = "images"


class FloatGraph:
    """Grows node by node; a node is known by the name of the value it gives."""

    def __init__(self, network: Network, dtype: np.dtype[Any]) -> None:
        self.shapes = {node.name: node.shape for node in network}
        self.dtype = dtype
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._taken = set(self.shapes)

    def model(self, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> onnx.ModelProto:
        """The graph so far, from some nodes of the network to others."""
        given, wanted = ([self._value(each) for each in names] for names in (inputs, outputs))
        graph = helper.make_graph(self._nodes, "floats", given, wanted, self._constants)
        opset = helper.make_opsetid("", 17)
        return helper.make_model(graph, opset_imports=[opset], ir_version=8, producer_name="snnc")

    def add(
        self,
        kind: str,
        *inputs: str,
        name: str = "",
        **attributes: Any,  # noqa: ANN401
    ) -> str:
        """Append a node, under a name of its own if none is given."""
        output = name or self._unique(f"{inputs[0]}:{kind}")
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def floats(self, values: npt.ArrayLike) -> str:
        """Append a constant of the graph's type."""
        return self._constant(np.asarray(values, self.dtype))

    def whole(self, values: npt.ArrayLike) -> str:
        """Append a constant of whole numbers: shapes, pads and positions."""
        return self._constant(np.asarray(values, np.int64))

    def reshape(self, source: str, shape: Shape, name: str = "") -> str:
        """Give the samples another shape."""
        return self.add("Reshape", source, self.whole((0, *shape)), name=name)

    def pad(self, source: str, pads: Shape, value: float = 0.0, name: str = "") -> str:
        """Surround the axes of space with a value; negative numbers crop."""
        half = len(pads) // 2
        sides = self.whole((0, 0, *pads[:half], 0, 0, *pads[half:]))
        return self.add("Pad", source, sides, self.floats(value), name=name)

    def clip(self, source: str, low: float, high: float, name: str = "") -> str:
        """Keep every value within two numbers."""
        return self.add("Clip", source, self.floats(low), self.floats(high), name=name)

    def _value(self, name: str) -> onnx.ValueInfoProto:
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        return helper.make_tensor_value_info(name, kind, [BATCH, *self.shapes[name]])

    def _constant(self, values: npt.NDArray[Any]) -> str:
        name = self._unique("constant")
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _unique(self, name: str) -> str:
        while name in self._taken:
            name = f"{name}:{len(self._taken)}"
        self._taken.add(name)
        return name
