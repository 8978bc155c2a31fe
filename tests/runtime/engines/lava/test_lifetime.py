"""What the system does not give the simulator is one message."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from snnc.compiler.errors import EngineError
from snnc.runtime.engines.lava import lifetime


@pytest.mark.lava
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_shared_memory_that_is_full_or_read_only_is_one_message(number: int) -> None:
    pytest.importorskip("lava.magma")

    class Process:
        runtime = None

        def create_runtime(self, *words: object) -> None:
            raise OSError(number, os.strerror(number))

    with pytest.raises(EngineError) as caught, lifetime.running(Process()):  # type: ignore[arg-type]
        pass
    assert str(caught.value) == (
        f"Lava simulation: it cannot start: {os.strerror(number)}\n"
        "  help: make room in /dev/shm, where its processes meet; of a container with --shm-size"
    )


INTERRUPTED_TWICE = """
from lava.proc.lif.process import LIF
from snnc.runtime.engines.lava import lifetime

def interrupt():
    raise KeyboardInterrupt

with lifetime.running(LIF(shape=(1,))) as network:
    network.advance(1)
    lifetime.uninterrupted = interrupt
    raise KeyboardInterrupt
"""


@pytest.mark.lava
def test_a_second_interrupt_before_the_end_leaves_nothing() -> None:
    """Exit functions would wait for processes that wait for commands."""
    pytest.importorskip("lava.magma")
    before = set(Path("/dev/shm").iterdir())
    command = [sys.executable, "-c", INTERRUPTED_TWICE]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "KeyboardInterrupt" in found.stderr
    assert not set(Path("/dev/shm").iterdir()) - before
