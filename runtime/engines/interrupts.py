"""Work that a signal must not break in the middle of."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block is left.

    Processes forked in the block keep the harmless handler: their end is the host's decision.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[int] = []
    usual = {each: signal.signal(each, lambda number, _: caught.append(number)) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in usual.items():
            signal.signal(each, handler)
    for number in caught[:1]:
        signal.raise_signal(number)
