"""How the pixels of a data set lie on the levels of an input, and what to say of it.

An input sends the nearest level. A pixel between two levels is another number than the one that the
source model reads, and nothing in a result would tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from math import inf, prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.inputs import GradedInput, Input
from snnc.compiler.laws.base import bits_for
from snnc.compiler.limits import PLANES
from snnc.runtime.stored import ImageArray

Array: TypeAlias = npt.NDArray[Any]

BATCH = 256
MOST_PIXELS = 1 << 22
"""Images, and pixels, looked at together, so that no second copy of all of them is made."""
ROUNDINGS = 4
"""A pixel that is meant to be a level may have been rounded to float32 as often: as k/255, scaled,
shifted, stored. Each moves it by up to 2^-24 of the largest number of the range."""
NARROW = 4
"""Pixels that span less than this part of the levels leave two bits unused."""
MOST_LEVELS = (1 << PLANES.most) - 1
"""Of an input."""
DIGITS = range(2, 18)
"""Of the ends of a range that is proposed: as few as will do."""


@dataclass(frozen=True)
class Faults:
    """How many pixels of some kind there are, and where the first is."""

    count: int = 0
    image: int = 0
    """That of the first; 0 where there is none."""

    def __bool__(self) -> bool:
        return self.count > 0

    @classmethod
    def of(cls, counts: Array) -> Faults:
        """From their number in each image."""
        return cls(int(np.sum(counts)), int(np.argmax(counts > 0)) if len(counts) else 0)

    def then(self, other: Faults, images: int) -> Faults:
        """Those besides of the images that follow on so many."""
        image = self.image if self or not other else images + other.image
        return Faults(self.count + other.count, image)


@dataclass(frozen=True)
class Survey:
    """What one look at some images found; counts are of pixels."""

    images: int
    not_finite: Faults
    outside: Faults
    """Those nearer to a level that there is not."""
    off_grid: int
    """Those between two levels."""
    farthest: float
    """Of these from the nearest level, in levels."""
    beyond: float
    """Of those outside from the range, in levels."""
    lowest: float
    highest: float
    """The ends of what was found, in levels; of finite pixels."""
    flat: int
    """Images that have one value in all of several pixels."""
    pixels: int

    def then(self, other: Survey) -> Survey:
        """The same of these images and those that follow."""
        return Survey(
            self.images + other.images,
            self.not_finite.then(other.not_finite, self.images),
            self.outside.then(other.outside, self.images),
            self.off_grid + other.off_grid,
            max(self.farthest, other.farthest),
            max(self.beyond, other.beyond),
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
            self.flat + other.flat,
            self.pixels + other.pixels,
        )


def survey(x: ImageArray, source: Input) -> Survey:
    """Look at all images (images, *pixel_shape), a batch at a time."""
    size = max(1, min(BATCH, MOST_PIXELS // max(1, prod(x.shape[1:]))))
    starts = range(0, len(x), size)
    return reduce(Survey.then, (_look_at(x[start : start + size], source) for start in starts))


def remarks_on(name: str, x: ImageArray, source: Input, found: Survey) -> tuple[str, ...]:
    """What one should know of images that an input takes.

    Args:
        name: what the messages call the data.
        x: (images, *pixel_shape).
        source: the input.
        found: its survey.
    """
    texts = [*_outside(source, found), *_off_grid(x, source, found), *_narrow(x, source, found)]
    return tuple(f"{name}: {each}" for each in texts)


def _look_at(x: Array, source: Input) -> Survey:
    flat = x.reshape(len(x), -1)
    constant = int(np.sum(flat.min(1) == flat.max(1))) if flat.shape[1] > 1 else 0
    if x.dtype == np.uint8:
        return _look_at_bytes(flat, source, constant)
    with np.errstate(over="ignore", invalid="ignore"):
        levels = flat.astype(np.float64)
        levels -= source.low
        levels /= source.step
        nearest = np.rint(levels)
        finite = np.isfinite(nearest)
        outside = finite & ((nearest < 0) | (nearest > source.pixel_levels))
        distance = np.abs(np.subtract(levels, nearest, out=nearest), out=nearest)
    distance[outside | ~finite] = 0
    known = {"where": finite, "initial": 0.0}
    lowest = float(np.min(levels, where=finite, initial=np.inf))
    highest = float(np.max(levels, where=finite, initial=-np.inf))
    clipped = np.any(outside)
    return Survey(
        len(x),
        Faults.of(np.sum(~finite, axis=1)),
        Faults.of(np.sum(outside, axis=1)),
        int(np.count_nonzero(distance > _tolerance(source))),
        float(np.max(distance, **known)),
        max(-lowest, highest - source.pixel_levels) if clipped else 0.0,
        lowest,
        highest,
        constant,
        x.size,
    )


def _look_at_bytes(flat: Array, source: Input, constant: int) -> Survey:
    """The same of bytes, whose 256 values are looked at once each."""
    counts = np.bincount(flat.reshape(-1), minlength=256)
    levels = np.arange(256) * (source.pixel_levels / 255)
    distance = np.abs(levels - np.rint(levels)) * (counts > 0)
    found = levels[counts > 0]
    return Survey(
        len(flat),
        Faults(),
        Faults(),
        int(np.sum(counts[distance > _tolerance(source)])),
        float(distance.max()),
        0.0,
        float(found[0]),
        float(found[-1]),
        constant,
        flat.size,
    )


def _tolerance(source: Input) -> float:
    """How far from a level float32 may leave a pixel that is meant to be on it, in levels."""
    return ROUNDINGS * 2.0**-24 * max(abs(source.low), abs(source.high)) / source.step


def _outside(source: Input, found: Survey) -> Iterator[str]:
    if count := found.outside.count:
        beyond = found.beyond * source.step
        yield (
            f"{count:,} of {found.pixels:,} pixels lie outside {source.low:g}..{source.high:g}, by "
            f"up to {beyond:.3g}, and are clipped; compile with an `input_range` that holds them"
        )


def _off_grid(x: ImageArray, source: Input, found: Survey) -> Iterator[str]:
    if not found.off_grid:
        return
    yield (
        f"{found.off_grid:,} of {found.pixels:,} pixels lie between two levels of the input "
        f"({source.low:g}..{source.high:g} in {source.pixel_levels} levels), by up to "
        f"{found.farthest:.2g} of a level; spikes carry the nearest level, and the source model "
        f"reads the pixel itself; {_mend(x, source, found)}"
    )


def _mend(x: ImageArray, source: Input, found: Survey) -> str:
    if x.dtype == np.uint8:
        return "bytes are whole levels with `input_bits=8`"
    grid = _grid_of(x, source, found)
    if grid is not None:
        bits, span = bits_for(grid.levels), (grid.low, float(f"{grid.high:.15g}"))
        return f"compile with `input_bits={bits}` and `input_range={span}`, whose levels they are"
    return (
        "compile with more `input_bits`, or, if the images are normalised, give them as they were "
        "before and compile with `mean` and `std`"
    )


def _grid_of(x: ImageArray, source: Input, found: Survey) -> Input | None:
    """The coarsest even levels on which every pixel lies; None where an input has not as many."""
    tolerance = _tolerance(source) * source.step
    values = np.unique(x[:BATCH].astype(np.float64))
    with np.errstate(over="ignore"):
        gaps, span = np.diff(values), float(values[-1] - values[0])
    gap = float(min(gaps[gaps > 2 * tolerance], default=inf))
    if not span <= gap * MOST_LEVELS < inf:
        return None
    low, high = (source.low + source.step * end for end in (found.lowest, found.highest))
    if abs((low - source.low) / gap % -1) <= tolerance / gap:
        low = source.low
    step = span / round(span / gap)
    if not high - low <= step * MOST_LEVELS:
        return None
    bits = bits_for(max(1, round((high - low) / step)))
    grids = (_rounded(source, low, step, bits, digits) for digits in DIGITS)
    grid = next((each for each in grids if _holds(each, values)), None)
    return grid if grid is not None and _holds(grid, x) else None


def _rounded(source: Input, low: float, step: float, bits: int, digits: int) -> Input:
    """A grid whose ends have so many digits."""
    levels = (1 << bits) - 1
    first, last = (float(f"{end:.{digits}g}") for end in (low, low + step * levels))
    return GradedInput(source.name, source.pixel_shape, levels, first, (last - first) / levels)


def _holds(grid: Input, x: ImageArray) -> bool:
    """Whether all pixels are levels."""
    if grid.step <= 0:
        return False
    found = survey(x, grid)
    return not found.off_grid and not found.outside


def _narrow(x: ImageArray, source: Input, found: Survey) -> Iterator[str]:
    """Pixels that use few of the levels, and images without anything to see."""
    span = found.highest - found.lowest
    if span < source.pixel_levels / NARROW:
        ends = (source.low + source.step * each for each in (found.lowest, found.highest))
        low, high = (f"{each:.3g}" for each in ends)
        read = ""
        if x.dtype == np.uint8:
            first, last = (
                round(e * 255 / source.pixel_levels) for e in (found.lowest, found.highest)
            )
            read = f": bytes {first}..{last}" + ", each taken for byte/255" * (source.high == 1)
        yield (
            f"its pixels span {low}..{high} of the input's {source.low:g}..{source.high:g}{read}; "
            "if they were meant to fill it, scale them as float32, otherwise compile with an "
            "`input_range` that fits"
        )
    if found.flat and span > 0:
        yield f"{found.flat:,} of {len(x):,} images have one value in all of their pixels"
