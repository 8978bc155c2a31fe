"""What the code `delta` saves on glyphs that move: `python -m examples.glyphs.moving`.

A camera stands still before grey paper; each character drifts across it for some frames, pixel by
pixel. graded sends every level of every frame, delta the changes alone, and both give the same
levels: the spikes and synaptic operations of a frame stand side by side.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

import snnc
from examples.glyphs.data import CLASSES, GRID, SIDE, Images, sampled
from examples.glyphs.fonts import CELL, FONTS, page
from snnc.runtime.engines import ENGINES
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.tables import print_table, table_of_cells
from snnc.runtime.studies.compare import run_against_golden
from snnc.runtime.studies.sweep.measuring import measure

MODEL = Path(__file__).parent / "checkpoints" / "vgg_L7.onnx"
FOLDER = Path("out/glyphs")
CODES = ("graded", "delta")
FRAMES = 16
"""Of each character, one after the other."""
SPEEDS = (0.0, 0.25, 0.5, 1.0)
"""Pixels that a character moves from frame to frame."""
DOTS = 2.0
"""Of a character's cell for each pixel: the scale of the training images."""
PAPER, INK, NOISE = 0.15, 0.55, 0.03
"""Brightness of the paper, of the ink over it, and of the noise of the sensor's pixels."""


def main() -> None:
    """Print one table; exit with 3 if a single spike differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--characters", type=int, default=20, help="%(default)s")
    parser.add_argument("--lava", type=int, default=64, help="frames on Lava (%(default)s)")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    heads = ("speed", "code", "accuracy", "pixels sent", "spikes", "operations", "mismatches")
    wrong, rows = 0, []
    for speed in SPEEDS:
        frames = moving_glyphs(options.characters, speed)
        for code in CODES:
            cells, mismatches = row(code, frames, options.lava)
            rows.append((f"{speed:g} pixels a frame", code, *cells))
            wrong += mismatches
    title = f"{options.characters * FRAMES} frames of {MODEL.stem}"
    print_table(table_of_cells(title, heads, rows))
    sys.exit(3 if wrong else 0)


def moving_glyphs(characters: int, speed: float, seed: int = 0) -> Images:
    """A stream: every character drifts for some frames, in a direction of its own.

    Args:
        characters: how many, one after the other.
        speed: pixels from frame to frame.
        seed: of the characters, their fonts and directions and the noise, which stands still.
    """
    random = np.random.default_rng(seed)
    y = random.integers(CLASSES, size=characters)
    fonts, weights = random.integers(len(FONTS), size=characters), np.ones(characters, np.int64)
    angles = random.uniform(0, 2 * np.pi, characters)
    steps = speed * (np.arange(FRAMES) - (FRAMES - 1) / 2)
    paper = PAPER + NOISE * random.standard_normal((SIDE, SIDE), np.float32)
    frames = []
    for step in steps:
        columns = GRID + (step * np.cos(angles)).astype(np.float32)[:, None, None]
        rows = GRID[:, None] + (step * np.sin(angles)).astype(np.float32)[:, None, None]
        u, v = (np.broadcast_to(DOTS * each, (characters, SIDE, SIDE)) for each in (columns, rows))
        middle = np.float32((CELL - 1) / 2)
        ink = sampled(page(), fonts, y, weights, u + middle, v + middle)
        frames.append(np.clip(paper + INK * ink, 0, 1))
    x = np.stack(frames, axis=1).reshape(-1, 1, SIDE, SIDE)
    return Images((x * 255 + 0.5).astype(np.uint8), np.repeat(y, FRAMES))


def row(code: str, frames: Images, on_lava: int) -> tuple[list[str], int]:
    """What a code sends in each frame, and the mismatches of its first frames on Lava."""
    network = snnc.load(snnc.compile(MODEL, FOLDER / f"moving_{code}.h5", code=code).path)
    found = measure(network, snnc.Data(frames.x, frames.y))
    first = snnc.Data(frames.x[:on_lava], frames.y[:on_lava])
    mismatches = run_against_golden(ENGINES["lava"], network, first).mismatches
    traffic = found.traffic
    return [
        percent(found.accuracy),
        f"{traffic.input_spikes:,.0f}",
        f"{traffic.hidden_spikes:,.0f}",
        f"{traffic.operations:,.0f}",
        str(mismatches),
    ], mismatches


if __name__ == "__main__":
    main()
