"""What activations other than ReLU cost: `python -m examples.digits.activations`.

Trains the digits network once with each activation, compiles it for several levels in two codes
with calibration alone, and prints the accuracy of the integers beside that of the float network,
and how many populations the three activations took.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn

import snnc
from examples.digits.data import HIGHEST_PIXEL, load_digits_split
from examples.digits.model import network_of
from examples.digits.train import accuracy, fit, normalised
from snnc.frontends.torch import export_onnx
from snnc.runtime.data import Data
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.tables import print_table, table_of_cells

FOLDER = Path("out/digits")
LEVELS = (3, 7, 15)
CODES = ("bit-serial", "one-spike")
ACTIVATIONS: Mapping[str, Callable[[int], nn.Module]] = {
    "ReLU": lambda channels: nn.ReLU(),
    "LeakyReLU": lambda channels: nn.LeakyReLU(0.1),
    "PReLU": nn.PReLU,
    "ReLU6": lambda channels: nn.ReLU6(),
    "HardSwish": lambda channels: nn.Hardswish(),
    "SiLU": lambda channels: nn.SiLU(),
    "GELU": lambda channels: nn.GELU(),
    "Mish": lambda channels: nn.Mish(),
    "ELU": lambda channels: nn.ELU(),
    "Tanh": lambda channels: nn.Tanh(),
    "Sigmoid": lambda channels: nn.Sigmoid(),
    "Softplus": lambda channels: nn.Softplus(),
}


def main() -> None:
    """Train, compile, run, print."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    training, test = load_digits_split()
    images = Data(training.x / HIGHEST_PIXEL)
    fresh = Data(test.x / HIGHEST_PIXEL, test.y)
    chosen = sys.argv[1:] or list(ACTIVATIONS)
    heads = ("activation", "float", *(f"{code} L = {n}" for code in CODES for n in LEVELS))
    rows = []
    for name in chosen:
        model = fit(lambda name=name: network_of(ACTIVATIONS[name]))  # type: ignore[misc]
        path = FOLDER / f"digits_{name}.onnx"
        example: torch.Tensor = normalised(test)[:1]
        export_onnx(model, example, path)
        cells = [integers(path, images, fresh, code, n) for code in CODES for n in LEVELS]
        rows.append((name, percent(accuracy(model, test)), *cells))
        print(f"{name}: done", file=sys.stderr)
    print_table(table_of_cells(f"digits, {len(test.y)} test images", heads, rows))


def integers(path: Path, images: Data, test: Data, code: str, levels: int) -> str:
    """The accuracy of a network in whole numbers, and the populations of its activations."""
    result = snnc.compile(path, code=code, calibration=images, levels=levels)
    golden = snnc.run(result.path, test, engine="golden").result
    assert result.calibration is not None
    populations = sum(each.populations for each in result.calibration.layers)
    return f"{percent(golden.accuracy(test.y))}, {populations}"


if __name__ == "__main__":
    main()
