"""Sums of products of whole numbers, which ONNX Runtime computes in floats and which are exact.

float32 holds every whole number up to 2^24. While Σ|w| · max|s| stays within that, Σ w·s is exact
whatever the order of its additions. Payloads beyond are taken apart into digits of b bits, with
Σ|w| · 2^b ≤ 2^24, the highest one signed:

    s = Σ_i d[i] · 2^(b·i)    so    Σ w·s = Σ_i 2^(b·i) · Σ w·d[i]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import onnxruntime  # noqa: F401  (once, before the processes that open sessions are forked)
from onnx import TensorProto, helper

from snnc.backends.onnx.graph import Graph
from snnc.compiler.spiking import Connection, Convolution
from snnc.runtime.engines.sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Numbers = npt.NDArray[np.integer[Any] | np.bool_]
Sum = npt.NDArray[np.int32] | npt.NDArray[np.int64]

EXACT_BITS = 24
"""float32 holds every whole number of so many bits, and the one behind."""
DOUBLE_BITS = 53
DIGITS = "digits"


class Sums:
    """Maps what a source sends to Σ w·s for each target.

    Args:
        connection: a convolution over planes (channels, x, y), or a matrix.
        shape: of the source, (x, y, channels) as Lava keeps it, or (neurons,).

    Raises:
        ValueError: the weights are too heavy for floats: Σ|w| of a target is 2^24 or more.
    """

    def __init__(self, connection: Connection, shape: tuple[int, ...]) -> None:
        weights = connection.weights.astype(np.int64)
        reach = int(np.abs(weights).reshape(len(weights), -1).sum(axis=1).max())
        self._digit = EXACT_BITS - max(reach - 1, 0).bit_length()
        if self._digit < 1:
            raise ValueError(f"the weights of a target add up to {reach:,}, more than floats hold")
        self._highest = (1 << DOUBLE_BITS) // max(reach, 1)
        self._model = _model(connection, shape)
        self._session: InferenceSession | None = None
        self._targets: tuple[int, ...] = (len(weights),)
        if isinstance(connection, Convolution):
            self._targets = (*connection.places((shape[-1], *shape[:-1])), len(weights))

    def __call__(self, numbers: Numbers) -> Sum | None:
        """Weigh one time step; silence costs nothing.

        Args:
            numbers: spikes or payloads, of the source's shape.

        Returns:
            The sums, as int32 where float32 holds them and as int64 elsewhere; None where they may
            leave the 53 bits of a float64.
        """
        highest = peak(numbers)
        if not highest:
            return np.zeros(self._targets, np.int32)
        if highest > self._highest:
            return None
        count = -(-highest.bit_length() // self._digit)
        if count == 1:
            found: npt.NDArray[np.float32] = self._run(numbers.astype(np.float32)[None])[0]
            return found.astype(np.int32)
        parts = self._run(_digits(numbers, self._digit, count))
        sums = np.zeros(self._targets, np.int64)
        for place, part in enumerate(parts):
            sums += part.astype(np.int64) << place * self._digit
        return sums

    def _run(self, digits: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        if self._session is None:  # here, for threads and sessions do not survive a fork
            self._session = open_session(self._model, threads=1, spins=False)
        (sums,) = self._session.run(None, {DIGITS: digits})
        return np.asarray(sums, np.float32)


def peak(numbers: Numbers) -> int:
    """The highest |s|."""
    if numbers.dtype == np.bool_:
        return int(numbers.any())
    return max(int(numbers.max(initial=0)), -int(numbers.min(initial=0)))


def _digits(numbers: Numbers, bits: int, count: int) -> npt.NDArray[np.float32]:
    """(count, *shape), the lowest first."""
    digits = np.empty((count, *numbers.shape), np.float32)
    rest = numbers.astype(np.int64)
    for each in digits[:-1]:
        each[...] = rest & ((1 << bits) - 1)
        rest >>= bits
    digits[-1] = rest
    return digits


def _model(connection: Connection, shape: tuple[int, ...]) -> bytes:
    graph = Graph([DIGITS])
    weights = graph.constant(connection.weights, np.float32)
    if isinstance(connection, Convolution):
        planes = graph.add("Transpose", DIGITS, perm=(0, 3, 1, 2))
        last = graph.convolution("Conv", connection, planes, weights)
        last = graph.add("Transpose", last, perm=(0, 2, 3, 1))
    else:
        last = graph.add("Gemm", DIGITS, weights, transB=1)
    numbers = helper.make_tensor_value_info(DIGITS, TensorProto.FLOAT, ("count", *shape))
    sums = helper.make_tensor_value_info(last, TensorProto.FLOAT, None)
    return bytes(graph.proto("sums", [numbers], [sums]).SerializeToString())
