"""What calibration, fine-tuning and rounding cost on glyphs: `python -m examples.glyphs.demo`.

Compiles the checkpoints, runs the golden model on all test images and Lava on the first of them.
The same ReLU network comes out calibrated, with no training at all, and fine-tuned.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx

import snnc
from examples.glyphs.data import Images, load_glyphs
from snnc.runtime.engines.source_model import SourceModel
from snnc.runtime.output.numbers import percent, points
from snnc.runtime.output.tables import print_table, table_of_cells

CHECKPOINTS = Path(__file__).parent / "checkpoints"
FOLDER = Path("out/glyphs")
CALIBRATION = 1000
HEADS = ("network", "float", "golden", "points lost", "as the float network")
HEADS += ("spikes compared", "mismatches")


@dataclass(frozen=True)
class Case:
    """One way from a checkpoint to spikes."""

    title: str
    checkpoint: str
    weight_bits: int = 8
    calibrated: bool = False
    levels: int | None = None


CASES = (
    Case("VGG, trained with L = 7", "vgg_L7"),
    Case("VGG, 4-bit weights", "vgg_L7", weight_bits=4),
    Case("VGG, 4-bit weights, error feedback", "vgg_L7", weight_bits=4, calibrated=True),
    Case("ResNet, calibrated to L = 3", "resnet_relu", calibrated=True, levels=3),
    Case("ResNet, fine-tuned to L = 3", "resnet_L3"),
    Case("ResNet, calibrated to L = 15", "resnet_relu", calibrated=True, levels=15),
    Case("ResNet, fine-tuned to L = 15", "resnet_L15"),
    Case("ResNet L = 15, 4-bit weights", "resnet_L15", weight_bits=4),
    Case("ResNet L = 15, 4-bit, error feedback", "resnet_L15", weight_bits=4, calibrated=True),
)


def main() -> None:
    """Print one table; exit with 3 if a single spike differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000, help="test images (%(default)s)")
    parser.add_argument("--lava", type=int, default=20, help="of these on Lava (%(default)s)")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    test = load_glyphs("test", options.images)
    exact, rows = True, []
    for case in CASES:
        cells, right = row(case, test, options.lava)
        exact &= right
        rows.append((case.title, *cells))
        print(f"{case.title}: done", file=sys.stderr)
    print_table(table_of_cells(f"glyphs, {options.images} test images", HEADS, rows))
    sys.exit(0 if exact else 3)


def row(case: Case, test: Images, on_lava: int) -> tuple[list[str], bool]:
    """The numbers of one case as people read them, and whether Lava is golden."""
    model = CHECKPOINTS / f"{case.checkpoint}.onnx"
    images = snnc.Data(load_glyphs("train", CALIBRATION).x) if case.calibrated else None
    compiled = snnc.compile(
        model,
        FOLDER / "network.h5",
        weight_bits=case.weight_bits,
        calibration=images,
        levels=case.levels,
    )
    golden = snnc.run(compiled.path, snnc.Data(test.x, test.y), engine="golden").result
    lava = snnc.compare(model, compiled.path, snnc.Data(test.x[:on_lava], test.y[:on_lava]))
    before, after = float_decisions(model, test), golden.decisions
    accuracies = [float(np.mean(each == test.y)) for each in (before, after)]
    wrong = lava.mismatches
    cells = [
        *map(percent, accuracies),
        points(100 * (accuracies[0] - accuracies[1])),
        percent(float(np.mean(before == after))),
        f"{lava.spikes.compared:,}",
        str(wrong),
    ]
    return cells, wrong == 0


def float_decisions(model: Path, test: Images) -> npt.NDArray[np.int64]:
    """What the source model decides."""
    source = SourceModel(onnx.load(model), model.name)
    x = (test.x / 255).astype(np.float32)
    parts = [source.run(x[i : i + 100]).argmax(1) for i in range(0, len(x), 100)]
    return np.concatenate(parts)


if __name__ == "__main__":
    main()
