"""The sums of one projection, computed exactly by ONNX Runtime.

Stock Lava convolves in a Python loop over channel pairs. Where spikes and weights fit bytes, sums
are those of bytes in 32 bits. Elsewhere they are floats: float32 holds every whole number up to
2^24, more than a 24-bit state may ever reach, so a float convolution is exact in any order.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from snnc.backends.onnx.blocks import in_blocks, window_of
from snnc.backends.onnx.byte_sums import BYTE, byte_stages, unsigned
from snnc.backends.onnx.graph import Graph
from snnc.compiler.laws import Integers
from snnc.compiler.spiking import Connection, Convolution, Node, Population, Projection
from snnc.runtime.engines.sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

NUMBERS = "n"
"""What the source sent."""
FEW_PLACES = 8
"""Planes of less are convolved faster in floats: bytes pay for their unpacking."""


class Kernel:
    """Maps the spikes of the source to Σ w·n · 2^exponent, one int32 for each target neuron."""

    def __init__(self, projection: Projection, source: Node, shape: tuple[int, ...]) -> None:
        model, dtype = _model(projection.connection, source, shape)
        self._model = model
        self._exponent = projection.exponent
        self._input = np.zeros((1, *source.shape), dtype)
        self._shape = shape
        self.products = projection.connection.weights.size * prod(shape[1:])
        """What a time step takes, more or less."""
        self._session: InferenceSession | None = None
        self.silence: npt.NDArray[np.int32] = np.zeros(shape, np.int32)

    def __call__(self, spikes: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int32]:
        """Weigh one time step; silence costs nothing, as on the chip.

        Args:
            spikes: payloads of the source's shape, or the spikes of its copies (copies, *shape):
                these share their weights, and their sum is what counts.

        Returns:
            The sums, of the population's shape.
        """
        if not spikes.any():
            return self.silence
        if self._session is None:
            self._session = open_session(self._model, threads=1, spins=False)
        copies = spikes.ndim == self._input.ndim
        self._input[0] = spikes.sum(axis=0) if copies else spikes
        (sums,) = self._session.run(None, {NUMBERS: self._input})
        found: npt.NDArray[np.int32] = np.asarray(sums, np.int32).reshape(self._shape)
        return found << self._exponent if self._exponent else found


def _model(
    connection: Connection, source: Node, shape: tuple[int, ...]
) -> tuple[bytes, npt.DTypeLike]:
    """The sums as an ONNX model, and the type of the numbers that it takes."""
    graph = Graph([NUMBERS])
    in_bytes = _sums_of_bytes(graph, connection, source, shape)
    last = in_bytes or _sums_of_floats(graph, connection, source, shape)
    given, found, dtype = (
        (TensorProto.UINT8, TensorProto.INT32, np.uint8)
        if in_bytes
        else (TensorProto.FLOAT, TensorProto.FLOAT, np.float32)
    )
    numbers = helper.make_tensor_value_info(NUMBERS, given, (1, *source.shape))
    sums = helper.make_tensor_value_info(last, found, None)
    return bytes(graph.proto("projection", [numbers], [sums]).SerializeToString()), dtype


def _sums_of_floats(
    graph: Graph, connection: Connection, source: Node, shape: tuple[int, ...]
) -> str:
    last = NUMBERS
    if not isinstance(connection, Convolution):
        weights = graph.constant(connection.weights, np.float32)
        return graph.add("Gemm", graph.add("Flatten", last), weights, transB=1)
    for each in in_blocks(connection, source.shape, shape):
        last = graph.convolution("Conv", each, last, graph.constant(each.weights, np.float32))
    return last


def _sums_of_bytes(
    graph: Graph, connection: Connection, source: Node, shape: tuple[int, ...]
) -> str | None:
    """The same in bytes, whose products are added in 32 bits; None where one does not fit."""
    highest = _highest(source)
    if highest is None or highest > BYTE:
        return None
    if not isinstance(connection, Convolution):
        constants = _as_bytes(graph, connection.weights.T, len(connection.weights.T) * highest)
        if constants is None:
            return None
        return graph.add("MatMulInteger", graph.add("Flatten", NUMBERS), *constants)
    *sums, last = stages = byte_stages(connection, source.shape, shape, highest)
    reach = last.weights[0].size * window_of(stages) * highest
    constants = _as_bytes(graph, last.weights, reach)
    if constants is None or prod(shape[1:]) < FEW_PLACES:
        return None
    numbers = NUMBERS
    for each in sums:
        numbers = graph.sums_of_bytes(each, numbers)
    return graph.convolution("ConvInteger", last, numbers, *constants)


def _as_bytes(graph: Graph, weights: Integers, reach: int) -> tuple[str, str, str] | None:
    """Weights, what stands for 0 among the numbers, and what does among the weights."""
    found = unsigned(weights, reach)
    if found is None:
        return None
    zero = graph.constant(0, np.uint8)
    return graph.constant(found.values), zero, graph.constant(found.zero_point)


def _highest(source: Node) -> int | None:
    """The most that a neuron of a source, or all its copies, send in one time step."""
    law = source.sends
    if law.train == "changes":
        return None
    fires = law.train == "bits" or (isinstance(source, Population) and source.neuron.integrates)
    return 1 if fires else law.levels
