"""An ONNX graph in the making: nodes and constants, each known by the value that it gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from snnc.compiler.spiking import Convolution

Numbers: TypeAlias = npt.NDArray[Any]

BATCH = "images"
OPSET, IR_VERSION = 17, 8
"""What ONNX Runtime 1.18, the oldest that is supported, reads without a warning."""


class Graph:
    """Collects a graph in the order of computation.

    Args:
        names: values that the graph gives under names of their own; no inner value takes one.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._taken = set(names)

    def add(
        self,
        kind: str,
        *inputs: str,
        name: str = "",
        **attributes: Any,  # noqa: ANN401
    ) -> str:
        """Append a node, under a name of its own if none is given; returns the name."""
        output = name or self.unique(f"{inputs[0]}:{kind}")
        self.add_node(kind, inputs, [output], **attributes)
        return output

    def add_node(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        **attributes: Any,  # noqa: ANN401
    ) -> None:
        """Append a node that gives several values, under names that are the caller's affair."""
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    def convolution(self, operator: str, convolution: Convolution, *inputs: str) -> str:
        """ONNX and the spiking IR mean the same by a convolution."""
        return self.add(
            operator,
            *inputs,
            strides=convolution.strides,
            pads=convolution.pads,
            dilations=convolution.dilations,
            group=convolution.groups,
        )

    def sums_of_bytes(self, sums: Convolution, numbers: str) -> str:
        """Append sums over windows that are bytes again; the weights are ones."""
        one, zero = self.constant(1, np.float32), self.constant(0, np.uint8)
        ones = self.constant(sums.weights, np.uint8)
        constants = (one, zero, ones, one, zero, one, zero)
        return self.convolution("QLinearConv", sums, numbers, *constants)

    @contextmanager
    def body(self) -> Iterator[list[onnx.NodeProto]]:
        """Collect the nodes that are added meanwhile for the body of an operator."""
        outside, self._nodes = self._nodes, []
        try:
            yield self._nodes
        finally:
            self._nodes = outside

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike = None) -> str:
        """Append a constant; returns its name."""
        name = self.unique("constant")
        array = np.asarray(values, dtype, order="C")
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def whole(self, values: npt.ArrayLike) -> str:
        """Append a constant of whole numbers: shapes, pads and positions."""
        return self.constant(values, np.int64)

    def unique(self, name: str) -> str:
        """A name that no value has yet; it is taken from now on."""
        while name in self._taken:
            name = f"{name}:{len(self._taken)}"
        self._taken.add(name)
        return name

    def proto(
        self,
        title: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        """The graph so far as a model."""
        graph = helper.make_graph(self._nodes, title, inputs, outputs, self._constants)
        opset = helper.make_opsetid("", OPSET)
        return helper.make_model(
            graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="snnc"
        )
