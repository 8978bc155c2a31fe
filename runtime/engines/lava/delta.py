"""The law of neurons that keep their sum, in plain NumPy: what they do in each time step.

    in an accumulate window:     u ← u + a
    at a window's last step:     v ← v + u ; u ← 0
    at the fire step:            n ← clip(⌊(v + B)/Δ⌋, 0, N) ; send n − n' ; n' ← n

v is never taken back: it is the sum of the frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws import Delta
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.laws.planes import bits_of
from snnc.compiler.rules.timing import Slot
from snnc.compiler.spiking import Population
from snnc.runtime.engines.lava.membrane import Membrane, Record, State


class DeltaNeurons(Membrane):
    """A population of `Delta` neurons."""

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        super().__init__(population, slot, period)
        assert isinstance(population.neuron, Delta)
        self._step: State = per_neuron(population.neuron.step, population.shape).astype(np.int32)
        self._highest = population.neuron.levels
        self._planes = population.neuron.planes
        self._level = np.zeros_like(self._v)
        self._silence: State = np.zeros_like(self._v)

    def step(self, now: int, arrived: State) -> State:
        """Give the change of each neuron's level in the frame's turn, otherwise nothing."""
        self._receive(now, arrived)
        frame, turn = self.turn(now)
        if frame < 0 or turn:
            return self._silence
        potential = self._v + self._bias
        self._count(potential)
        level = np.clip(potential // self._step, 0, self._highest)
        change, self._level = level - self._level, level
        return change

    def record(self, turn: int, fired: npt.NDArray[np.integer[Any]]) -> Record:
        """The bits of the change in two's complement, the highest first."""
        return slice(None), bits_of(fired[None], self._planes)[0]


class DeltaReadoutNeurons(Membrane):
    """A population of `DeltaReadout` neurons: v + B in every frame, and v is kept."""

    def step(self, now: int, arrived: State) -> State:
        """Give v + B in the frame's fire step, otherwise nothing."""
        self._receive(now, arrived)
        frame, turn = self.turn(now)
        if frame < 0 or turn:
            return np.zeros_like(self._v)
        shown: State = self._v + self._bias
        self._count(shown)
        return shown
