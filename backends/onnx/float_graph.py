"""An ONNX graph of floats in the making: it knows the shapes of the nodes that it is made from."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper

from snnc.backends.onnx.graph import BATCH, Graph
from snnc.compiler.network import Network
from snnc.compiler.operators import Shape


class FloatGraph(Graph):
    """Grows node by node, in one type of floats."""

    def __init__(self, network: Network, dtype: np.dtype[Any]) -> None:
        self.shapes = {node.name: node.shape for node in network}
        self.dtype = dtype
        super().__init__(self.shapes)

    def model(self, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> onnx.ModelProto:
        """The graph so far, from some nodes of the network to others."""
        given, wanted = ([self._value(each) for each in names] for names in (inputs, outputs))
        return self.proto("floats", given, wanted)

    def floats(self, values: npt.ArrayLike) -> str:
        """Append a constant of the graph's type."""
        return self.constant(values, self.dtype)

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
