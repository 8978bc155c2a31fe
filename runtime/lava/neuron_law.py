"""The law of the neurons, in plain NumPy: what they do in each time step, whoever simulates it.

    in an accumulate window:     u ← 2u + a
    at a window's last step:     v ← v + u ; u ← 0
    at the first fire step:      v ← min(v + B, (N + 1)·Δ − 1)
    in fire step t of T:         s = [v ≥ Δ·2^(T−1−t)] ; v ← v − s·Δ·2^(T−1−t)
    after the last fire step:    v ← 0

It is a successive-approximation converter: the spikes are the bits of n, the highest first. A
population may take more fire steps than its levels have bits; the first of them are silent then.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.spiking import Firing, Population, bits_for, per_neuron
from snnc.compiler.timing import Slot

State: TypeAlias = npt.NDArray[np.int32]
Spikes: TypeAlias = npt.NDArray[np.uint8]

STATE_BITS = 24
HIGHEST_STATE = 2 ** (STATE_BITS - 1) - 1
LOWEST_STATE = -(2 ** (STATE_BITS - 1))


class Membrane(ABC):
    """What every neuron has: it hears its windows in u, sums them in v and knows its turn.

    A value outside the signed 24 bits of a state is counted, never wrapped.
    """

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        self.overflows = 0
        self._u: State = np.zeros(population.shape, np.int32)
        self._v: State = np.zeros(population.shape, np.int32)
        self._bias: State = per_neuron(population.bias, population.shape).astype(np.int32)
        self._slot = slot
        self._period = period

    @abstractmethod
    def step(self, now: int, arrived: State) -> npt.NDArray[np.integer[Any]]:
        """Live through time step now, in which the weighted spikes arrived; give what is fired.

        The answer has the population's shape and is valid until the next step.
        """

    def turn(self, now: int) -> tuple[int, int]:
        """Give the image whose turn it is in time step now, and the steps since it began to fire.

        Before image 0 fires, the image is negative.
        """
        return divmod(now - self._slot.fire, self._period)

    def _hear(self, now: int, arrived: State) -> None:
        windows = self._slot.windows
        if any((now - each.start) % self._period < each.length for each in windows):
            self._u <<= 1
            self._u += arrived
            self._count(arrived)
            self._count(self._u)
        if any((now - each.last) % self._period == 0 for each in windows):
            self._v += self._u
            self._u.fill(0)
            self._count(self._v)

    def _add_bias(self) -> None:
        self._v += self._bias
        self._count(self._v)

    def _count(self, values: State) -> None:
        if values.max() > HIGHEST_STATE or values.min() < LOWEST_STATE:
            self.overflows += np.count_nonzero((values > HIGHEST_STATE) | (values < LOWEST_STATE))


class BitSerialNeurons(Membrane):
    """A population of `Firing` neurons."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        assert isinstance(population.neuron, Firing)
        step = per_neuron(population.neuron.step, population.shape).astype(np.int32)
        self._ceiling: State = (population.neuron.levels + 1) * step - 1
        bits = bits_for(population.neuron.levels)
        self._thresholds: list[State] = [step << bit for bit in reversed(range(bits))]
        self._lead = slot.time_steps - bits
        self._spikes = np.zeros(population.shape, np.bool_)
        self._fallen = np.zeros_like(self._v)
        self._silence: Spikes = np.zeros(population.shape, np.uint8)

    def step(self, now: int, arrived: State) -> Spikes:
        """Give 0 or 1 for each neuron: in the image's turn its next bit, otherwise nothing."""
        self._hear(now, arrived)
        image, turn = self.turn(now)
        if image < 0 or turn >= self._slot.time_steps:
            return self._silence
        if turn == 0:
            self._add_bias()
            np.minimum(self._v, self._ceiling, out=self._v)
        return self._silence if turn < self._lead else self._fire(turn - self._lead)

    def _fire(self, turn: int) -> Spikes:
        threshold = self._thresholds[turn]
        np.greater_equal(self._v, threshold, out=self._spikes)
        np.multiply(self._spikes, threshold, out=self._fallen)
        self._v -= self._fallen
        if turn + 1 == len(self._thresholds):
            self._v.fill(0)
        return self._spikes.view(np.uint8)


class ReadoutNeurons(Membrane):
    """A population of `Readout` neurons: v + B leaves once, as the payload of a graded spike."""

    def step(self, now: int, arrived: State) -> State:
        """Give v + B in the image's first fire step, otherwise nothing."""
        self._hear(now, arrived)
        image, turn = self.turn(now)
        shown = np.zeros_like(self._v)
        if image >= 0 and turn == 0:
            self._add_bias()
            shown, self._v = self._v, shown
        return shown
