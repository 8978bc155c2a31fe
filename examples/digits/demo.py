"""Trained network to spikes, end to end: `python -m examples.digits.demo`, or `make demo`.

For T = 2, 3 and 4 time steps: trains a small QCFS network, exports it to ONNX, compiles it in
both schedules, runs every test image on the Lava simulator and holds each spike against the golden
model.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

import snnc
from examples.digits.data import Images, load_digits_split, write_npz
from examples.digits.train import accuracy, normalised, train
from snnc.compiler.spiking import Schedule
from snnc.compiler.timing import timing_of
from snnc.frontends.torch import export_onnx
from snnc.runtime.compare import Comparison
from snnc.runtime.report import percent, points

FOLDER = Path("out/digits")
LEVELS = {2: 3, 3: 7, 4: 15}
"""Time steps, and the highest level that they can send."""
SCHEDULES: tuple[Schedule, ...] = ("pipelined", "sequential")
L1 = 1e-4
"""Weight of the spikes per image in the second training."""
PIXELS = {"input_bits": 5, "input_range": (0.0, 31.0), "std": (16.0,)}
"""Pixels are whole numbers 0 … 16, which 5 bits hold exactly; the network was trained on x/16."""


@dataclass(frozen=True)
class Row:
    """One compiled network and what became of it."""

    time_steps: int
    schedule: Schedule
    l1: float
    torch_accuracy: float
    steps_per_image: int
    result: Comparison


def main() -> None:
    """Train, compile, run, print; exit with 3 if a single spike differs."""
    start = perf_counter()
    FOLDER.mkdir(parents=True, exist_ok=True)
    test = load_digits_split()[1]
    write_npz(test, FOLDER / "test.npz")
    rows = []
    for time_steps, levels in LEVELS.items():
        for l1 in (0.0, L1):
            model = train(levels, l1=l1)
            # With the regulariser one schedule will do: the other has the same spikes.
            for schedule in SCHEDULES if not l1 else SCHEDULES[:1]:
                rows.append(deploy(model, test, time_steps, schedule, l1))
                print(f"T = {time_steps}, {schedule}, l1 = {l1:g}: done", file=sys.stderr)
    Console(width=150).print(table(rows))
    print(f"{perf_counter() - start:.0f} s for training, compiling and running")
    if not all(row.result.is_exact for row in rows):
        sys.exit(3)


def deploy(model: nn.Module, test: Images, time_steps: int, schedule: Schedule, l1: float) -> Row:
    """Export, compile and compare one trained network on all test images."""
    onnx_file = FOLDER / f"digits_T{time_steps}{'_l1' if l1 else ''}.onnx"
    netx_file = onnx_file.with_name(f"{onnx_file.stem}_{schedule}.h5")
    example: torch.Tensor = normalised(test)[:1]
    export_onnx(model, example, onnx_file)
    snnc.compile(onnx_file, netx_file, schedule=schedule, **PIXELS)
    result = snnc.compare(onnx_file, netx_file, FOLDER / "test.npz")
    period = timing_of(snnc.load(netx_file)).period
    return Row(time_steps, schedule, l1, accuracy(model, test), period, result)


def table(rows: list[Row]) -> Table:
    """One row for each network."""
    images = rows[0].result.source.images
    found = Table(title=f"handwritten digits, {images} test images", title_justify="left")
    heads = ("T", "schedule", "l1", "PyTorch", "golden", "Lava", "lost to 8-bit weights")
    heads += ("steps per image", "spikes per image", "spikes compared", "mismatches")
    for head in heads:
        found.add_column(head, justify="right")
    for row in rows:
        found.add_row(*cells(row))
    return found


def cells(row: Row) -> tuple[str, ...]:
    """The numbers of a row as people read them."""
    result, spikes = row.result, row.result.spikes
    return (
        str(row.time_steps),
        row.schedule,
        f"{row.l1:g}",
        percent(row.torch_accuracy),
        percent(result.golden.accuracy(result.labels)),
        percent(result.lava.accuracy(result.labels)),
        f"{points(result.quantisation_loss)} points",
        str(row.steps_per_image),
        f"{spikes.fired / result.source.images:.0f}",
        f"{spikes.compared:,}",
        str(spikes.mismatches + spikes.logit_mismatches),
    )


if __name__ == "__main__":
    main()
