"""The pixels, as spikes."""

# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess, ProcessParameters
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from snnc.runtime.engines.lava.channels import LeanModel, LeanOutPort
from snnc.runtime.engines.lava.parts import Source


class ImageSource(AbstractProcess):
    """Sends images as graded spikes or as bits, the highest first."""

    def __init__(self, *, source: Source, shape: tuple[int, ...]) -> None:
        super().__init__(source=source)
        self.s_out = OutPort(shape)


@implements(proc=ImageSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ImageSourceModel(LeanModel):
    """Reads the ring of images."""

    s_out: LeanOutPort = LavaPyType(LeanOutPort, np.int32, precision=24)

    def __init__(self, proc_params: ProcessParameters) -> None:
        super().__init__(proc_params)
        self._source: Source = proc_params["source"]

    def run_spk(self) -> None:
        """Live through one time step."""
        self.s_out.send(self._source.step(self.time_step - 1))
