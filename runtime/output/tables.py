"""Tables for the terminal: a table is a list of columns, and a column says what its cells hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import Generic, TypeVar

from rich.table import Table
from rich.text import Text

from snnc.compiler.errors import Problem, printable
from snnc.compiler.laws import bits_for
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Staircase, times
from snnc.runtime.engines import ENGINES
from snnc.runtime.engines.golden import GoldenEngine
from snnc.runtime.engines.result import EngineResult, Labels
from snnc.runtime.output.numbers import percent, points, span
from snnc.runtime.output.report import variant
from snnc.runtime.studies.compare import Comparison
from snnc.runtime.studies.inspection import Inspection, LayerRow
from snnc.runtime.studies.rate_errors import OFFSETS, PARTS, Analysis, ErrorReport, LayerErrors
from snnc.runtime.studies.sweep import MeasuredPoint, Measurement, Sweep

Row = TypeVar("Row")
NO_OFFSET = OFFSETS.index("0")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """What stands above the cells of a column, and in them."""

    head: str
    cell: Callable[[Row], str]


def table_of(title: str, columns: Sequence[Column[Row]], rows: Iterable[Row]) -> Table:
    """A table whose first column is text, the others numbers."""
    table = Table(title=_plain(title), title_justify="left")
    for index, column in enumerate(columns):
        justify = "left" if index == 0 else "right"
        table.add_column(column.head, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in rows:
        table.add_row(*map(_plain, cells_of(columns, row)))
    return table


def _plain(text: str) -> Text:
    """Text that is shown as it is, whatever somebody called a layer."""
    return Text(printable(text))


def cells_of(columns: Sequence[Column[Row]], row: Row) -> tuple[str, ...]:
    """The cells of one row."""
    return tuple(column.cell(row) for column in columns)


@dataclass(frozen=True, eq=False)
class EngineRow:
    """One engine of a comparison."""

    title: str
    result: EngineResult
    source: EngineResult
    labels: Labels | None


ENGINE_COLUMNS: Sequence[Column[EngineRow]] = (
    Column("engine", lambda row: row.title),
    Column("accuracy", lambda row: percent(row.result.accuracy(row.labels))),
    Column("same decision", lambda row: percent(row.result.agreement(row.source))),
    Column("max. logit error", lambda row: f"{row.result.max_logit_error(row.source):.3g}"),
    Column("images/s", lambda row: f"{row.result.images_per_second:.0f}"),
)


def engine_rows(comparison: Comparison) -> Iterator[EngineRow]:
    """One row for each engine, held against the source."""
    source, labels = comparison.source, comparison.labels
    yield EngineRow(f"source ({source.engine})", source, source, labels)
    yield EngineRow(GoldenEngine.title, comparison.golden, source, labels)
    for name, verified in comparison.verified.items():
        yield EngineRow(ENGINES[name].title, verified.result, source, labels)


def comparison_table(comparison: Comparison) -> Table:
    """The engines side by side."""
    title = f"{comparison.source.images} images"
    return table_of(title, ENGINE_COLUMNS, engine_rows(comparison))


LAYER_COLUMNS: Sequence[Column[LayerRow]] = (
    Column("layer", lambda row: row.name),
    Column("shape", lambda row: times(row.shape)),
    Column("from", lambda row: ", ".join(row.sources)),
    Column("synapses", lambda row: f"{row.synapses:,}"),
    Column("weights", lambda row: span(row.weights)),
    Column("bits", lambda row: str(row.weight_bits)),
    Column("error", lambda row: ", ".join(map(_weight_error, row.weight_errors))),
    Column("step Δ", lambda row: span(row.step)),
    Column("threshold", lambda row: span(row.threshold)),
    Column("bias", lambda row: span(row.bias)),
    Column("sums, worst", lambda row: span(row.sums)),
    Column("levels", lambda row: str(row.levels or "-")),
    Column("T", lambda row: str(row.time_steps)),
    Column("arrives", lambda row: str(row.arrives)),
    Column("fires", lambda row: str(row.fires)),
)


def _weight_error(error: float) -> str:
    return f"{100 * error:.2g} %" if error else "unchanged"


def layer_table(inspection: Inspection) -> Table:
    """The populations of a compiled network."""
    return table_of(f"input {inspection.network.input}", LAYER_COLUMNS, inspection.rows)


NODE_COLUMNS: Sequence[Column[Node]] = (
    Column("layer", lambda node: node.name),
    Column("operator", lambda node: str(node.operator)),
    Column("shape", lambda node: times(node.shape)),
    Column("levels", lambda node: _of_staircase(node, str)),
    Column("T", lambda node: _of_staircase(node, lambda levels: str(bits_for(levels)))),
)


def _of_staircase(node: Node, text: Callable[[int], str]) -> str:
    return text(node.operator.levels) if isinstance(node.operator, Staircase) else ""


def model_table(network: Network) -> Table:
    """A source model after its staircases were recognised."""
    return table_of("source model", NODE_COLUMNS, network)


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


def _whole(number: float) -> str:
    return f"{number:,.0f}"


def _of_input(point: MeasuredPoint) -> str:
    """The part of the synaptic operations that pixels cause."""
    operations = point.mean(lambda each: each.traffic.operations)
    of_input = point.mean(lambda each: each.traffic.input_operations)
    return percent(of_input / operations) if operations and of_input is not None else "-"


def _remarks(point: MeasuredPoint) -> str:
    """What sets a point apart, or why there is none."""
    if not point.measurements:
        return "cannot be compiled: " + _told(point.problems)
    copies = point.measurements[0].copies
    remarks = [f"{copies} copies"] if copies else []
    remarks += ["not error-free"] if point.setting.error_free is False else []
    remarks += [f"not compared: {_told(point.unchecked)}"] if point.unchecked else []
    return ", ".join(remarks)


def _told(problems: Sequence[Problem]) -> str:
    return "; ".join(f"{each.where}: {each.what}" for each in problems)


SWEEP_COLUMNS: Sequence[Column[MeasuredPoint]] = (
    Column("code", lambda point: point.setting.code.series),
    Column("T", lambda point: str(point.setting.time_steps)),
    Column("accuracy", lambda point: percent(point.accuracy)),
    Column("±", lambda point: "-" if point.spread is None else f"{100 * point.spread:.2f}"),
    Column("lost", lambda point: points(fmean(point.losses)) if point.losses else "-"),
    Column("spikes", _mean(lambda each: each.traffic.spikes, _whole)),
    Column("a neuron", _mean(lambda each: each.spikes_per_neuron, lambda mean: f"{mean:.3f}")),
    Column("operations", _mean(lambda each: each.traffic.operations, _whole)),
    Column("of the input", _of_input),
    Column("latency", _first(lambda each: str(each.latency))),
    Column("period", _first(lambda each: str(each.period))),
    Column("mismatches", lambda p: "-" if p.mismatches is None else f"{p.mismatches:,}"),
    Column("", _remarks),
)


def sweep_table(result: Sweep) -> Table:
    """Every point of a sweep; spikes and synaptic operations are those of one image."""
    return table_of(f"{result.images} images", SWEEP_COLUMNS, result.points)


ERROR_COLUMNS: Sequence[Column[LayerErrors]] = (
    Column("layer", lambda row: row.name),
    Column("neurons", lambda row: f"{row.neurons:,}"),
    *(Column(part, lambda row, part=part: percent(row.errors.shares[part])) for part in PARTS),  # type: ignore[misc]
    Column("rms", lambda row: f"{sqrt(row.errors.total):.4f}"),
    *(
        Column(f"ψ {offset}", lambda row, i=index: percent(row.accumulated[i]))  # type: ignore[misc]
        for index, offset in enumerate(OFFSETS)
    ),
    Column("own ψ 0", lambda row: percent(row.own[NO_OFFSET])),
)


def errors_table(analysis: Analysis) -> Table:
    """The three errors of each layer, and how many spikes its neurons are off."""
    return table_of(variant(analysis), ERROR_COLUMNS, (*analysis.layers, analysis.overall))


OFFSET_COLUMNS: Sequence[Column[Analysis]] = (
    Column("T", lambda row: str(row.time_steps)),
    Column("ρ", lambda row: str(row.rho or "-")),
    Column("iterations", lambda row: "light" if row.light else str(row.iterations)),
    Column("without offset", lambda row: percent(row.layers[-1].accumulated[NO_OFFSET])),
    Column("own", lambda row: percent(row.layers[-1].own[NO_OFFSET])),
    Column("all layers", lambda row: percent(row.overall.accumulated[NO_OFFSET])),
    Column("own", lambda row: percent(row.overall.own[NO_OFFSET])),
)


def offsets_table(report: ErrorReport) -> Table:
    """The share of neurons of the last firing layer without an offset, calibration by calibration.

    As Hao et al., ICLR 2023, print it for T = ρ.
    """
    title = "neurons of the last firing layer without an offset"
    return table_of(title, OFFSET_COLUMNS, report.analyses)
