"""Images of single characters, as a careless crop from a line of text would show them.

Each is turned, sheared, scaled and shifted, bolder or thinner, with parts of its neighbours at the
border and strokes of a pen across, on uneven paper and with noise. The same split, number and seed
give the same images. `python -m examples.glyphs.data test.npz` writes some for the command line.
"""

from __future__ import annotations

import argparse
import os
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from examples.glyphs.fonts import CELL, CHARACTERS, FONTS, TRAINING_FONTS, WEIGHTS, Page, page

Floats: TypeAlias = npt.NDArray[np.float32]
Integers: TypeAlias = npt.NDArray[np.int64]
Split: TypeAlias = Literal["train", "test"]

SPLITS: dict[Split, int] = {"train": len(TRAINING_FONTS), "test": len(FONTS)}
"""How many of the fonts an image may be in: the test has some that the training has not."""
SIDE = 32
GRID = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
"""Pixels of a row, seen from its middle."""
CLASSES = len(CHARACTERS)
CHUNK = 16 * CLASSES
"""Images drawn together: few enough for the processor's cache, every class equally often."""
NEIGHBOURS = 0.6
"""How often a character has a neighbour on its left, and on its right."""
STROKES = 0.25
"""How often there is a stroke of a pen."""
TURN = 0.35
"""Radians, 20 degrees, either way."""
SHIFT = 3.5
"""Pixels, either way."""
SIZE, STRETCH = 0.3, 0.2
"""Doublings, either way: of both axes together, and of one against the other."""
SHEAR = 0.3
"""Columns a row, either way."""
PAPER, STRENGTH, NOISE = (0.0, 0.25), (0.35, 0.75), (0.02, 0.16)
"""Least and greatest brightness of the paper, of the ink over it and of the noise: 1 is white."""
SLOPE = 0.15
"""How much brighter the paper may be at one side than in the middle."""


class Images(NamedTuple):
    """Images with their classes."""

    x: npt.NDArray[np.uint8]
    """(N, 1, 32, 32), bright ink on dark paper."""
    y: Integers
    """(N,), places in CHARACTERS."""


def load_glyphs(split: Split, images: int, seed: int = 0) -> Images:
    """Draw images, the first of more being the same: 2,000 begin with what 100 would be.

    Args:
        split: no image of one split is in the other; the test has three fonts more.
        images: how many; each 62 in a row, from the first on, show every class once.
        seed: another one gives other images.
    """
    chunks = [_chunk(split, seed, number) for number in range(-(-images // CHUNK))]
    x, y = (np.concatenate(each) for each in zip(*chunks, strict=True))
    return Images(x[:images], y[:images])


def write_npz(images: Images, path: str | os.PathLike[str]) -> None:
    """Write images as a DATA.npz for the command line."""
    np.savez_compressed(path, x=images.x, y=images.y)


def main() -> None:
    """Write a DATA.npz."""
    parser = argparse.ArgumentParser(description="Draw images of characters.")
    parser.add_argument("path", help="the .npz to write")
    parser.add_argument("--split", choices=get_args(Split), default="test", help="%(default)s")
    parser.add_argument("--images", type=int, default=2000, help="%(default)s")
    wanted = parser.parse_args()
    write_npz(load_glyphs(wanted.split, wanted.images), wanted.path)


def _chunk(split: Split, seed: int, number: int) -> Images:
    """A chunk has random numbers of its own, so that none depends on how many are wanted."""
    random = np.random.default_rng((sorted(SPLITS).index(split), seed, number))
    y = np.concatenate([random.permutation(CLASSES) for _ in range(CHUNK // CLASSES)])
    fonts = random.integers(SPLITS[split], size=CHUNK)
    ink = _line_of_text(page(), fonts, y, random)
    _strike(ink, random)
    return Images(_photographed(ink, random)[:, None], y)


def _line_of_text(
    glyphs: Page, fonts: Integers, y: Integers, random: np.random.Generator
) -> Floats:
    """Ink from 0 to 1 (N, SIDE, SIDE): a character and its neighbours, all of one font."""
    weights = random.integers(WEIGHTS, size=CHUNK)
    u, v = _places(random)
    ink = sampled(glyphs, fonts, y, weights, u, v)
    for side in (-1, 1):
        shown = np.flatnonzero(random.random(CHUNK) < NEIGHBOURS)
        others = random.integers(CLASSES, size=CHUNK)
        gaps = random.uniform(3, 8, CHUNK).astype(np.float32)
        away = side * (gaps + (glyphs.widths[fonts, y] + glyphs.widths[fonts, others]) / 2)
        moved = u[shown] - away[shown, None, None]
        more = sampled(glyphs, fonts[shown], others[shown], weights[shown], moved, v[shown])
        ink[shown] = np.maximum(ink[shown], more)
    return ink


def _places(random: np.random.Generator) -> tuple[Floats, Floats]:
    """For each pixel of each image where in the character's cell it lies: columns u, rows v."""
    turn, shear, stretch = random.uniform(-1, 1, (3, CHUNK, 1, 1)).astype(np.float32)
    size, *shifts = random.uniform(-1, 1, (3, CHUNK, 1, 1)).astype(np.float32)
    columns, rows = GRID + SHIFT * shifts[0], GRID[:, None] + SHIFT * shifts[1]
    cosine, sine = np.cos(TURN * turn), np.sin(TURN * turn)
    across, down = cosine * columns + sine * rows, cosine * rows - sine * columns
    dots = np.exp2(1 + SIZE * size)
    u = dots * np.exp2(STRETCH * stretch) * (across + SHEAR * shear * down)
    v = dots * np.exp2(-STRETCH * stretch) * down
    return u + np.float32((CELL - 1) / 2), v + np.float32((CELL - 1) / 2)


def sampled(
    glyphs: Page, fonts: Integers, characters: Integers, weights: Integers, u: Floats, v: Floats
) -> Floats:
    """Ink at (u, v) between the dots, bilinear; a place outside a cell is moved to its border."""
    cells = (fonts * glyphs.characters + characters) * WEIGHTS + weights
    u, v = np.clip(u, 0, CELL - 1.001), np.clip(v, 0, CELL - 1.001)
    left, top = u.astype(np.int32), v.astype(np.int32)
    first = (cells * CELL * CELL).astype(np.int32)[:, None, None] + top * CELL + left
    right, below = u - left, v - top
    ink = glyphs.ink.reshape(-1)
    upper = (1 - right) * ink[first] + right * ink[first + 1]
    lower = (1 - right) * ink[first + CELL] + right * ink[first + CELL + 1]
    return ((1 - below) * upper + below * lower) * np.float32(1 / 255)


def _strike(ink: Floats, random: np.random.Generator) -> None:
    """Draw a straight stroke, one to three pixels wide, across some of the images."""
    struck = np.flatnonzero(random.random(CHUNK) < STROKES)
    lowest, highest = (0.0, -SIDE / 2, 0.5), (np.pi, SIDE / 2, 1.5)
    angle, distance, width = _uniform(lowest, highest, len(struck), random)
    away = np.abs(np.cos(angle) * GRID + np.sin(angle) * GRID[:, None] - distance)
    ink[struck] = np.maximum(ink[struck], np.clip(width + 0.5 - away, 0, 1))


def _photographed(ink: Floats, random: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Bytes: ink of any strength on paper that is brighter towards one side, with noise."""
    lowest, highest = zip(PAPER, STRENGTH, NOISE, strict=True)
    paper, strength, noise = _uniform(lowest, highest, CHUNK, random)
    slope = np.linspace(-SLOPE, SLOPE, SIDE, dtype=np.float32)
    tilts = random.uniform(-1, 1, (2, CHUNK, 1, 1)).astype(np.float32)
    x = paper + tilts[0] * slope + tilts[1] * slope[:, None] + strength * ink
    x += noise * random.standard_normal(x.shape, np.float32)
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _uniform(
    lowest: tuple[float, ...], highest: tuple[float, ...], images: int, random: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Several numbers for each image (numbers, images, 1, 1)."""
    drawn = random.uniform(lowest, highest, (images, len(lowest)))
    return drawn.T.astype(np.float32)[:, :, None, None]


if __name__ == "__main__":
    main()
