"""The parts of a simulation in plain NumPy, for one Process of Lava each or for one in all."""

from __future__ import annotations

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.inputs import Input
from snnc.runtime.engines.lava.kernels import Kernel
from snnc.runtime.engines.lava.membrane import Membrane
from snnc.runtime.engines.lava.memory import Memory
from snnc.runtime.engines.sessions import cores

Sent = npt.NDArray[np.integer[Any]]


class Source:
    """Sends image i from time step i·period on; silent between two images and after the last."""

    def __init__(self, node: Input, period: int, memory: Memory) -> None:
        self._node, self._period, self._memory = node, period, memory
        self._silence = np.zeros(node.shape, np.int32)

    def step(self, now: int) -> Sent:
        """What the pixels send in time step now."""
        image, turn = divmod(now, self._period)
        if not self._memory.holds(image) or turn >= self._node.turn:
            return self._silence
        numbers = self._memory.levels[image % self._memory.capacity]
        before = self._memory.levels[(image - 1) % self._memory.capacity]
        return self._node.sent_in(turn, numbers, before if image else self._silence)


class Neurons:
    """The neurons of a population, and the log of what they send."""

    def __init__(self, law: Membrane, name: str, memory: Memory, *, shows: bool) -> None:
        self._law, self._name, self._memory = law, name, memory
        self._shows = shows

    def step(self, now: int, arrived: npt.NDArray[np.int32]) -> Sent:
        """Live through time step now; what is sent is the very array that is logged."""
        fired = self._law.step(now, arrived)
        image, turn = self._law.turn(now)
        if self._memory.holds(image) and turn < self._law.fire_steps:
            self._log(image % self._memory.capacity, turn, fired)
        self._memory.overflows[self._name][0] = self._law.overflows
        return fired

    def _log(self, place: int, turn: int, fired: Sent) -> None:
        if self._shows:
            self._memory.logits[place] = fired
            return
        planes, packed = self._law.record(turn, fired)
        self._memory.spikes[self._name][place, planes] = packed


class Synapses:
    """The synapses of a projection: what they weigh arrives one time step later."""

    def __init__(self, source: str, kernel: Kernel) -> None:
        self.source = source
        self.held = kernel.silence
        self.products = kernel.products
        self._kernel = kernel

    def weigh(self, spikes: Sent) -> None:
        """Take the spikes of this time step."""
        self.held = self._kernel(spikes)


@dataclass(frozen=True, eq=False)
class Layer:
    """A population and what leads to it."""

    name: str
    neurons: Neurons
    synapses: tuple[Synapses, ...]


class WholeNetwork:
    """All of a network, time step by time step, as its Processes would."""

    def __init__(self, name: str, source: Source, layers: tuple[Layer, ...]) -> None:
        self._name, self._source, self._layers = name, source, layers
        synapses = chain.from_iterable(each.synapses for each in layers)
        # the longest first, so that no core waits for one that began late
        self._synapses = sorted(synapses, key=lambda each: -each.products)
        self._workers: Executor | None = None

    def step(self, now: int) -> None:
        """Live through time step now; what layers weigh arrives later, so they need not wait."""
        sent = {self._name: self._source.step(now)}
        for each in self._layers:
            first, *others = (synapses.held for synapses in each.synapses)
            sent[each.name] = each.neurons.step(now, sum(others, first))
        if self._workers is None:  # here, for a fork copies no threads
            self._workers = ThreadPoolExecutor(cores())
        for _ in self._workers.map(lambda each: each.weigh(sent[each.source]), self._synapses):
            pass
