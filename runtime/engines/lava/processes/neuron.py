"""The neurons of one population, and the log of what they do."""

# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess, ProcessParameters
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from snnc.compiler.spiking import Population
from snnc.runtime.engines.lava.membrane import Membrane
from snnc.runtime.engines.lava.memory import Memory


class Neurons(AbstractProcess):
    """What sums the currents at a_in and sends what it fires to s_out."""

    def __init__(
        self,
        *,
        law: Membrane,
        population: Population,
        memory: Memory,
    ) -> None:
        super().__init__(law=law, name=population.name, memory=memory)
        self.a_in = InPort(population.shape)
        self.s_out = OutPort(law.sent_shape)


class SpikeProcess(Neurons):
    """Neurons that send spikes, in one time step or in many; of copies each its own."""


class PayloadProcess(Neurons):
    """Neurons that send a number as the payload of one spike."""


class PotentialProcess(Neurons):
    """Neurons without an activation: their potential leaves once for each image."""


class NeuronsModel(PyLoihiProcessModel):
    """Logs the very array that it sends."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ProcessParameters) -> None:
        super().__init__(proc_params)
        self._name: str = proc_params["name"]
        self._memory: Memory = proc_params["memory"]
        self._law: Membrane = proc_params["law"]

    def run_spk(self) -> None:
        """Live through one time step."""
        now = self.time_step - 1
        fired = self._law.step(now, self.a_in.recv())
        self.s_out.send(fired)
        image, turn = self._law.turn(now)
        if self._memory.holds(image) and turn < self._law.fire_steps:
            self._log(image % self._memory.capacity, turn, fired)
        self._memory.overflows[self._name][0] = self._law.overflows

    def _log(self, place: int, turn: int, fired: npt.NDArray[np.integer[Any]]) -> None:
        planes, packed = self._law.record(turn, fired)
        self._memory.spikes[self._name][place, planes] = packed


@implements(proc=SpikeProcess, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeProcessModel(NeuronsModel):
    """Sends bits."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.uint8, precision=1)


@implements(proc=PayloadProcess, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PayloadProcessModel(NeuronsModel):
    """Sends payloads."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)


@implements(proc=PotentialProcess, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PotentialProcessModel(NeuronsModel):
    """Sends potentials."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def _log(self, place: int, turn: int, fired: npt.NDArray[np.integer[Any]]) -> None:
        self._memory.logits[place] = fired
