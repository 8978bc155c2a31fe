"""What weights of few bits cost on glyphs: `python -m examples.glyphs.few_bits`.

Every checkpoint is compiled with calibration images alone, and no training, at each width; the
golden model is held against the source on the same test images. `3 auto` shares the words that
weights of 3 bits would take out among the layers.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

import snnc
from examples.glyphs.data import Images, load_glyphs
from examples.glyphs.demo import CALIBRATION, CHECKPOINTS, FOLDER, float_decisions
from snnc.api.compiling import Compilation
from snnc.compiler.options import WeightBits
from snnc.compiler.quantization.widths import WORD_BITS
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.tables import print_table, table_of_cells

WIDTHS = ("8", "4", "3", "2", "3 auto", "2.5 auto")
CHECKPOINT_NAMES = tuple(sorted(path.stem for path in CHECKPOINTS.glob("*.onnx")))


def main() -> None:
    """Print one table: for each checkpoint and width the accuracy, and what of it is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=16000, help="test images (%(default)s)")
    parser.add_argument("--calibration", type=int, default=CALIBRATION, help="images (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the calibration images")
    parser.add_argument("--widths", nargs="+", default=WIDTHS, help="bits, or bits and auto")
    parser.add_argument("--levels", type=int, default=15, help="of plain ReLUs (%(default)s)")
    parser.add_argument("--networks", nargs="+", default=CHECKPOINT_NAMES, help="%(default)s")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    test = load_glyphs("test", options.images)
    calibration = snnc.Data(load_glyphs("train", options.calibration, options.seed).x)
    heads = ("network", "weight bits", "source", "golden", "points lost", "±")
    rows = []
    for name in options.networks:
        model = CHECKPOINTS / f"{name}.onnx"
        before = float_decisions(model, test) == test.y
        source = percent(float(before.mean()))
        levels = options.levels if name.endswith("relu") else None
        for width in options.widths:
            found = cells(model, width, calibration, levels, test, before)
            rows.append((name, width, source, *found))
            print(" ".join(rows[-1]), file=sys.stderr)
    print_table(table_of_cells(f"glyphs, {options.images} test images", heads, rows))


def cells(
    model: Path,
    width: str,
    calibration: snnc.Data,
    levels: int | None,
    test: Images,
    before: npt.NDArray[np.bool_],
) -> tuple[str, str, str]:
    """The accuracy at one width, what is lost, and the standard error of that."""
    bits, *auto = width.split()
    budget: int | None = None
    if auto:
        network = compiled(model, 8, calibration, levels).network
        budget = int(stored(network) * float(bits) / WORD_BITS)
    result = compiled(model, "auto" if auto else int(bits), calibration, levels, budget)
    found = snnc.run(result.path, snnc.Data(test.x, test.y), engine="golden").result.decisions
    lost = 100 * (before.astype(float) - (found == test.y))
    error = lost.std() / np.sqrt(len(lost))
    return percent(float((found == test.y).mean())), f"{lost.mean():.2f}", f"{error:.2f}"


def compiled(
    model: Path,
    bits: WeightBits,
    calibration: snnc.Data,
    levels: int | None,
    budget: int | None = None,
) -> Compilation:
    """A checkpoint with weights of so many bits."""
    place = FOLDER / "few_bits.h5"
    return snnc.compile(
        model, place, weight_bits=bits, budget=budget, calibration=calibration, levels=levels
    )


def stored(network: SpikingNetwork) -> int:
    """The weights of all layers."""
    projections = [p for each in network if not each.is_relay for p in each.projections]
    return sum(each.connection.weights.size for each in projections)


if __name__ == "__main__":
    main()
