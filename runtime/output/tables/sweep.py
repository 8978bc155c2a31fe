"""The points of a sweep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from snnc.runtime.output.numbers import percent, points
from snnc.runtime.output.tables.table import Column, Table, table_of
from snnc.runtime.studies.sweep import Deployment, MeasuredPoint, Measurement, Sweep


def _mean(
    of: Callable[[Measurement], float], text: Callable[[float], str]
) -> Callable[[MeasuredPoint], str]:
    """The cell of a mean over the models; a dash where nothing was measured."""

    def cell(point: MeasuredPoint) -> str:
        mean = point.mean(of)
        return "-" if mean is None else text(mean)

    return cell


def _first(text: Callable[[Measurement], str]) -> Callable[[MeasuredPoint], str]:
    """The cell of what is alike for all models; a dash where nothing was measured."""
    return lambda point: text(point.measurements[0]) if point.measurements else "-"


def _on_cores(
    of: Callable[[Deployment], float], text: Callable[[float], str]
) -> Callable[[MeasuredPoint], str]:
    """The cell of a cost on cores; a dash where it was not asked for, or nothing fits."""

    def cell(point: MeasuredPoint) -> str:
        mean = point.deployed(of)
        return "-" if mean is None else text(mean)

    return cell


def _spread(point: MeasuredPoint) -> str:
    return "-" if point.spread is None else f"{100 * point.spread:.2f}"


def _whole(number: float) -> str:
    return f"{number:,.0f}"


def _of_input(point: MeasuredPoint) -> str:
    """The part of the synaptic operations that pixels cause."""
    operations = point.mean(lambda each: each.traffic.operations)
    of_input = point.mean(lambda each: each.traffic.input_operations)
    return percent(of_input / operations) if operations and of_input is not None else "-"


def _remarks(point: MeasuredPoint) -> str:
    """What sets a point apart; the lines below the table say more of it."""
    if not point.measurements:
        return "refused"
    copies = point.measurements[0].copies
    remarks = [f"{copies} copies"] if copies else []
    remarks += ["not error-free"] if point.setting.error_free is False else []
    remarks += ["not compared"] if point.unchecked else []
    remarks += ["fits no core"] if point.unplaced else []
    return ", ".join(remarks)


SWEEP_COLUMNS: Sequence[Column[MeasuredPoint]] = (
    Column("code", lambda point: point.setting.code.series, is_text=True),
    Column("T", lambda point: str(point.setting.time_steps)),
    Column("accuracy", lambda point: percent(point.accuracy)),
    Column("±", _spread, 4, typed="spread"),
    Column("lost", lambda point: points(fmean(point.losses)) if point.losses else "-"),
    Column("spikes", _mean(lambda each: each.traffic.spikes, _whole)),
    Column("a neuron", _mean(lambda each: each.spikes_per_neuron, lambda mean: f"{mean:.3f}"), 5),
    Column("operations", _mean(lambda each: each.traffic.operations, _whole), 3),
    Column("of the input", _of_input, 5),
    Column("latency", _first(lambda each: str(each.latency)), 2),
    Column("period", _first(lambda each: str(each.period)), 4),
    Column("cores", _on_cores(lambda each: each.cores, _whole)),
    Column("µJ", _on_cores(lambda each: each.energy, lambda mean: f"{mean:.2f}"), typed="energy"),
    Column("latency, µs", _on_cores(lambda each: each.latency, _whole), 2, typed="µs"),
    Column("proxy", _on_cores(lambda each: each.proxy, _whole), 3),
    Column("mismatches", lambda p: "-" if p.mismatches is None else f"{p.mismatches:,}", 2),
    Column("remarks", _remarks, 2, is_text=True),
)


def sweep_table(result: Sweep) -> Table:
    """Every point of a sweep; spikes and synaptic operations are those of one image."""
    return table_of(f"{result.images} images", SWEEP_COLUMNS, result.points)
