"""The law of neurons that integrate and fire, in plain NumPy: what they do in each time step.

    v ← v + a + B;  s = [v ≥ θ];  v ← v − s·θ

v saturates at the ends of its 24 bits; by the rules of legality it gets there under a constant
current alone, where the neuron fires in every step or never.

A neuron that calibrates does this three times over: it listens to the first ρ steps of its source's
train and decides from the residual potential whether it fired once too often or too seldom (Hao et
al., ICLR 2023, Theorem 1); it shifts v(0) by the least distance that removes or adds just one spike
(Theorem 2), perhaps more than once; then it receives the train again and fires for good.
"""

from __future__ import annotations

import numpy as np

from snnc.compiler.laws import OffsetSpike, Rate
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.rules.timing import Slot
from snnc.compiler.spiking import Population
from snnc.runtime.engines.lava.membrane import (
    HIGHEST_STATE,
    LOWEST_STATE,
    Membrane,
    Spikes,
    State,
)


class RateNeurons(Membrane):
    """A population of `Rate` neurons; what a calibrating neuron does in each of its phases too."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        neuron = population.neuron
        assert isinstance(neuron, Rate | OffsetSpike)
        self._threshold = np.zeros_like(self._v) + per_neuron(neuron.threshold, population.shape)
        self._initial = np.zeros_like(self._v) + per_neuron(neuron.initial, population.shape)
        self._steady = all(each.constant for each in slot.windows)
        self._silence: Spikes = np.zeros(population.shape, np.uint8)

    def step(self, now: int, arrived: State) -> Spikes:
        """Give 0 or 1 for each neuron in the image's turn, otherwise nothing."""
        image, turn = self.turn(now)
        if image < 0 or turn >= self._slot.turn:
            return self._silence
        if turn == 0:
            self._v[:] = self._initial
        return self._integrate(arrived)

    def _integrate(self, arrived: State) -> Spikes:
        self._v += arrived
        self._v += self._bias
        self._count(arrived)
        if not self._steady:
            self._count(self._v)
        np.clip(self._v, LOWEST_STATE, HIGHEST_STATE, out=self._v)
        spikes = self._v >= self._threshold
        self._v -= spikes * self._threshold
        return spikes.view(np.uint8)


class OffsetSpikeNeurons(RateNeurons):
    """A population of `OffsetSpike` neurons."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        neuron = population.neuron
        assert isinstance(neuron, OffsetSpike)
        self._neuron = neuron
        self._arrive = slot.windows[0].start
        again = [*range(neuron.rho)] * (neuron.iterations - 1)
        self._order = [*range(neuron.span), *again, *range(neuron.span)]
        """Which spike of the train each step of the turn sends."""
        self._register: Spikes = np.zeros((neuron.span, *population.shape), np.uint8)
        self._start = self._initial.copy()
        self._least_fired = np.zeros_like(self._v)
        self._most_silent = np.zeros_like(self._v)

    def step(self, now: int, arrived: State) -> Spikes:
        """Give 0 or 1 for each neuron: its train as it comes, and again from the register."""
        image, elapsed = divmod(now - self._arrive, self._period)
        if image >= 0:
            self._listen(elapsed, arrived)
        image, turn = self.turn(now)
        if image < 0 or turn >= self._slot.turn:
            return self._silence
        sent: Spikes = self._register[self._order[turn]]
        return sent

    def _listen(self, elapsed: int, arrived: State) -> None:
        """Live through a step of listening: of a calibration, of the train, or of neither."""
        neuron = self._neuron
        if elapsed == 0:
            self._start[:] = self._initial
        if 0 <= elapsed - neuron.wait < neuron.span:
            self._fire(elapsed - neuron.wait, arrived)
            return
        later = elapsed - neuron.span
        phase = elapsed if elapsed < neuron.rho else later % neuron.rho if later >= 0 else None
        if phase is not None and elapsed < neuron.wait:
            self._calibrate(phase, arrived)

    def _fire(self, step: int, arrived: State) -> None:
        if step == 0:
            self._v[:] = self._start
        self._register[step] = self._integrate(arrived)

    def _calibrate(self, step: int, arrived: State) -> None:
        if step == 0:
            self._v[:] = self._start
            self._least_fired.fill(HIGHEST_STATE)
            self._most_silent.fill(LOWEST_STATE)
        fired = self._integrate(arrived).view(np.bool_)
        np.minimum(self._least_fired, self._v, out=self._least_fired, where=fired)
        np.maximum(self._most_silent, self._v, out=self._most_silent, where=~fired)
        if step == self._neuron.rho - 1:
            self._start += self._shift()

    def _shift(self) -> State:
        """Theorems 1 and 2; the residual is counted from where the neuron started at first.

        The light variant starts from the residual, where Theorem 1 finds an offset.
        """
        residual = self._v - (self._start - self._initial)
        too_often = (residual < 0) & (self._least_fired < HIGHEST_STATE)
        too_seldom = (residual >= self._threshold) & (self._most_silent > LOWEST_STATE)
        if self._neuron.light:
            return np.asarray((too_often | too_seldom) * (self._v - self._start), np.int32)
        down = np.maximum(self._threshold, self._least_fired + 1)
        up = np.maximum(self._threshold, self._threshold - self._most_silent)
        return np.asarray(too_seldom * up - too_often * down, np.int32)
