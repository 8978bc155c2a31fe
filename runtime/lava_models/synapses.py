"""Lava's convolutions and matrices of weights, computed at once instead of pair by pair.

Every model is a subclass of the one that it stands for, and does only the arithmetic otherwise:
ports, variables, the step of delay and the overflows are Lava's.
"""

# mypy: disable-error-code="misc, no-any-return"

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from lava.magma.core.model.py.type import LavaPyType
from lava.proc.conv import utils
from lava.proc.conv.models import PyConvModelFixed
from lava.proc.dense.models import PyDelayDenseModelBitAcc, PyDenseModelBitAcc
from scipy.sparse import csr_matrix

from snnc.compiler.spiking import Convolution, Dense
from snnc.runtime.engines.lava.channels import LeanInPort, LeanModel, LeanOutPort
from snnc.runtime.lava_models.sums import Sum, Sums, peak

Array = npt.NDArray[Any]
ACTIVATION_BITS = 24
INT32 = 1 << 31


class FastConv(LeanModel, PyConvModelFixed):
    """`Conv`, which Lava convolves in a Python loop over pairs of channels."""

    s_in = LavaPyType(LeanInPort, np.int32, precision=24)
    a_out = LavaPyType(LeanOutPort, np.int32, precision=24)
    a_buf: Any
    _weights: Array | None = None
    """Those that the sums were made of."""
    _sums: Sums | None = None

    def run_spk(self) -> None:
        """Send what arrived a time step ago, then weigh what arrives."""
        self.a_out.send(self.a_buf)
        numbers = self.s_in.recv()
        if self.num_message_bits.item() <= 0:
            numbers = numbers.astype(np.bool_)
        self.a_buf = _wrapped(self._convolved(numbers))

    def on_var_update(self) -> None:
        """Weights may have changed in place."""
        self._weights = None

    def _convolved(self, numbers: Array) -> npt.NDArray[np.int32]:
        if self._weights is not self.weight:
            self._weights, self._sums = self.weight, self._prepare(numbers.shape)
        if self._sums is not None and numbers.dtype.kind in "biu":
            sums = self._sums(numbers)
            if sums is not None:
                return _converted(sums)
        return utils.conv(
            numbers,
            self.weight,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.groups[0],
        )

    def _prepare(self, shape: tuple[int, ...]) -> Sums | None:
        kernel = self.weight[:, ::-1, ::-1].transpose(0, 3, 1, 2)
        across, down = self.padding.tolist()
        convolution = Convolution(
            kernel,
            tuple(self.stride.tolist()),
            (across, down, across, down),
            tuple(self.dilation.tolist()),
            self.groups.item(),
        )
        least = min(*convolution.strides, *convolution.dilations, convolution.groups)
        if tuple(self.kernel_size) != kernel.shape[2:] or least < 1 or min(across, down) < 0:
            _leave_to_lava("Conv", "its kernel, stride, padding, dilation or groups exceed 127")
            return None
        if kernel.shape[1] * convolution.groups != shape[-1]:
            _leave_to_lava("Conv", f"weights of shape {self.weight.shape} for a source of {shape}")
            return None
        return _sums(convolution, shape)


class FastDense(LeanModel, PyDenseModelBitAcc):
    """`Dense`, whose products Lava adds without its processor's help."""

    s_in = LavaPyType(LeanInPort, np.bool_, precision=1)
    a_out = LavaPyType(LeanOutPort, np.int32, precision=16)
    a_buff: Any
    _weights: Array | None = None
    """Those that the sums were made of."""
    _sums: Sums | None = None

    def run_spk(self) -> None:
        """Send what arrived a time step ago, then weigh what arrives."""
        if not self.weights_set:  # in the first time step Lava clips the weights
            super().run_spk()
            return
        self.a_out.send(self.a_buff)
        numbers = self.s_in.recv()
        graded = self.num_message_bits.item() > 0
        sums = self._weighed(numbers if graded else numbers.astype(np.bool_), graded=graded)
        exponent = self.proc_params.get("weight_exp", 0)
        shift = np.left_shift if exponent > 0 else np.right_shift
        self.a_buff = shift(sums, abs(exponent))

    def on_var_update(self) -> None:
        """Weights may have changed in place."""
        self._weights = None

    def _weighed(self, numbers: Array, *, graded: bool) -> Array:
        if self._weights is not self.weights:
            self._weights, self._sums = self.weights, _sums(Dense(self.weights), numbers.shape)
        if self._sums is not None and numbers.dtype.kind in "biu":
            sums = self._sums(numbers)
            if sums is not None:
                # as Lava: products of payloads wrap, sums of weights do not
                return sums.astype(np.result_type(self.weights, numbers) if graded else np.int64)
        return self.weights.dot(numbers) if graded else self.weights[:, numbers].sum(axis=1)


class FastDelayDense(LeanModel, PyDelayDenseModelBitAcc):
    """`DelayDense`, whose weights Lava sorts by their delays anew in every time step."""

    s_in = LavaPyType(LeanInPort, np.bool_, precision=1)
    a_out = LavaPyType(LeanOutPort, np.int32, precision=16)
    _weights: Array | None = None
    _delays: Array | None = None
    _matrix: csr_matrix
    _heaviest = 0

    def calc_act(self, s_in: Array) -> Array:
        """What each neuron gets after each delay, (neurons, delays), as 64-bit numbers."""
        if self._weights is not self.weights or self._delays is not self.delays:
            self._weights, self._delays = self.weights, self.delays
            self._matrix, self._heaviest = self._by_delay(), peak(self.weights)
        highest = peak(s_in) * self._heaviest if s_in.dtype.kind in "bi" else INT32
        if highest >= INT32:  # Lava multiplies in 32 bits
            return super().calc_act(s_in)
        return self._matrix.dot(s_in.astype(np.int64)).reshape(self.a_buff.shape[::-1]).T

    def on_var_update(self) -> None:
        """Weights and delays may have changed in place."""
        self._weights = None

    def _by_delay(self) -> csr_matrix:
        """(delays · neurons, source neurons): the weights of each delay below those of the last."""
        neurons, delays = self.a_buff.shape
        heard = (self.weights != 0) & (self.delays >= 0) & (self.delays < delays)
        targets, sources = np.nonzero(heard)
        rows = self.delays[heard] * neurons + targets
        weights = self.weights[heard].astype(np.int64)
        return csr_matrix((weights, (rows, sources)), (delays * neurons, self.weights.shape[1]))


def _converted(sums: Sum) -> npt.NDArray[np.int32]:
    """As Lava converts its float64, those too that int32 does not hold."""
    if sums.dtype == np.int32:
        return sums.astype(np.int32, copy=False)
    with np.errstate(invalid="ignore"):
        return sums.astype(np.float64).astype(np.int32)


def _sums(connection: Convolution | Dense, shape: tuple[int, ...]) -> Sums | None:
    try:
        return Sums(connection, shape)
    except ValueError as error:
        _leave_to_lava("Conv" if isinstance(connection, Convolution) else "Dense", str(error))
        return None


def _leave_to_lava(process: str, reason: str) -> None:
    warnings.warn(f"{process}: {reason}; Lava's own model computes it", stacklevel=2)


def _wrapped(sums: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The lowest 24 bits, in two's complement."""
    half = 1 << (ACTIVATION_BITS - 1)
    sums += half
    sums &= 2 * half - 1
    sums -= half
    return sums
