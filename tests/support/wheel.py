"""Networks of the tests that lava-dl's wheel carries, with what they send."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path


def netx_data() -> Path:
    """The folder of lava-dl's tests of netx."""
    return Path(str(distribution("lava-dl").locate_file("tests/lava/lib/dl/netx")))
