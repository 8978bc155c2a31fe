"""Models that other tools wrote: `python -m benchmarks.models [FOLDER …]`.

Each NAME.onnx of a folder is compiled as it is or, where levels are missing, calibrated, and
held against what executes it: the logits stored with the images x in NAME.npz, or ONNX Runtime on
random images. Without folders: the exports in tests/data. `benchmarks.foreign_models` writes more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

import snnc
from snnc.api.compiling import Compilation
from snnc.api.running import executable
from snnc.compiler.errors import SnncError
from snnc.frontends.onnx.loading import load_model
from snnc.frontends.onnx.reader import read_onnx
from snnc.runtime.output.tables import print_table, table_of_cells

EXPORTS = Path(__file__).parents[1] / "tests" / "data"
LEVELS = 15
IMAGES = 32
CELL = 8
"""Pixels of a side that are alike in a random image: noise alone says little of a network."""
NO_LEVELS = ("no levels", "never rounded")
"""What refusals say that calibration mends."""


@dataclass(frozen=True)
class Outcome:
    """What became of one model."""

    how: str
    """As it is, calibrated, or refused."""
    populations: int = 0
    error: float = 0.0
    """The largest of a logit, relative to the largest logit."""
    agreement: float = 0.0
    """Of decisions, with one logit of signs."""
    reason: str = ""
    """Of a refusal, the first of all."""

    @property
    def cells(self) -> tuple[str, ...]:
        """The row, but for the name."""
        if not self.populations:
            return self.how, "", "", ""
        return self.how, f"{self.populations}", f"{self.error:.1e}", f"{100 * self.agreement:.0f} %"


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, default=[EXPORTS], metavar="FOLDER")
    options = parser.parse_args()
    heads = ("model", "compiled", "populations", "error of a logit", "same decisions")
    rows, reasons = [], []
    for path in sorted(each for folder in options.folders for each in folder.glob("*.onnx")):
        print(path.stem, file=sys.stderr)
        with TemporaryDirectory() as folder:
            outcome = measured(path, Path(folder) / "net.h5")
        rows.append((path.stem, *outcome.cells))
        reasons += [f"{path.stem}: {outcome.reason}"] * bool(outcome.reason)
    print_table(table_of_cells("golden beside what executes the source", heads, rows))
    print(*reasons, sep="\n")


def measured(model: Path, out: Path) -> Outcome:
    """Compile it, and hold the golden model against what executes the source."""
    try:
        x, expected = pairs(model)
        how, compiled = compiled_somehow(model, out, x)
    except SnncError as error:
        return Outcome("refused", reason=f"{error.problems[0].where}: {error.problems[0].what}")
    found = snnc.run(compiled.path, snnc.Data(x), engine="golden").result.logits
    found, expected = found.reshape(len(x), -1), expected.reshape(len(x), -1)
    off = float(np.abs(found - expected).max() / np.abs(expected).max())
    agreement = float((decided(found) == decided(expected)).mean())
    return Outcome(how, len(compiled.network.populations), off, agreement)


def compiled_somehow(model: Path, out: Path, x: npt.NDArray[np.uint8]) -> tuple[str, Compilation]:
    """As it is, or with levels from the images."""
    try:
        return "as it is", snnc.compile(model, out)
    except SnncError as error:
        if not all(any(each in problem.what for each in NO_LEVELS) for problem in error.problems):
            raise
    return f"calibrated, L = {LEVELS}", snnc.compile(
        model, out, calibration=snnc.Data(x), levels=LEVELS
    )


def pairs(model: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.floating[Any]]]:
    """Images, and what the source makes of them."""
    if (stored := model.with_suffix(".npz")).exists():
        with np.load(stored) as arrays:
            return arrays["x"], arrays["logits"]
    network, _ = read_onnx(model)
    x = random_images(network.input.shape)
    if getattr(network.input.operator, "channels_last", False):
        x = np.moveaxis(x, 1, -1)
    found = executable(load_model(model), model.stem).run((x / 255).astype(np.float32))
    return x, found


def random_images(shape: Iterable[int]) -> npt.NDArray[np.uint8]:
    """Squares of one colour each."""
    channels, *space = shape
    small = [-(-size // CELL) for size in space]
    x = np.random.default_rng(0).integers(0, 256, (IMAGES, channels, *small)).astype(np.uint8)
    for axis, size in enumerate(space, start=2):
        x = x.repeat(CELL, axis).take(np.arange(size), axis)
    return x


def decided(logits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.intp]:
    """The greatest; of one logit its sign."""
    return logits.argmax(1) if logits.shape[1] > 1 else (logits[:, 0] > 0).astype(np.intp)


if __name__ == "__main__":
    main()
