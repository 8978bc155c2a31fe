"""The law of neurons that accumulate, in plain NumPy: what they do in each time step.

    in an accumulate window:     u ← 2u + a of bits, u ← u + a of spikes that count alike
    at a window's last step:     v ← v + u ; u ← 0
    at the first fire step:      v ← min(v + B, (N + 1)·Δ − 1)
    in fire step t of T:         s = [v ≥ Δ·2^(T−1−t)] ; v ← v − s·Δ·2^(T−1−t)
    after the last fire step:    v ← 0

It is a successive-approximation converter: the spikes are the bits of n, the highest first. A
population may take more fire steps than its levels have bits; the first of them are silent then.
Graded neurons do the same in a single step; the copies of a stock neuron remember nothing and
compare. Neurons that integrate and fire are in rate_law.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.neurons import BitSerial, Graded, Thermometer, bits_for
from snnc.compiler.spiking import Population, per_neuron
from snnc.compiler.timing import Slot

State: TypeAlias = npt.NDArray[np.int32]
Spikes: TypeAlias = npt.NDArray[np.uint8]
Record: TypeAlias = tuple[int | slice, npt.NDArray[np.uint8]]

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

    @property
    def time_steps(self) -> int:
        """The length of a turn."""
        return self._slot.time_steps

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

    def record(self, turn: int, fired: npt.NDArray[np.integer[Any]]) -> Record:
        """What a turn's step leaves behind: the places of its bit planes, and the planes."""
        return turn, np.packbits(fired)

    def _hear(self, now: int, arrived: State) -> None:
        windows = self._slot.windows
        heard = [w for w in windows if (now - w.start) % self._period < w.length]
        if heard:
            if any(each.train == "bits" for each in heard):
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
    """A population of `BitSerial` neurons."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        assert isinstance(population.neuron, BitSerial)
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


class GradedNeurons(Membrane):
    """A population of `Graded` neurons: n leaves as a payload, once or as a constant current."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        assert isinstance(population.neuron, Graded)
        self._step: State = per_neuron(population.neuron.step, population.shape).astype(np.int32)
        self._levels = population.neuron.levels
        self._planes = population.neuron.planes
        self._held: State = np.zeros_like(self._v)
        self._silence: State = np.zeros_like(self._v)

    def step(self, now: int, arrived: State) -> State:
        """Give the payload of each neuron in the image's turn, otherwise nothing."""
        self._hear(now, arrived)
        image, turn = self.turn(now)
        if image < 0 or turn >= self._slot.time_steps:
            return self._silence
        if turn == 0:
            self._add_bias()
            self._held = np.clip(self._v // self._step, 0, self._levels)
            self._v.fill(0)
        return self._held

    def record(self, turn: int, fired: npt.NDArray[np.integer[Any]]) -> Record:
        """The bits of the payload, the highest first."""
        places = np.arange(self._planes)[::-1, None]
        return slice(None), np.packbits((fired.reshape(1, -1) >> places) & 1 != 0, axis=1)


class Copies(Membrane):
    """A population of `Thermometer` neurons: they hear, compare and forget in one time step."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        assert isinstance(population.neuron, Thermometer)
        thresholds = [per_neuron(each, population.shape) for each in population.neuron.thresholds]
        self._thresholds: State = np.stack(thresholds).astype(np.int32)
        shape = len(thresholds), *population.shape
        self._silence: Spikes = np.zeros(shape, np.uint8)

    def step(self, now: int, arrived: State) -> Spikes:
        """Give 0 or 1 for each copy (copies, *shape)."""
        image, turn = self.turn(now)
        if image < 0 or turn >= self._slot.time_steps:
            return self._silence
        potential = arrived + self._bias
        self._count(potential)
        return (potential > self._thresholds).view(np.uint8)

    def record(self, turn: int, fired: npt.NDArray[np.integer[Any]]) -> Record:
        """A plane for each copy."""
        return slice(None), np.packbits(fired.reshape(len(fired), -1), axis=1)


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
