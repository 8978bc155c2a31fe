"""Numbers, texts and choices that attacks are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

Rng: TypeAlias = np.random.Generator

WHOLE = (
    *(0, 1, -1, 2, 3, 4, 7, -7, 8, 31, 63, 64, 65, 127, 128, 255, 256, 4095, 4096, 4097),
    *(1 << 16, (1 << 16) + 1, (1 << 23) - 1, 1 << 23, 1 << 24, 1 << 26, 1 << 28, 1 << 31),
    *(-(1 << 31), (1 << 32) - 1, (1 << 53) + 1, 1 << 62, (1 << 63) - 1, -(1 << 63)),
)
REAL = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e-3, 3.0, 1e3, 1e-12, 1e12, 1e-30, 1e30, -1e30, 1e-38, 1e-45),
    *(3.4e38, -3.4e38, 5e-324, 1e300, np.inf, -np.inf, np.nan),
)
TEXTS = (
    *("", " ", "x", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "reflect", "edge", "ROUND"),
    *("\0", "a\nb", "[/red]", "[bold]x", "\x1b[31m", "Δ", "\ud7ff", "‮x", "a:bias", "x:0"),
    *("../x", "/", ".", "%s%n", "{0}", "'\"`$(id)", "a" * 300, "a" * 5000),
)


def of(values: Sequence[Any], rng: Rng) -> Any:
    """One of them."""
    return values[int(rng.integers(len(values)))]


def whole(rng: Rng) -> int:
    """A number of the list, its neighbour, or any small or large one."""
    form = rng.integers(4)
    if form == 0:
        return int(rng.integers(-3, 20))
    if form == 1:
        return int(rng.integers(-(1 << 63), 1 << 63, dtype=np.int64))
    near = of(WHOLE, rng) + int(form == 2) * int(rng.integers(-1, 2))
    return max(min(near, (1 << 63) - 1), -(1 << 63))


def real(rng: Rng) -> float:
    """A number of the list, or one of any size."""
    if rng.integers(3):
        return float(of(REAL, rng))
    return float(rng.normal() * 10.0 ** rng.integers(-40, 40))


def damaged(content: bytes, rng: Rng) -> bytes:
    """Bytes changed, cut, inserted, repeated or swapped."""
    data = bytearray(content)
    for _ in range(int(of((1, 1, 2, 4, 16), rng))):
        place = int(rng.integers(len(data) + 1))
        size = int(of((1, 1, 2, 4, 8, 64), rng))
        form = rng.integers(7)
        if form <= 1:
            data[place : place + size] = rng.bytes(min(size, len(data) - place))
        elif form == 2 and place < len(data):
            data[place] ^= 1 << int(rng.integers(8))
        elif form == 3:
            filler = of((b"\0", b"\xff", b"\x7f", b"\x80"), rng)
            data[place : place + size] = filler * min(size, len(data) - place)
        elif form == 4:
            other = int(rng.integers(len(data) + 1))
            data[place : place + size] = data[other : other + size]
        elif form == 5:
            number = int(of(WHOLE, rng)) & ((1 << 64) - 1)
            data[place : place + 8] = number.to_bytes(8, "little")[: len(data) - place]
        elif rng.integers(3) == 0:
            del data[place : place + size]
        elif rng.integers(4) == 0:
            del data[place:]
    return bytes(data)
