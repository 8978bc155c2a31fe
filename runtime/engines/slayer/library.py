"""Lava-DL's slayer, imported without what it prints about data sets and GPUs it misses."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from snnc.runtime.engines.lava.library import load

load()
with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
    from lava.lib.dl import slayer

__all__ = ["slayer"]
