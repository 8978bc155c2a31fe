"""What is worth knowing of a result and no error, told by Python's logging.

The logger is "snnc", the level WARNING: without any configuration Python prints it to stderr.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from logging import LogRecord, getLogger

from snnc.compiler.errors import printable

LOGGER = getLogger("snnc")


def tell(remarks: Iterable[str]) -> None:
    """Say each remark once."""
    for each in dict.fromkeys(remarks):
        LOGGER.warning("%s", printable(each))


@contextmanager
def told_by_others() -> Iterator[None]:
    """Say nothing meanwhile: whoever asks shows the remarks of the result."""

    def nothing(record: LogRecord) -> bool:
        return False

    LOGGER.addFilter(nothing)
    try:
        yield
    finally:
        LOGGER.removeFilter(nothing)
