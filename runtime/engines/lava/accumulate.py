"""The law of neurons that accumulate, in plain NumPy: what they do in each time step.

    in an accumulate window:     u ← 2u + a of bits, u ← u + a of spikes that count alike
    at a window's last step:     v ← v + u ; u ← 0
    at the first fire step:      v ← min(v + B, (N + 1)·Δ − 1)
    in fire step t of T:         s = [v ≥ Δ·2^(T−1−t)] ; v ← v − s·Δ·2^(T−1−t)
    after the last fire step:    v ← 0

It is a successive-approximation converter: the spikes are the bits of n, the highest first. A
population may take more fire steps than its levels have bits; the first of them are silent then.
Graded neurons do the same in a single step; the copies of a stock neuron remember nothing and
compare. Neurons that integrate and fire are in integrate.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws import BitSerial, Copies, Current, Graded, bits_for
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.laws.planes import bits_of
from snnc.compiler.rules.timing import Slot
from snnc.compiler.spiking import Population
from snnc.runtime.engines.lava.membrane import Membrane, Record, Spikes, State


class BitSerialNeurons(Membrane):
    """A population of `BitSerial` neurons."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        assert isinstance(population.neuron, BitSerial)
        step = per_neuron(population.neuron.step, population.shape).astype(np.int32)
        self._ceiling: State = (population.neuron.levels + 1) * step - 1
        bits = bits_for(population.neuron.levels)
        self._thresholds: list[State] = [step << bit for bit in reversed(range(bits))]
        self._lead = slot.turn - bits
        self._spikes = np.zeros(population.shape, np.bool_)
        self._fallen = np.zeros_like(self._v)
        self._silence: Spikes = np.zeros(population.shape, np.uint8)

    def step(self, now: int, arrived: State) -> Spikes:
        """Give 0 or 1 for each neuron: in the image's turn its next bit, otherwise nothing."""
        self._receive(now, arrived)
        image, turn = self.turn(now)
        if image < 0 or turn >= self._slot.turn:
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
    """A population of `Graded` or `Current` neurons: n leaves as a payload, once or many times."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        assert isinstance(population.neuron, Graded | Current)
        self._step: State = per_neuron(population.neuron.step, population.shape).astype(np.int32)
        self._levels = population.neuron.levels
        self._planes = population.neuron.planes
        self._held: State = np.zeros_like(self._v)
        self._silence: State = np.zeros_like(self._v)

    def step(self, now: int, arrived: State) -> State:
        """Give the payload of each neuron in the image's turn, otherwise nothing."""
        self._receive(now, arrived)
        image, turn = self.turn(now)
        if image < 0 or turn >= self._slot.turn:
            return self._silence
        if turn == 0:
            self._add_bias()
            self._held = np.clip(self._v // self._step, 0, self._levels)
            self._v.fill(0)
        return self._held

    def record(self, turn: int, fired: npt.NDArray[np.integer[Any]]) -> Record:
        """The bits of the payload, the highest first."""
        return slice(None), bits_of(fired[None], self._planes)[0]


class CopiesOfNeurons(Membrane):
    """A population of `Copies` neurons: they sum, compare and forget in one time step."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        assert isinstance(population.neuron, Copies)
        thresholds = [per_neuron(each, population.shape) for each in population.neuron.thresholds]
        self._thresholds: State = np.stack(thresholds).astype(np.int32)
        shape = len(thresholds), *population.shape
        self._silence: Spikes = np.zeros(shape, np.uint8)

    @property
    def sent_shape(self) -> tuple[int, ...]:
        """The spikes of all copies."""
        return (len(self._thresholds), *self._v.shape)

    def step(self, now: int, arrived: State) -> Spikes:
        """Give 0 or 1 for each copy (copies, *shape)."""
        image, turn = self.turn(now)
        if image < 0 or turn >= self._slot.turn:
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
        self._receive(now, arrived)
        image, turn = self.turn(now)
        shown = np.zeros_like(self._v)
        if image >= 0 and turn == 0:
            self._add_bias()
            shown, self._v = self._v, shown
        return shown
