"""A whole network in one Process: nothing is sent from layer to layer but within it."""

# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.process.process import AbstractProcess, ProcessParameters
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from snnc.runtime.engines.lava.channels import LeanModel
from snnc.runtime.engines.lava.parts import WholeNetwork


class NetworkProcess(AbstractProcess):
    """A network that reads images and leaves results in memory."""

    def __init__(self, *, network: WholeNetwork) -> None:
        super().__init__(network=network)


@implements(proc=NetworkProcess, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class NetworkModel(LeanModel):
    """Steps all layers."""

    def __init__(self, proc_params: ProcessParameters) -> None:
        super().__init__(proc_params)
        self._network: WholeNetwork = proc_params["network"]

    def run_spk(self) -> None:
        """Live through one time step."""
        self._network.step(self.time_step - 1)
