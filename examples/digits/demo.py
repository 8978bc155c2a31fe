"""Trained network to spikes, end to end: `python -m examples.digits.demo`, or `make demo`.

For T = 2, 3 and 4 time steps: trains a small QCFS network, exports it to ONNX, compiles it in
both schedules, runs every test image on the Lava simulator and through Lava-DL's own blocks in
PyTorch, and holds each spike against the golden model. Then the same for one network in all codes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

import snnc
from examples.digits.data import Images, load_digits_split, write_npz
from examples.digits.train import accuracy, normalised, train
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import Schedule, SpikingNetwork
from snnc.frontends.torch import export_onnx
from snnc.runtime.output.numbers import percent, points
from snnc.runtime.studies.compare import Comparison

FOLDER = Path("out/digits")
LEVELS = {2: 3, 3: 7, 4: 15}
"""Time steps, and the highest level that they can send."""
SCHEDULES: tuple[Schedule, ...] = ("pipelined", "sequential")
CODES: tuple[tuple[str, dict[str, int]], ...] = (
    ("bit-serial", {}),
    ("graded", {}),
    ("one-spike", {}),
    ("offset-spike", {"timesteps": 4, "rho": 4}),
    ("offset-spike", {"timesteps": 4, "rho": 4, "iterations": 2}),
    ("rate", {"timesteps": 4}),
    ("rate", {"timesteps": 16}),
)
"""All codes, for the network of 3 bits."""
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
    coded = [in_code(code, settings) for code, settings in CODES]
    Console(width=160).print(table(rows), codes_table(coded))
    print(f"{perf_counter() - start:.0f} s for training, compiling and running")
    results = [row.result for row in rows] + [result for _, result in coded]
    if not all(result.is_exact for result in results):
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


def in_code(code: str, settings: dict[str, int]) -> tuple[SpikingNetwork, Comparison]:
    """Compile the network of 3 bits in a code, and compare it on all test images."""
    onnx_file = FOLDER / "digits_T3.onnx"
    options: dict[str, Any] = {**PIXELS, **settings}
    compiled = snnc.compile(onnx_file, FOLDER / f"digits_{code}.h5", code=code, **options)
    print(f"{code} {settings or ''}: done", file=sys.stderr)
    return compiled.network, snnc.compare(onnx_file, compiled.path, FOLDER / "test.npz")


def codes_table(results: list[tuple[SpikingNetwork, Comparison]]) -> Table:
    """One row for each code."""
    found = Table(title="the network of 3 bits (L = 7) in all codes", title_justify="left")
    heads = ("code", "settings", "float", "golden", "Lava", "steps per image", "latency")
    heads += ("spikes per image", "spikes compared", "mismatches")
    for head in heads:
        found.add_column(head, justify="left" if head in heads[:2] else "right")
    for (_, settings), (network, result) in zip(CODES, results, strict=True):
        timing, spikes, labels = timing_of(network), result.spikes, result.labels
        found.add_row(
            network.code,
            ", ".join(f"{key} {value}" for key, value in settings.items()),
            percent(result.source.accuracy(labels)),
            percent(result.golden.accuracy(labels)),
            accuracy_on("lava", result),
            str(timing.period),
            str(timing.latency),
            f"{spikes.fired / result.source.images:.0f}",
            f"{spikes.compared:,}",
            str(result.mismatches),
        )
    return found


def table(rows: list[Row]) -> Table:
    """One row for each network."""
    images = rows[0].result.source.images
    found = Table(title=f"handwritten digits, {images} test images", title_justify="left")
    heads = ("T", "schedule", "l1", "PyTorch", "golden", "Lava", "Lava-DL", "lost to 8-bit weights")
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
        accuracy_on("lava", result),
        accuracy_on("slayer", result),
        f"{points(result.quantisation_loss)} points",
        str(row.steps_per_image),
        f"{spikes.fired / result.source.images:.0f}",
        f"{spikes.compared:,}",
        str(result.mismatches),
    )


def accuracy_on(engine: str, result: Comparison) -> str:
    """Of an engine that sends spikes; a dash where it does not know the code."""
    verified = result.engines[engine]
    return percent(verified.result.accuracy(result.labels)) if verified else "-"


if __name__ == "__main__":
    main()
