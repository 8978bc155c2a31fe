"""The sums of one projection, computed exactly by ONNX Runtime.

Stock Lava convolves in a Python loop over channel pairs. float32 holds every whole number up to
2^24, more than a 24-bit state may ever reach, so a float convolution is exact in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.spiking import Convolution, Dense, Projection
from snnc.runtime.engines.sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


class Kernel:
    """Maps the spikes of the source to Σ w·n · 2^exponent, one int32 for each target neuron."""

    def __init__(
        self, projection: Projection, source_shape: tuple[int, ...], shape: tuple[int, ...]
    ) -> None:
        self._model = _model(projection.connection, source_shape)
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
        (sums,) = self._session.run(None, {"n": self._input})
        return np.asarray(sums, np.int32).reshape(self._shape) << self._exponent


def _model(connection: Convolution | Dense, source_shape: tuple[int, ...]) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    weights = connection.weights.astype(np.float32)
    if isinstance(connection, Dense):
        node = helper.make_node("Gemm", ["flat", "w"], ["sums"], transB=1)
        nodes = [helper.make_node("Flatten", ["n"], ["flat"]), node]
    else:
        nodes = [
            helper.make_node(
                "Conv",
                ["n", "w"],
                ["sums"],
                strides=connection.strides,
                pads=connection.pads,
                dilations=connection.dilations,
                group=connection.groups,
            )
        ]
    graph = helper.make_graph(
        nodes,
        "projection",
        [helper.make_tensor_value_info("n", TensorProto.FLOAT, (1, *source_shape))],
        [helper.make_tensor_value_info("sums", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    return bytes(model.SerializeToString())
