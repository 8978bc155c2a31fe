"""What a network costs on cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from snnc.compiler.mapping.constants import PILOTNET
from snnc.runtime.output.tables.table import Column, Table, table_of
from snnc.runtime.studies.cost.report import LOIHI1, CostReport, LayerCost, Pace

COST_COLUMNS: Sequence[Column[LayerCost]] = (
    Column("layer", lambda row: row.name, is_text=True),
    Column("cores", lambda row: f"{row.cores:,}"),
    Column("updates", lambda row: f"{row.updates:,.0f}"),
    Column("spikes", lambda row: f"{row.spikes:,.1f}"),
    Column("messages", lambda row: f"{row.messages:,.1f}", 2),
    Column("hops", lambda row: f"{row.hops:,.1f}", 3),
    Column("operations", lambda row: f"{row.operations:,.0f}"),
    Column("words read", lambda row: f"{row.words:,.0f}", 3, typed="words"),
    Column("Loihi 1, nJ", lambda row: f"{row.energy:,.1f}", typed="energy"),
    Column("program", lambda row: "..".join(f"{n:,}" for n in row.program), 3),
)


def cost_table(report: CostReport) -> Table:
    """Events of a mean image, layer by layer, in a stream."""
    title = f"{report.images} images: events of an image, in the mean"
    return table_of(title, COST_COLUMNS, report.layers)


@dataclass(frozen=True)
class PaceRow:
    """One way to run a network, by one model, or somebody's measurement."""

    what: str
    way: str
    """In a stream, or an image alone."""
    kind: str
    """Modelled, a bound, measured or an estimate."""
    steps: int | None = None
    step: float | None = None
    """µs."""
    latency: float | None = None
    """µs."""
    rate: float | None = None
    """Images a second."""
    energy: float | None = None
    """µJ of an image, static power apart."""
    static: float | None = None
    """µJ."""
    proxy: float | None = None


def _number(value: float | None) -> str:
    """Three digits at least, and no more than are known."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


PACE_COLUMNS: Sequence[Column[PaceRow]] = (
    Column("", lambda row: row.what, is_text=True, typed="of"),
    Column("images", lambda row: row.way),
    Column("this is", lambda row: row.kind, 2, typed="kind"),
    Column("steps", lambda row: _number(row.steps)),
    Column("µs a step", lambda row: _number(row.step), typed="step"),
    Column("latency, µs", lambda row: _number(row.latency), typed="latency"),
    Column("images/s", lambda row: _number(row.rate), typed="rate"),
    Column("µJ an image", lambda row: _number(row.energy), typed="energy"),
    Column("static µJ", lambda row: _number(row.static), 3, typed="static"),
    Column("proxy", lambda row: _number(row.proxy), 2),
)


def pace_table(report: CostReport) -> Table:
    """Time and energy of an image by every model, beside what was measured and what papers say."""
    return table_of("time and energy of an image", PACE_COLUMNS, _rows(report))


def _rows(report: CostReport) -> Iterator[PaceRow]:
    for way, paces in report.paces.items():
        for model, pace in paces.items():
            yield _row(report, way, model, pace)
        if (own := report.own_energy(way)) is not None:
            yield PaceRow("your constants", way, "yours", energy=own / 1e6)
    yield PaceRow(
        f"{PILOTNET.name}, Loihi 2",
        "a step",
        "measured",
        step=PILOTNET.step / 1000,
        energy=PILOTNET.energy / 1e6,
        static=PILOTNET.static_watts * PILOTNET.step / 1000,
    )
    for name, energy in report.estimates.items():
        yield PaceRow(f"papers, {name}", "-", "estimate", energy=energy / 1e6)


def _row(report: CostReport, way: str, model: str, pace: Pace) -> PaceRow:
    is_first = model == LOIHI1
    return PaceRow(
        model,
        way,
        "model" if is_first else "bound",
        pace.steps,
        pace.step / 1000,
        pace.latency / 1000,
        pace.images_per_second,
        report.energy(way) / 1e6 if is_first else None,
        report.static_energy(way) / 1e6 if is_first else None,
        None if is_first else report.proxy(way),
    )
