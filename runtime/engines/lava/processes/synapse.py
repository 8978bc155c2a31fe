"""The synapses of one projection, with the timing of Lava's own Dense and Conv."""

# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess, ProcessParameters
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from snnc.runtime.engines.lava.channels import LeanInPort, LeanModel, LeanOutPort
from snnc.runtime.engines.lava.parts import Synapses


class Synapse(AbstractProcess):
    """Weighs the spikes at s_in; their sum leaves at a_out one time step later."""

    def __init__(
        self, *, synapses: Synapses, source_shape: tuple[int, ...], shape: tuple[int, ...]
    ) -> None:
        super().__init__(synapses=synapses)
        self.s_in = InPort(source_shape)
        self.a_out = OutPort(shape)


@implements(proc=Synapse, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SynapseModel(LeanModel):
    """Sends before it receives: that is the step of delay."""

    s_in: LeanInPort = LavaPyType(LeanInPort, np.uint8)
    a_out: LeanOutPort = LavaPyType(LeanOutPort, np.int32, precision=24)

    def __init__(self, proc_params: ProcessParameters) -> None:
        super().__init__(proc_params)
        self._synapses: Synapses = proc_params["synapses"]

    def run_spk(self) -> None:
        """Live through one time step."""
        self.a_out.send(self._synapses.held)
        self._synapses.weigh(self.s_in.recv())
