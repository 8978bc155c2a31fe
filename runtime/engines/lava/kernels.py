"""The sums of one projection, computed exactly by ONNX Runtime.

Stock Lava convolves in a Python loop over channel pairs. float32 holds every whole number up to
2^24, more than a 24-bit state may ever reach, so a float convolution is exact in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, helper

from snnc.backends.onnx.blocks import in_blocks
from snnc.backends.onnx.graph import Graph
from snnc.compiler.spiking import Convolution, Projection
from snnc.runtime.engines.sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

NUMBERS = "n"
"""What the source sent."""


class Kernel:
    """Maps the spikes of the source to Σ w·n · 2^exponent, one int32 for each target neuron."""

    def __init__(
        self, projection: Projection, source_shape: tuple[int, ...], shape: tuple[int, ...]
    ) -> None:
        self._model = _model(projection, source_shape, shape)
        self._exponent = projection.exponent
        self._input = np.zeros((1, *source_shape), np.float32)
        self._shape = shape
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
        return np.asarray(sums, np.int32).reshape(self._shape) << self._exponent


def _model(projection: Projection, source: tuple[int, ...], shape: tuple[int, ...]) -> bytes:
    graph, last = Graph([NUMBERS]), NUMBERS
    connection = projection.connection
    if isinstance(connection, Convolution):
        for each in in_blocks(connection, source, shape):
            weights = graph.constant(each.weights, np.float32)
            last = graph.convolution("Conv", each, last, weights)
    else:
        weights = graph.constant(connection.weights, np.float32)
        last = graph.add("Gemm", graph.add("Flatten", last), weights, transB=1)
    given = helper.make_tensor_value_info(NUMBERS, TensorProto.FLOAT, (1, *source))
    sums = helper.make_tensor_value_info(last, TensorProto.FLOAT, None)
    return bytes(graph.proto("projection", [given], [sums]).SerializeToString())
