"""What the template of a report is given, section by section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from snnc.backends.files import write_bytes
from snnc.compiler.errors import printable
from snnc.compiler.operators import times
from snnc.runtime.output.deployment import cost_lines
from snnc.runtime.output.numbers import percent, points
from snnc.runtime.output.report import loss_of
from snnc.runtime.output.report_page import words
from snnc.runtime.output.report_page.cores import cores_of
from snnc.runtime.output.report_page.graph import graph_of
from snnc.runtime.output.report_page.pictures import picture
from snnc.runtime.output.report_page.raster import raster_of
from snnc.runtime.output.tables import (
    ENGINE_COLUMNS,
    LAYER_COLUMNS,
    PLACED_COLUMNS,
    Column,
    cells_of,
    cost_table,
    engine_rows,
    pace_table,
)
from snnc.runtime.studies.report import Confusion, LayerActivity, Report

MOST_CHANGES = 24
"""Images that are shown."""
MOST_CLASSES = 32
"""Of a confusion that is drawn."""
MOST_BARS = 64
"""Of a layer's spikes over its turn; steps of longer turns share one."""


@dataclass(frozen=True)
class HtmlTable:
    """Heads, and the cells below them."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def write_page(path: Path, report: Report, *, inputs: Sequence[Path] = ()) -> None:
    """Write the page of a report.

    Args:
        path: an .html.
        report: what was measured.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    content = page_of(report).encode("utf-8", "backslashreplace")
    write_bytes(path, content, inputs=inputs)


def page_of(report: Report) -> str:
    """The page."""
    environment = Environment(
        loader=PackageLoader("snnc.runtime.output.report_page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["printable"] = printable
    return environment.get_template("report.html").render(_context(report))


def _context(report: Report) -> dict[str, Any]:
    comparison, inspection = report.comparison, report.inspection
    sentence, is_equal = words.verdict(report)
    return {
        "report": report,
        "names": {each.role: each.name for each in report.files},
        "verdict": sentence,
        "is_equal": is_equal,
        "written": report.written.strftime("%Y-%m-%d %H:%M UTC"),
        "compiled": _compiled(report),
        "graph": graph_of(report),
        "layers": _table(LAYER_COLUMNS, inspection.rows),
        "engines": _table(ENGINE_COLUMNS, engine_rows(comparison)),
        "losses": _losses(report),
        "classes": _classes(report),
        "confusion": _confusion(report),
        "changes": [*_changes(report)],
        "hidden_changes": max(0, _count_of_changes(report) - MOST_CHANGES),
        "weights": _weights(report),
        "activity": [*_activity(report)],
        "raster": raster_of(report),
        "placed": _table(PLACED_COLUMNS, report.placement.layers) if report.placement else None,
        "costs": [*_costs(report)],
        "cost_lines": cost_lines(report.cost) if report.cost else [],
        "cores": cores_of(report.placement) if report.placement else None,
        "remarks": words.remarks(report),
    }


def _table(columns: Sequence[Column[Any]], rows: Any) -> HtmlTable:  # noqa: ANN401
    cells = tuple(cells_of(columns, row) for row in rows)
    return HtmlTable(tuple(column.head for column in columns), cells)


def _costs(report: Report) -> Iterator[tuple[str, HtmlTable]]:
    """The tables of `snnc cost`."""
    if report.cost is None:
        return
    for table in (cost_table(report.cost), pace_table(report.cost)):
        yield table.title, HtmlTable(tuple(c.head or c.name for c in table.columns), table.cells)


def _compiled(report: Report) -> list[tuple[str, str]]:
    """What the file says of its compilation."""
    network, timing = report.inspection.network, report.inspection.timing
    settings = {name: n for each in network for name, n in each.neuron.settings.items()}
    facts = [
        ("code", ", ".join([network.code, *(f"{name} = {n}" for name, n in settings.items())])),
        ("target", network.target.name),
        ("schedule", f"{network.schedule}: an image every {timing.period} time steps"),
        ("latency", f"{timing.latency} time steps from pixel to logit"),
        ("input", str(network.input)),
    ]
    digests = [(each.role, f"{each.name} {each.sha256}".strip()) for each in report.files]
    versions = ", ".join(f"{name} {number}" for name, number in report.versions.items())
    return [*facts, *digests, ("versions", versions)]


def _losses(report: Report) -> HtmlTable:
    """Where points of accuracy go."""
    comparison = report.comparison
    rows = (
        (f"{loss_of(comparison.code)} (source to golden)", points(comparison.quantisation_loss)),
        ("lost to spikes (golden to engine)", points(comparison.conversion_loss)),
    )
    return HtmlTable(("step", "points lost"), rows)


def _classes(report: Report) -> HtmlTable | None:
    """How often each class is found."""
    decisions = report.decisions
    if decisions is None or decisions.source is None or decisions.golden is None:
        return None
    source, golden = decisions.source, decisions.golden
    rows = tuple(
        (
            name,
            f"{source.images[k]:,}",
            percent(source.right[k] / source.images[k]),
            percent(golden.right[k] / golden.images[k]),
            f"{golden.right[k] - source.right[k]:+,}",
        )
        for k, name in enumerate(decisions.names)
        if source.images[k]
    )
    return HtmlTable(("class", "images", "source", "compiled", "difference"), rows)


@dataclass(frozen=True)
class Cell:
    """How many images of a class were taken for another one."""

    row: int
    column: int
    count: int
    share: float
    tooltip: str


def _confusion(report: Report) -> tuple[int, list[Cell]] | None:
    """The number of classes, and what is not 0; None without labels, and of too many classes."""
    decisions = report.decisions
    found: Confusion | None = decisions.golden if decisions else None
    if decisions is None or found is None or len(decisions.names) > MOST_CLASSES:
        return None
    cells = []
    for row, column in np.argwhere(found.counts).tolist():
        count, images = int(found.counts[row, column]), int(found.images[row])
        taken = f"{decisions.names[row]} taken for {decisions.names[column]}: {count} of {images}"
        cells.append(Cell(row, column, count, count / images, taken))
    return len(decisions.names), cells


@dataclass(frozen=True)
class ShownChange:
    """An image that is decided otherwise."""

    image: int
    picture: str
    label: str | None
    source: str
    golden: str
    margin: float


def _count_of_changes(report: Report) -> int:
    return len(report.decisions.changes) if report.decisions else 0


def _changes(report: Report) -> Iterator[ShownChange]:
    """Those of which the source was surest come first."""
    decisions = report.decisions
    if decisions is None:
        return
    network, names = report.inspection.network, decisions.names
    for each in sorted(decisions.changes, key=lambda c: -c.margin)[:MOST_CHANGES]:
        yield ShownChange(
            each.image,
            picture(report.data.x[each.image : each.image + 1][0], network.input),
            None if each.label is None else names[each.label],
            names[each.source],
            names[each.golden],
            each.margin,
        )


def _weights(report: Report) -> HtmlTable:
    """What rounding did, layer by layer."""
    changes, rows = report.changes or {}, []
    for row in report.inspection.rows:
        change, error = changes.get(row.name), max(row.weight_errors)
        moved = "-" if change is None else percent(change.share)
        farthest = "-" if change is None or change.farthest is None else str(change.farthest)
        shown = f"{100 * error:.3g} %" if error else "unchanged"
        rows.append((row.name, str(row.weight_bits), shown, moved, farthest))
    heads = ("layer", "bits", "error of its sums", "levels moved", "by at most")
    return HtmlTable(heads, tuple(rows))


@dataclass(frozen=True)
class Bar:
    """The spikes of some steps."""

    x: float
    height: float
    tooltip: str


@dataclass(frozen=True)
class Spikes:
    """A layer's row."""

    name: str
    shape: str
    total: float
    each: float
    share: float
    bars: tuple[Bar, ...]
    bar_width: float


def _activity(report: Report) -> Iterator[Spikes]:
    shapes = {row.name: times(row.shape) for row in report.inspection.rows}
    layers = report.activity.layers
    highest = max((each.total for each in layers), default=0.0) or 1.0
    for each in layers:
        bars, width = _bars(each)
        share = each.total / highest
        mean = each.total / each.neurons
        yield Spikes(each.name, shapes[each.name], each.total, mean, share, bars, width)


def _bars(layer: LayerActivity) -> tuple[tuple[Bar, ...], float]:
    """The turn in at most so many bars, 100 wide and 20 high."""
    parts = np.array_split(layer.spikes, min(len(layer.spikes), MOST_BARS))
    highest = max(float(part.mean()) for part in parts) or 1.0
    width, first, bars = 100 / len(parts), layer.fire, []
    for k, part in enumerate(parts):
        last = first + len(part) - 1
        steps = f"step {first}" if first == last else f"steps {first}…{last}"
        mean = float(part.mean())
        bars.append(Bar(k * width, 20 * mean / highest, f"{steps}: {mean:,.1f} spikes"))
        first = last + 1
    return tuple(bars), width
