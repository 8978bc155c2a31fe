"""A process model of Lava on its own: built by Lava's builder, fed and read by hand."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
INT32 = np.dtype(np.int32)


class Wire:
    """Stands for both ends of a channel."""

    def __init__(self, dtype: npt.DTypeLike = INT32) -> None:
        self._dtype = dtype
        self._sent: deque[Array] = deque()

    def start(self) -> None:
        """Nothing waits."""

    def send(self, data: Array) -> None:
        """Convert as shared memory does."""
        self._sent.append(np.array(data).astype(self._dtype))

    def recv(self) -> Array:
        """Take the first that was sent."""
        return self._sent.popleft()


class Alone:
    """A process in one of its models, time step by time step.

    Args:
        process: of Lava.
        model: which of its models.
        dtype: of what it receives; Lava's models send int32.
        sources: how many send to it.
    """

    def __init__(
        self, process: Any, model: Any, dtype: npt.DTypeLike = INT32, sources: int = 1
    ) -> None:
        from lava.magma.compiler.builders.py_builder import PyProcessBuilder
        from lava.magma.compiler.utils import PortInitializer, VarInitializer

        builder = PyProcessBuilder(model, 0, process.proc_params)
        ports = [*process.in_ports, *process.out_ports]
        builder.set_variables(
            [VarInitializer(each.name, each.shape, each.init, each.id) for each in process.vars]
        )
        builder.set_py_ports(
            [
                PortInitializer(each.name, each.shape, np.int32, type(each).__name__, 2)
                for each in ports
            ]
        )
        self.model = builder.build()
        self._heard = [Wire(dtype) for _ in range(sources)]
        self._told = Wire()
        (heard,) = (getattr(self.model, each.name) for each in process.in_ports)
        (told,) = (getattr(self.model, each.name) for each in process.out_ports)
        heard._csp_ports, told._csp_ports = self._heard, [self._told]
        heard.start()
        told.start()

    def step(self, *numbers: Array) -> Array:
        """What it sends in a time step in which its sources send these numbers."""
        for wire, sent in zip(self._heard, numbers, strict=True):
            wire.send(sent)
        self.model.time_step += 1
        self.model.run_spk()
        return self._told.recv()
