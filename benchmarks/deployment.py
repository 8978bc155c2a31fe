"""What networks cost in every code, and which fit: `python -m benchmarks.deployment`.

The first table needs `make demo` (out/digits) and the fonts of `examples.glyphs`: accuracy, cores,
time steps, energy at the constants of Loihi 1 and Intel's proxy for Loihi 2, for the same images in
every code. `--fit` prints the second instead, which needs PyTorch: cores and chips of VGG16 and
ResNet-18 by the bits of their weights, and how long mapping takes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from examples.glyphs.data import load_glyphs

import snnc
from benchmarks.zoo import NORMALISED, SIZES, alone, export
from snnc.compiler.mapping.mapper import MapOptions, map_network
from snnc.runtime.data import load_data
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.tables import Column, View, print_table, table_of
from snnc.runtime.studies.cost import CostReport
from snnc.runtime.studies.cost.report import LOIHI1

ROOT = Path(__file__).parents[1]
DIGITS, GLYPHS = ROOT / "out" / "digits", ROOT / "examples" / "glyphs" / "checkpoints"
IMAGES, ROUNDS = 200, 3
CODES: Sequence[Mapping[str, Any]] = (
    {"code": "bit-serial"},
    {"code": "graded"},
    {"code": "delta"},
    {"code": "one-spike"},
    {"code": "offset-spike", "timesteps": 4, "rho": 4},
    {"code": "rate", "timesteps": 16},
)


@dataclass(frozen=True)
class Row:
    """A network in a code."""

    network: str
    settings: Mapping[str, Any]
    accuracy: float | None
    report: CostReport | None
    """None where a layer fits no core."""


def _of_report(head: str, cell: Callable[[CostReport], str], none: str = "-") -> Column[Row]:
    return Column(head, lambda row: cell(row.report) if row.report else none)


def _code(row: Row) -> str:
    """The code, and its time steps where they are chosen."""
    return " ".join(
        map(str, (row.settings["code"], *filter(None, [row.settings.get("timesteps")])))
    )


COLUMNS: Sequence[Column[Row]] = (
    Column("network", lambda row: row.network),
    Column("code", _code),
    Column("accuracy", lambda row: percent(row.accuracy)),
    _of_report("cores", lambda report: f"{report.mapping.cores:,}", "no fit"),
    _of_report("steps", lambda report: f"{report.timing.period}"),
    _of_report("latency", lambda report: f"{report.timing.latency}"),
    _of_report("Loihi 1, µJ", lambda report: f"{report.energy('stream') / 1e6:.2f}"),
    _of_report("images/s", lambda r: f"{r.paces['stream'][LOIHI1].images_per_second:,.0f}"),
    _of_report("Loihi 2, proxy", lambda report: f"{report.proxy('stream') / 1e3:,.0f} k"),
)


def rows_of(name: str, model: Path, images: snnc.Data, pixels: Mapping[str, Any]) -> Iterator[Row]:
    """One network in every code."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "network.h5"
        for settings in CODES:
            snnc.compile(model, path, **pixels, **settings)
            accuracy = snnc.run(path, images, engine="golden").result.accuracy(images.y)
            yield Row(name, settings, accuracy, _cost(path, images))


def _cost(path: Path, images: snnc.Data) -> CostReport | None:
    """What it costs; None where it does not fit, which stderr explains."""
    try:
        return snnc.cost(path, images)
    except snnc.SnncError as error:
        print(error, file=sys.stderr)
        return None


def costs() -> Iterator[Row]:
    """All networks in all codes."""
    pixels = {"input_bits": 5, "input_range": (0, 31), "std": (16,)}
    digits = load_data(DIGITS / "test.npz")
    first = snnc.Data(digits.x[:IMAGES], digits.y[:IMAGES])
    yield from rows_of("digits", DIGITS / "digits_T3.onnx", first, pixels)
    glyphs = load_glyphs("test", IMAGES)
    for title, name in (("glyph VGG", "vgg_L7"), ("glyph ResNet", "resnet_L15")):
        yield from rows_of(title, GLYPHS / f"{name}.onnx", snnc.Data(glyphs.x, glyphs.y), {})


@dataclass(frozen=True)
class Fit:
    """A large network with weights of some bits."""

    network: str
    bits: int
    cores: int
    chips: int
    fewest: int
    """Cores, whatever the time."""
    seconds: float
    """That mapping takes, the best of some rounds."""


FIT_COLUMNS: Sequence[Column[Fit]] = (
    Column("network", lambda row: row.network),
    Column("input", lambda row: f"{SIZES[row.network]}x{SIZES[row.network]}"),
    Column("weight bits", lambda row: str(row.bits)),
    Column("cores", lambda row: f"{row.cores:,}"),
    Column("chips", lambda row: str(row.chips)),
    Column("fewest cores", lambda row: f"{row.fewest:,}"),
    Column("seconds", lambda row: f"{row.seconds:.2f}"),
)


def fit_of(name: str, model: Path, bits: int) -> Fit:
    """Compile with weights of some bits, and map."""
    options: Any = {"weight_bits": bits, "average_pool": "sum", **NORMALISED}
    network = snnc.compile(model, **options).network
    moments, mapping = [perf_counter()], map_network(network)
    for _ in range(ROUNDS):
        map_network(network)
        moments.append(perf_counter())
    seconds = min(last - first for first, last in pairwise(moments))
    fewest = map_network(network, MapOptions("cores")).cores
    return Fit(name, bits, mapping.cores, len(mapping.chips), fewest, seconds)


def fits(names: Sequence[str]) -> Iterator[Fit]:
    """Large networks of random weights, which is all that a mapping asks for."""
    with TemporaryDirectory() as folder:
        for name in names:
            model = Path(folder) / f"{name}.onnx"
            alone(export, name, model)
            for bits in (8, 6, 4):
                yield alone(fit_of, name, model, bits)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fit", nargs="*", metavar="NETWORK", help="VGG16 ResNet18")
    options = parser.parse_args()
    if options.fit is None:
        title = f"{IMAGES} test images; steps, energy and proxy of an image in a stream"
        print_table(table_of(title, COLUMNS, costs()), View())
        return
    names = options.fit or ["VGG16", "ResNet18"]
    print_table(table_of("on chips of 120 cores of Loihi 2", FIT_COLUMNS, fits(names)), View())


if __name__ == "__main__":
    main()
