"""The pixels, as spikes."""

# mypy: disable-error-code="misc, untyped-decorator"

from __future__ import annotations

import numpy as np
from lava.magma.core.decorator import implements, requires, tag
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import OutPort
from lava.magma.core.process.process import AbstractProcess, ProcessParameters
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

from snnc.compiler.inputs import Input
from snnc.runtime.engines.lava.memory import Memory


class ImageSource(AbstractProcess):
    """Sends image i from time step i·period on, as graded spikes or as bits, the highest first."""

    def __init__(self, *, node: Input, period: int, memory: Memory) -> None:
        super().__init__(node=node, period=period, memory=memory)
        self.s_out = OutPort(node.shape)


@implements(proc=ImageSource, protocol=LoihiProtocol)
@requires(CPU)
@tag("fixed_pt")
class ImageSourceModel(PyLoihiProcessModel):
    """Reads the ring of images; silent between two images and after the last."""

    s_out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int32, precision=24)

    def __init__(self, proc_params: ProcessParameters) -> None:
        super().__init__(proc_params)
        node: Input = proc_params["node"]
        self._period: int = proc_params["period"]
        self._memory: Memory = proc_params["memory"]
        self._node = node
        self._silence = np.zeros(node.shape, np.int32)

    def run_spk(self) -> None:
        """Live through one time step."""
        image, turn = divmod(self.time_step - 1, self._period)
        if not self._memory.holds(image) or turn >= self._node.turn:
            self.s_out.send(self._silence)
            return
        numbers = self._memory.levels[image % self._memory.capacity]
        before = self._memory.levels[(image - 1) % self._memory.capacity]
        self.s_out.send(self._node.sent_in(turn, numbers, before if image else self._silence))
