"""Lava-DL's slayer, imported without what is said about data sets and GPUs that it misses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO

from snnc.runtime.engines.lava.library import load


@contextmanager
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(before)


load()
with _quiet():
    from lava.lib.dl import slayer

__all__ = ["slayer"]
