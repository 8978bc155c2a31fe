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

from operator import is_not
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
Share = float | npt.NDArray[np.float64]
UNITY, HIGHEST = 1 << 12, 1 << 23


class FastMembrane(LeanModel, AbstractPyLifModelFixed):
    """What both models do otherwise than Lava's."""

    a_in = LavaPyType(LeanInPort, np.int16, precision=16)
    s_out = LavaPyType(LeanOutPort, np.int32, precision=24)
    u: Any
    v: Any
    effective_vth: Any
    _seen: tuple[Any, ...] | None = None
    """The variables that what follows was made of."""
    _kept: tuple[Share, Share] | None = None
    """What remains of u and of v from a time step to the next; None where Lava is to say."""
    _scaled: npt.NDArray[np.float64] | None = None

    def scale_bias(self) -> None:
        """Make what constants are made of anew where one was written to."""
        given = (self.bias_mant, self.bias_exp, self.du, self.dv)
        if self._seen is None or any(map(is_not, given, self._seen)):
            super().scale_bias()
            self._seen = given
            kept = (self.decay_unity - (self.du + self.ds_offset), self.decay_unity - self.dv)
            exact = all(map(_is_share, kept)) and self.effective_bias.dtype == np.int32
            self._kept = (kept[0] / UNITY, kept[1] / UNITY) if exact else None

    def on_var_update(self) -> None:
        """Variables may have changed in place."""
        self._seen = None

    def scale_threshold(self) -> None:
        """Keep the threshold in the type of the states, if it fits."""
        super().scale_threshold()
        threshold = np.asarray(self.effective_vth)
        if np.array_equal(threshold.astype(np.int32), threshold):
            self.effective_vth = threshold.astype(np.int32)

    def subthr_dynamics(self, activation_in: Array) -> None:
        """One time step of both states."""
        self.u, self.v = _in_32_bits(self.u), _in_32_bits(self.v)
        if self._kept is None or not self.u.dtype == self.v.dtype == np.int32:
            super().subthr_dynamics(activation_in)
            return
        self._decay(self.u, self._kept[0])
        self.u += np.left_shift(activation_in, self.act_shift)
        self._wrap()
        self._decay(self.v, self._kept[1])
        self.v += self.u
        self.v += self.effective_bias
        np.maximum(self.v, 1 - self.max_uv_val, out=self.v)
        np.minimum(self.v, self.max_uv_val - 1, out=self.v)

    def reset_voltage(self, spike_vector: npt.NDArray[np.bool_]) -> None:
        """Set the potential of who fired to 0."""
        np.copyto(self.v, 0, where=spike_vector)

    def _decay(self, state: npt.NDArray[np.int32], kept: Share) -> None:
        """Keep this share, truncated."""
        if isinstance(kept, float) and kept == 1:
            return
        if self._scaled is None:
            self._scaled = np.empty(state.shape)
        np.multiply(state, kept, out=self._scaled)
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
