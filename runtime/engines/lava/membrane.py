"""What all neurons of the simulator share: two states, a slot in time and the record of a turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws.base import per_neuron
from snnc.compiler.rules.timing import Slot
from snnc.compiler.spiking import Population
from snnc.compiler.target import LOIHI

State: TypeAlias = npt.NDArray[np.int32]
Spikes: TypeAlias = npt.NDArray[np.uint8]
Record: TypeAlias = tuple[int | slice, npt.NDArray[np.uint8]]

LOWEST_STATE, HIGHEST_STATE = LOIHI.state_min, LOIHI.state_max
"""Stock neurons have less, which the rules of legality hold them to."""


class _Phase(NamedTuple):
    """What a neuron does in a time step of the period."""

    hears: bool
    doubles: bool
    """What it heard before weighs twice as much: bits arrive."""
    drains: bool


class Membrane(ABC):
    """What every neuron has: it sums its windows in u, drains u into v and knows its turn.

    A value that leaves the states of the chip is counted, never wrapped.
    """

    def __init__(self, population: Population, slot: Slot, period: int) -> None:
        self.overflows = 0
        self._u: State = np.zeros(population.shape, np.int32)
        self._v: State = np.zeros(population.shape, np.int32)
        self._bias: State = per_neuron(population.bias, population.shape).astype(np.int32)
        self._slot = slot
        self._period = period
        self._phases: dict[int, _Phase] = {}

    @property
    def sent_shape(self) -> tuple[int, ...]:
        """The shape of what it sends in one time step."""
        return self._v.shape

    @property
    def fire_steps(self) -> int:
        """The length of a turn."""
        return self._slot.turn

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

    def _receive(self, now: int, arrived: State) -> None:
        step = now % self._period
        phase = self._phases.get(step)
        if phase is None:
            phase = self._phases[step] = _phase(self._slot, self._period, step)
        if phase.hears:
            if phase.doubles:
                self._u <<= 1
            self._u += arrived
            self._count(arrived)
            self._count(self._u)
        if phase.drains:
            self._v += self._u
            self._u.fill(0)
            self._count(self._v)

    def _add_bias(self) -> None:
        self._v += self._bias
        self._count(self._v)

    def _count(self, values: State) -> None:
        if values.max() > HIGHEST_STATE or values.min() < LOWEST_STATE:
            outside = (values > HIGHEST_STATE) | (values < LOWEST_STATE)
            self.overflows += int(np.count_nonzero(outside))


def _phase(slot: Slot, period: int, step: int) -> _Phase:
    heard = [each for each in slot.windows if (step - each.start) % period < each.length]
    return _Phase(
        hears=bool(heard),
        doubles=any(each.train == "bits" for each in heard),
        drains=any((step - each.last) % period == 0 for each in slot.windows),
    )
