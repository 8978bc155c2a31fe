"""What every collection becomes: bytes, labels and the names of the classes, in one file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import SnncError, refusal


class Images(NamedTuple):
    """Images with their classes."""

    x: npt.NDArray[np.uint8]
    """(N, 3, height, width), red, green and blue."""
    y: npt.NDArray[np.int64]
    """(N,), places in classes."""
    classes: tuple[str, ...]
    """The names."""


def write_npz(images: Images, path: Path) -> None:
    """Write a DATA.npz, whole or not at all.

    Raises:
        SnncError: if the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, x=images.x, y=images.y, classes=np.array(images.classes))
        partial.replace(path)
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise refusal(str(path), what, "choose another OUT.npz") from error
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Tell the user what to mend instead of where the code was, or what the file has become."""
    try:
        yield
    except SnncError as error:
        sys.exit(str(error))
    print(f"{path}: written")
