"""What is said of pixels that lie off the levels of an input."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnc.compiler.inputs import GradedInput
from snnc.runtime.data import Data, accepted, encode
from snnc.runtime.pixels import BATCH, survey

BYTES = np.random.default_rng(0).integers(0, 256, (3, 1, 8, 8))
SIXTEENTHS = np.resize(np.arange(17), (1, 1, 8, 8))


def pixels(low: float = 0.0, high: float = 1.0, bits: int = 8) -> GradedInput:
    levels = (1 << bits) - 1
    return GradedInput("x", (1, 8, 8), levels, low, (high - low) / levels)


def remarks(x: npt.NDArray[Any], source: GradedInput, *, clip: bool = False) -> tuple[str, ...]:
    return accepted(Data(x), source, name="d.npz", clip=clip).remarks


@given(
    st.floats(-300, 300, width=32), st.floats(0.125, 300, width=32), st.integers(1, 12), st.data()
)
def test_levels_as_float32_are_on_the_grid(
    low: float, width: float, bits: int, data: st.DataObject
) -> None:
    """Computed as users do, in float32 all the way."""
    source = pixels(low, low + width, bits)
    seed = data.draw(st.integers(0, 99))
    levels = np.random.default_rng(seed).integers(0, source.levels + 1, (2, 1, 8, 8))
    share = levels.astype(np.float32) / np.float32(source.levels)
    x = share * np.float32(width) + np.float32(low)
    tolerance_tells = max(abs(low), abs(low + width)) * 2.0**-22 < source.step / 4
    found = survey(x, source)
    assert found.off_grid == 0
    if tolerance_tells:
        assert survey(x + np.float32(0.3 * source.step), source).off_grid == x.size


@pytest.mark.parametrize(
    ("x", "source"),
    [
        (BYTES.astype(np.uint8), pixels()),
        (BYTES.astype(np.uint8), pixels(high=255)),
        (BYTES.astype(np.float32) * np.float32(1 / 255), pixels()),
        (BYTES / 255, pixels()),
        (BYTES.astype(np.float32) / np.float32(255) * 2 - 1, pixels(-1)),
        (SIXTEENTHS / 16, pixels(high=1.9375, bits=5)),
    ],
)
def test_nothing_is_said_of_whole_levels(x: npt.NDArray[Any], source: GradedInput) -> None:
    assert remarks(x, source) == ()


SAID = "of a level; spikes carry the nearest level, and the source model reads the pixel itself; "
REMARKS = {
    "sixteenths": (
        np.float32(SIXTEENTHS / 16),
        pixels(),
        "57 of 64 pixels lie between two levels of the input (0..1 in 255 levels), by up to 0.5 "
        + SAID
        + "compile with `input_bits=5` and `input_range=(0.0, 1.9375)`, whose levels they are",
    ),
    "bytes in 5 bits": (
        np.tile(np.array([0, 1, 254, 255], np.uint8), 16).reshape(1, 1, 8, 8),
        pixels(bits=5),
        "32 of 64 pixels lie between two levels of the input (0..1 in 31 levels), by up to 0.12 "
        + SAID
        + "bytes are whole levels with `input_bits=8`",
    ),
    "no grid": (
        np.random.default_rng(0).uniform(size=(2, 1, 8, 8)),
        pixels(),
        "128 of 128 pixels lie between two levels of the input (0..1 in 255 levels), by up to 0.5 "
        + SAID
        + "compile with more `input_bits`, or, if the images are normalised, give them as they "
        "were before and compile with `mean` and `std`",
    ),
    "few bytes": (
        SIXTEENTHS.astype(np.uint8),
        pixels(),
        "its pixels span 0..0.0627 of the input's 0..1: bytes 0..16, each taken for byte/255; if "
        "they were meant to fill it, scale them as float32, otherwise compile with an "
        "`input_range` that fits",
    ),
    "flat": (
        np.concatenate([BYTES, 0 * BYTES, 0 * BYTES + 255]).astype(np.uint8),
        pixels(high=255),
        "6 of 9 images have one value in all of their pixels",
    ),
    "clipped": (
        np.concatenate([BYTES, BYTES[:1] // 255 * 510]) / 255,
        pixels(),
        "1 of 256 pixels lie outside 0..1, by up to 1, and are clipped; compile with an "
        "`input_range` that holds them",
    ),
}


@pytest.mark.parametrize(("x", "source", "expected"), REMARKS.values(), ids=REMARKS)
def test_remark(x: npt.NDArray[Any], source: GradedInput, expected: str) -> None:
    assert remarks(x, source, clip=True) == (f"d.npz: {expected}",)


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
def test_the_grid_that_is_named_holds_every_pixel(parts: int, seed: int) -> None:
    """Whatever the spacing: compiled as advised, nothing is rounded."""
    x = np.float32(np.random.default_rng(seed).integers(0, parts + 1, (3, 1, 8, 8)) / parts)
    (said,) = remarks(x, pixels()) or ("",)
    if not said:
        assert 255 % parts == 0
        return
    named = re.search(r"`input_bits=(\d+)` and `input_range=\((.*), (.*)\)`", said)
    assert named, said
    bits, low, high = map(float, named.groups())
    grid = pixels(low, high, int(bits))
    np.testing.assert_allclose(grid.low + grid.step * encode(x, grid), x, atol=2.0**-22)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("values", [(-1e300, 1e300), (1e-300, 1e300), (0, 3e-7, 1e250), (0.1, 0.3)])
@pytest.mark.parametrize("later", [0.5, 1e300])
def test_no_size_of_a_pixel_is_too_much_for_a_remark(
    values: tuple[float, ...], later: float
) -> None:
    x = np.tile(np.resize(np.float64(values), 64).reshape(1, 1, 8, 8), (BATCH + 1, 1, 1, 1))
    x[BATCH] = later
    assert remarks(x, pixels(), clip=True)
