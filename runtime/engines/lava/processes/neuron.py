"""The neurons of one population, in a Process of their own."""

# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess, ProcessParameters
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from snnc.runtime.engines.lava.parts import Neurons


class NeuronProcess(AbstractProcess):
    """What sums the currents at a_in and sends what it fires to s_out."""

    def __init__(
        self, *, neurons: Neurons, shape: tuple[int, ...], sent_shape: tuple[int, ...]
    ) -> None:
        super().__init__(neurons=neurons)
        self.a_in = InPort(shape)
        self.s_out = OutPort(sent_shape)


class SpikeProcess(NeuronProcess):
    """Neurons that send spikes, in one time step or in many; of copies each its own."""


class PayloadProcess(NeuronProcess):
    """Neurons that send a number as the payload of one spike."""


class PotentialProcess(NeuronProcess):
    """Neurons without an activation: their potential leaves once for each image."""


class NeuronsModel(PyLoihiProcessModel):
    """Sends the very array that is logged."""

    a_in: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ProcessParameters) -> None:
        super().__init__(proc_params)
        self._neurons: Neurons = proc_params["neurons"]

    def run_spk(self) -> None:
        """Live through one time step."""
        self.s_out.send(self._neurons.step(self.time_step - 1, self.a_in.recv()))


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
