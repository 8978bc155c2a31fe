"""Lava's neurons, with fewer passes over their states.

Every model is a subclass of the one that it stands for, and does only the arithmetic otherwise.
A leaky integrate-and-fire neuron does in each time step:

    u ← trunc(u·(4096 − δu)/4096) + 64·a, wrapped to 24 bits once;
    v ← trunc(v·(4096 − δv)/4096) + u + B, held within ±(2^23 − 1);  spike where v > 64·θ;  v ← 0

A state of 32 bits by a factor of 13 bits is exact in a float64, and so is its 4096th part, whose
conversion to a whole number truncates.
"""

# mypy: disable-error-code="misc"

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from lava.magma.core.model.py.type import LavaPyType
from lava.proc.lif.models import (
    AbstractPyLifModelFixed,
    PyLifModelBitAcc,
    PyLifResetModelBitAcc,
)
from lava.proc.sdn.models import PyDeltaModelFixed, PySigmaDeltaModelFixed, PySigmaModelFixed

from snnc.runtime.engines.lava.channels import LeanInPort, LeanModel, LeanOutPort

Array = npt.NDArray[Any]
UNITY, HIGHEST = 1 << 12, 1 << 23


class FastMembrane(LeanModel, AbstractPyLifModelFixed):
    """What both models do otherwise than Lava's."""

    a_in = LavaPyType(LeanInPort, np.int16, precision=16)
    s_out = LavaPyType(LeanOutPort, np.int32, precision=24)
    u: Any
    v: Any
    effective_vth: Any
    _mantissa: Array | None = None
    _exponent: Array | None = None
    """What the bias was made of."""
    _scaled: npt.NDArray[np.float64] | None = None

    def scale_bias(self) -> None:
        """Make the bias anew where it was written to."""
        if self._mantissa is not self.bias_mant or self._exponent is not self.bias_exp:
            super().scale_bias()
            self._mantissa, self._exponent = self.bias_mant, self.bias_exp

    def on_var_update(self) -> None:
        """A bias may have changed in place."""
        self._mantissa = None

    def scale_threshold(self) -> None:
        """Keep the threshold in the type of the states, if it fits."""
        super().scale_threshold()
        threshold = np.asarray(self.effective_vth)
        if np.array_equal(threshold.astype(np.int32), threshold):
            self.effective_vth = threshold.astype(np.int32)

    def subthr_dynamics(self, activation_in: Array) -> None:
        """One time step of both states."""
        self.u, self.v = _in_32_bits(self.u), _in_32_bits(self.v)
        kept = [self.decay_unity - (self.du + self.ds_offset), self.decay_unity - self.dv]
        states = (self.u, self.v, self.effective_bias)
        if any(each.dtype != np.int32 for each in states) or not all(map(_is_share, kept)):
            super().subthr_dynamics(activation_in)
            return
        self._decay(self.u, kept[0])
        self.u += np.left_shift(activation_in, self.act_shift)
        self._wrap()
        self._decay(self.v, kept[1])
        self.v += self.u
        self.v += self.effective_bias
        np.clip(self.v, 1 - self.max_uv_val, self.max_uv_val - 1, out=self.v)

    def reset_voltage(self, spike_vector: npt.NDArray[np.bool_]) -> None:
        """Set the potential of who fired to 0."""
        np.copyto(self.v, 0, where=spike_vector)

    def _decay(self, state: npt.NDArray[np.int32], kept: Array) -> None:
        """Keep so many 4096th parts, truncated."""
        if np.all(kept == self.decay_unity):
            return
        if self._scaled is None:
            self._scaled = np.empty(state.shape)
        np.multiply(state, kept / self.decay_unity, out=self._scaled)
        np.copyto(state, self._scaled, casting="unsafe")

    def _wrap(self) -> None:
        """Bring u back by 2^24 once, as Lava does, however far away it is."""
        if self.u.max() > self.max_uv_val:
            self.u[self.u > self.max_uv_val] -= 2 * self.max_uv_val
        if self.u.min() <= -self.max_uv_val:
            self.u[self.u <= -self.max_uv_val] += 2 * self.max_uv_val


class FastLif(FastMembrane, PyLifModelBitAcc):
    """`LIF`."""


class FastLifReset(FastMembrane, PyLifResetModelBitAcc):
    """`LIFReset`."""


class FastDelta(LeanModel, PyDeltaModelFixed):
    """`Delta`: Lava's arithmetic between quicker ports."""

    a_in = LavaPyType(LeanInPort, np.int32, precision=24)
    s_out = LavaPyType(LeanOutPort, np.int32, precision=24)


class FastSigma(LeanModel, PySigmaModelFixed):
    """`Sigma`: Lava's arithmetic between quicker ports."""

    a_in = LavaPyType(LeanInPort, np.int32, precision=24)
    s_out = LavaPyType(LeanOutPort, np.int32, precision=24)


class FastSigmaDelta(LeanModel, PySigmaDeltaModelFixed):
    """`SigmaDelta`: Lava's arithmetic between quicker ports."""

    a_in = LavaPyType(LeanInPort, np.int32, precision=24)
    s_out = LavaPyType(LeanOutPort, np.int32, precision=24)


def _is_share(kept: Array) -> bool:
    """Whether it is a whole number of 4096th parts."""
    parts = np.asarray(kept)
    return parts.dtype.kind in "iu" and bool(np.all((parts >= 0) & (parts <= UNITY)))


def _in_32_bits(state: Array) -> Array:
    """A state that came through a port of another type, in its own again if it fits."""
    if state.dtype == np.int32 or state.dtype.kind != "i":
        return state
    fits = state.max() < HIGHEST and state.min() > -HIGHEST
    return state.astype(np.int32) if fits else state
