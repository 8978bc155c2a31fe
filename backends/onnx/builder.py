"""Nodes and constants of an ONNX graph, each known by the value it gives."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

Numbers: TypeAlias = npt.NDArray[Any]


class Builder:
    """Collects a graph in the order of computation."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.types: dict[str, int] = {}

    def cast(self, name: str, wanted: int) -> str:
        """The levels of a source in the type that an operator takes."""
        if self.types[name] == wanted:
            return name
        known = f"{name}:as {TensorProto.DataType.Name(wanted)}"
        if known not in self.types:
            self.types[known] = wanted
            self.node("Cast", name, output=known, to=wanted)
        return known

    def first_steps(self, train: str, steps: int, name: str) -> str:
        """The beginning of what has time as its first axis."""
        bounds = (("first", 0), ("last", steps), ("axes", 0))
        parts = (self.constant(f"{name}:{key}", np.array([n])) for key, n in bounds)
        return self.node("Slice", train, *parts, output=name)

    def node(
        self,
        operator: str,
        *inputs: str,
        output: str,
        **attributes: Any,  # noqa: ANN401
    ) -> str:
        """Add a node and name its value."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def floats(self, name: str, values: Numbers) -> str:
        """Add a constant of whole numbers that float32 holds exactly."""
        return self.constant(name, values.astype(np.float32))

    def constant(self, name: str, values: Numbers) -> str:
        """Add a constant and name it."""
        self.initializers.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name
