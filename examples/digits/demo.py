"""Trained network to spikes, end to end: `python -m examples.digits.demo`, or `make demo`.

For T = 2, 3 and 4 time steps: trains a small QCFS network, exports it to ONNX, compiles it in
both schedules, runs every test image on the Lava simulator and through Lava-DL's own blocks in
PyTorch, and holds each spike against the golden model. Then the same for one network in all codes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import nn

import snnc
from examples.digits.data import Images, load_digits_split, write_npz
from examples.digits.train import accuracy, normalised, train
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import Schedule, SpikingNetwork
from snnc.frontends.torch import export_onnx
from snnc.runtime.output.numbers import percent, points
from snnc.runtime.output.tables import Column, print_table, table_of
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
SHORT = {"timesteps": "T", "rho": "ρ"}
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


@dataclass(frozen=True)
class Coded:
    """The network of 3 bits in one code."""

    network: SpikingNetwork
    settings: str
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
    title = f"handwritten digits, {len(test.y)} test images"
    print_table(table_of(title, ROW_COLUMNS, rows))
    print_table(table_of("the network of 3 bits (L = 7) in all codes", CODE_COLUMNS, coded))
    print(f"{perf_counter() - start:.0f} s for training, compiling and running")
    if not all(each.result.is_exact for each in (*rows, *coded)):
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


def in_code(code: str, settings: dict[str, int]) -> Coded:
    """Compile the network of 3 bits in a code, and compare it on all test images."""
    onnx_file = FOLDER / "digits_T3.onnx"
    options: dict[str, Any] = {**PIXELS, **settings}
    compiled = snnc.compile(onnx_file, FOLDER / f"digits_{code}.h5", code=code, **options)
    print(f"{code} {settings or ''}: done", file=sys.stderr)
    result = snnc.compare(onnx_file, compiled.path, FOLDER / "test.npz")
    said = ", ".join(f"{SHORT.get(name, name)} {value}" for name, value in settings.items())
    return Coded(compiled.network, said, result)


ROW_COLUMNS: Sequence[Column[Row]] = (
    Column("T", lambda row: str(row.time_steps)),
    Column("schedule", lambda row: row.schedule),
    Column("l1", lambda row: f"{row.l1:g}"),
    Column("PyTorch", lambda row: percent(row.torch_accuracy)),
    Column("golden", lambda row: percent(row.result.golden.accuracy(row.result.labels))),
    Column("Lava", lambda row: accuracy_on("lava", row.result)),
    Column("Lava-DL", lambda row: accuracy_on("slayer", row.result)),
    Column("points lost", lambda row: points(row.result.quantisation_loss), 3),
    Column("steps per image", lambda row: str(row.steps_per_image)),
    Column("spikes per image", lambda row: spikes_per_image(row.result)),
    Column("spikes compared", lambda row: f"{row.result.spikes.compared:,}", 2),
    Column("mismatches", lambda row: str(row.result.mismatches)),
)
CODE_COLUMNS: Sequence[Column[Coded]] = (
    Column("code", lambda row: row.network.code, is_text=True),
    Column("settings", lambda row: row.settings, is_text=True),
    Column("float", lambda row: percent(row.result.source.accuracy(row.result.labels)), 2),
    Column("golden", lambda row: percent(row.result.golden.accuracy(row.result.labels))),
    Column("Lava", lambda row: accuracy_on("lava", row.result)),
    Column("steps per image", lambda row: str(timing_of(row.network).period)),
    Column("latency", lambda row: str(timing_of(row.network).latency), 2),
    Column("spikes per image", lambda row: spikes_per_image(row.result)),
    Column("spikes compared", lambda row: f"{row.result.spikes.compared:,}", 2),
    Column("mismatches", lambda row: str(row.result.mismatches)),
)


def spikes_per_image(result: Comparison) -> str:
    """The mean over the images."""
    return f"{result.spikes.fired / result.source.images:.0f}"


def accuracy_on(engine: str, result: Comparison) -> str:
    """Of an engine that sends spikes; a dash where it does not know the code."""
    verified = result.engines[engine]
    return percent(verified.result.accuracy(result.labels)) if verified else "-"


if __name__ == "__main__":
    main()
