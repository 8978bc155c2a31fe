"""The neurons of one population and the synapses of its first projection, in one Process.

Every Process costs a share of each time step, and what it sends is copied twice: sums within a
Process cost neither. The other projections of a population are Processes of their own.
"""

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
from snnc.runtime.engines.lava.parts import Layer


class NeuronProcess(AbstractProcess):
    """What weighs the spikes at s_in, adds the sums at a_in and sends what it fires to s_out."""

    def __init__(
        self,
        *,
        layer: Layer,
        source_shape: tuple[int, ...],
        shape: tuple[int, ...],
        sent_shape: tuple[int, ...],
    ) -> None:
        super().__init__(layer=layer)
        self.s_in = InPort(source_shape)
        self.a_in = InPort(shape)
        self.s_out = OutPort(sent_shape)


class SpikeProcess(NeuronProcess):
    """Neurons that send spikes, in one time step or in many; of copies each its own."""


class PayloadProcess(NeuronProcess):
    """Neurons that send a number as the payload of one spike."""


class PotentialProcess(NeuronProcess):
    """Neurons without an activation: their potential leaves once for each image."""


class NeuronsModel(LeanModel):
    """Sends the very array that is logged, before it receives: that is the synapses' delay."""

    s_in: LeanInPort = LavaPyType(LeanInPort, np.uint8)
    a_in: LeanInPort = LavaPyType(LeanInPort, np.int32, precision=24)

    def __init__(self, proc_params: ProcessParameters) -> None:
        super().__init__(proc_params)
        layer: Layer = proc_params["layer"]
        self._neurons, self._synapses = layer.neurons, layer.synapses[0]

    def run_spk(self) -> None:
        """Live through one time step."""
        arrived = self._synapses.held
        if self.a_in.csp_ports:
            arrived = arrived + self.a_in.recv()
        self.s_out.send(self._neurons.step(self.time_step - 1, arrived))
        self._synapses.weigh(self.s_in.recv())


@implements(proc=SpikeProcess, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class SpikeProcessModel(NeuronsModel):
    """Sends bits."""

    s_out: LeanOutPort = LavaPyType(LeanOutPort, np.uint8, precision=1)


@implements(proc=PayloadProcess, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PayloadProcessModel(NeuronsModel):
    """Sends payloads."""

    s_out: LeanOutPort = LavaPyType(LeanOutPort, np.int32, precision=24)


@implements(proc=PotentialProcess, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class PotentialProcessModel(NeuronsModel):
    """Sends potentials."""

    s_out: LeanOutPort = LavaPyType(LeanOutPort, np.int32, precision=24)
