"""The ends of Lava's channels without Lava's threads.

Lava gives each end of a channel a thread, which waits for the other end's semaphore and then wakes
the model: three switches for a message. Here the model waits for the semaphore itself. Either end
of a channel may do so whatever the other does.
"""

# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from lava.magma.compiler.channels.pypychannel import CspRecvPort, CspSendPort
from lava.magma.compiler.channels.watchdog import NoOPWatchdog
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPortVectorDense, PyOutPortVectorDense

Array = npt.NDArray[Any]


class Receiver:
    """What a model needs of a `CspRecvPort` that it alone waits for."""

    observer: object = None
    """Nobody is told of messages."""

    def __init__(self, port: CspRecvPort) -> None:
        self.port = port
        self._slots: Sequence[Array] = ()
        self._place = 0
        self._arrived = False

    def start(self) -> None:
        """Look at the shared memory."""
        self._slots = _slots(self.port)

    def probe(self) -> bool:
        """Wait for a message."""
        if not self._arrived:
            self._arrived = self.port._req.acquire()
        return True

    def recv(self) -> Array:
        """Wait for a message, and take it."""
        self.probe()
        message = self._slots[self._place].copy()
        self._place = (self._place + 1) % len(self._slots)
        self._arrived = False
        self.port._ack.release()
        return message

    def join(self) -> None:
        """Leave the channel."""
        self.port.join()


class Sender:
    """What a model needs of a `CspSendPort`."""

    def __init__(self, port: CspSendPort) -> None:
        self.port = port
        self._slots: Sequence[Array] = ()
        self._place = 0
        self._fresh = 0

    def start(self) -> None:
        """Look at the shared memory."""
        self._slots = _slots(self.port)
        self._fresh = len(self._slots)

    def send(self, data: Array) -> None:
        """Send a message as soon as there is room."""
        if data.shape != self.port.shape:
            raise AssertionError(f"{data.shape} is sent through a channel of {self.port.shape}")
        if self._fresh:
            self._fresh -= 1
        else:
            self.port._ack.acquire()
        self._slots[self._place][...] = data
        self._place = (self._place + 1) % len(self._slots)
        self.port._req.release()

    def join(self) -> None:
        """Leave the channel."""
        self.port.join()


class LeanInPort(PyInPortVectorDense):
    """Takes what it receives, where Lava adds it to zeros of the port's type."""

    def start(self) -> None:
        """Wait for messages without threads."""
        self._ends = [_lean(each) for each in self.csp_ports]
        for each in self._ends:
            each.start()

    def recv(self) -> Array:
        """The sum of what all sources sent: values and type are those of Lava's port."""
        if not self.csp_ports:
            return np.zeros(self._shape, self._d_type)
        first, *others = map(self._transformed, self._ends, self.csp_ports)
        return sum(others, first.astype(np.result_type(self._d_type, first), copy=False))

    def _transformed(self, end: Receiver, port: CspRecvPort) -> Array:
        found: Array = self._transformer.transform(end.recv(), port)
        return found


class LeanOutPort(PyOutPortVectorDense):
    """Sends without threads."""

    def start(self) -> None:
        """Look at the shared memory."""
        self._csp_ports = [_lean(each) for each in self.csp_ports]
        super().start()


class LeanModel(PyLoihiProcessModel):
    """A model that waits for its commands without threads."""

    service_to_process: Any
    process_to_service: Any

    def start(self) -> None:
        """Serve the runtime until it says stop."""
        self.process_to_service = _lean(self.process_to_service)
        if not self.var_ports:  # who has some waits for several channels at once
            self.service_to_process = _lean(self.service_to_process)
        super().start()


def _lean(port: CspRecvPort | CspSendPort) -> Any:  # noqa: ANN401
    """An end without a thread; Lava's own where a watchdog looks on."""
    if type(port) not in (CspRecvPort, CspSendPort) or type(port._io_watchdog) is not NoOPWatchdog:
        return port
    return Receiver(port) if isinstance(port, CspRecvPort) else Sender(port)


def _slots(port: CspRecvPort | CspSendPort) -> list[Array]:
    """The messages that the shared memory of a channel has room for."""
    count, size = port.size, port._nbytes
    parts = (port._shm.buf[size * each : size * (each + 1)] for each in range(count))
    return [np.ndarray(port.shape, port.d_type, each) for each in parts]
