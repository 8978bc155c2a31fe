"""Images of the data set as small pictures that stand in the page itself."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from typing import Any

import numpy as np
import numpy.typing as npt

from snnc.compiler.inputs import Input

MOST_PIXELS = 256
"""Of a side; larger images lose rows and columns."""
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def picture(image: npt.NDArray[Any], source: Input) -> str:
    """An image (*pixel shape) as the address of a PNG that holds it.

    Three channels are red, green and blue; of others the first one is shown, of a line one row.
    """
    planes = image.reshape(*(image.shape if image.ndim == 3 else (1, 1, -1)))
    shown = planes if len(planes) == 3 else planes[:1]
    steps = [-(-size // MOST_PIXELS) for size in shown.shape[1:]]
    small = shown[:, :: steps[0], :: steps[1]]
    if small.dtype != np.uint8:
        span = source.high - source.low
        small = np.rint(np.clip((small - source.low) / span, 0, 1) * 255).astype(np.uint8)
    return "data:image/png;base64," + b64encode(png(np.moveaxis(small, 0, -1))).decode("ascii")


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of bytes (rows, columns, 1 or 3), by its specification: every row without a filter."""
    rows, columns, channels = pixels.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 2 if channels == 3 else 0, 0, 0, 0)
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), pixels.reshape(rows, -1)], axis=1)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")
    return SIGNATURE + b"".join(_part(kind, content) for kind, content in parts)


def _part(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
