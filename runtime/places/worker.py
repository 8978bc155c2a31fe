"""The program of a worker: it does tasks until its caller closes the socket, or its stdin."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from snnc.runtime.places.messages import Begin, Done, Failed, Told

PATIENCE_SECONDS = 10.0
"""Until a worker that cannot end what it has begun ends all the same."""
ENDED = 0


def main() -> None:
    """Do what the caller says."""
    _on_signals()
    threading.Thread(target=_follow_the_caller, daemon=True).start()
    status = ENDED
    try:
        connection = Connection(int(sys.argv[1]))
        # the caller sees by its end that the worker is gone, though what it forked may last longer
        os.register_at_fork(after_in_child=connection.close)
        _serve(connection)
    except (EOFError, OSError):
        pass  # the caller has gone
    except SystemExit as end:
        status = int(str(end.code))
    finally:
        sys.stderr.flush()
        os._exit(
            status
        )  # what libraries would still do may be interrupted, and nobody waits for it


def _serve(connection: Connection) -> None:
    """Answer every task; whatever fails is told, the imports of what is sent too."""

    def tell(name: str, done: int, total: int) -> None:
        connection.send(Told(name, done, total))

    work: Callable[..., Any] | None = None
    while True:
        content = connection.recv_bytes()
        try:
            message = pickle.loads(content)
            if isinstance(message, Begin):
                work = message.begun()
                continue
            assert work is not None
            answer: Done | Failed = Done(work(message, tell))
        except Exception as error:
            answer = Failed.by(error)
        connection.send(answer)


def _on_signals() -> None:
    """Ctrl-C is the caller's; SIGTERM ends what was begun, and then the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _follow_the_caller() -> None:
    """Wait for the end of stdin, without a lock that a fork would copy."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_SECONDS)
    os._exit(ENDED)


if __name__ == "__main__":
    main()
