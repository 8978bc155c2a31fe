"""What has to be installed, and imports that no signal breaks."""

from __future__ import annotations

import signal

import pytest

from snnc.runtime.engines.installing import missing_library


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_until_a_library_is_imported(number: signal.Signals) -> None:
    """PyTorch aborts the program where an interrupt meets its C++."""
    imported, told = [], []

    def load() -> None:
        signal.raise_signal(number)
        imported.append(not told)

    before = signal.signal(number, lambda *of: told.append(of[0]))
    try:
        assert missing_library("Lava", "lava", ["json"], load) is None
    finally:
        signal.signal(number, before)
    assert (imported, told) == ([True], [number])
