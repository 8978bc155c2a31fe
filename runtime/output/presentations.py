"""Every result in Python, in the words of the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from snnc.runtime.engines import ENGINES
from snnc.runtime.engines.result import EngineResult, Labels
from snnc.runtime.output import plots
from snnc.runtime.output.deployment import cost_lines, placement_lines
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.report import (
    comparison_lines,
    compilation_lines,
    errors_lines,
    sweep_lines,
)
from snnc.runtime.output.tables import (
    Table,
    comparison_table,
    cost_table,
    decisions_table,
    errors_table,
    layer_table,
    offsets_table,
    pace_table,
    placement_table,
    sweep_table,
)
from snnc.runtime.presented import Presentation
from snnc.runtime.studies.compare import Comparison
from snnc.runtime.studies.cost import CostReport
from snnc.runtime.studies.inspection import Inspection
from snnc.runtime.studies.placement import PlacementReport
from snnc.runtime.studies.rate_errors import ErrorReport
from snnc.runtime.studies.sweep import MeasuredPoint, Sweep


def of_compilation(
    path: Path, inspection: Inspection, tables: Sequence[Table], remarks: Sequence[str]
) -> Presentation:
    """A file that was written: its layers, and what calibration did."""
    return Presentation(
        path.name,
        compilation_lines(path, inspection),
        (layer_table(inspection), *tables),
        partial(plots.draw_layers, inspection=inspection, inputs=[path]),
        remarks,
    )


def of_run(
    result: EngineResult, labels: Labels | None, lines: Sequence[str], remarks: Sequence[str]
) -> Presentation:
    """What one engine gave: its decisions, class by class."""
    draw = partial(plots.draw_decisions, result=result, labels=labels)
    return Presentation(result.engine, lines, (decisions_table(result, labels),), draw, remarks)


def of_comparison(comparison: Comparison) -> Presentation:
    """The engines side by side."""
    named = {"source": comparison.source, "golden": comparison.golden}
    named |= {ENGINES[name].label: each.result for name, each in comparison.verified.items()}
    labels = comparison.labels
    shares = (f"{name} {percent(each.accuracy(labels))}" for name, each in named.items())
    first = f"{comparison.source.images} images: {', '.join(shares)}"
    return Presentation(
        "comparison",
        (first, *comparison_lines(comparison)),
        (comparison_table(comparison),),
        partial(plots.draw_comparison, comparison=comparison),
        comparison.remarks,
    )


def of_sweep(result: Sweep) -> Presentation:
    """Every point, and of each curve the best."""
    measured = [each for each in result.points if each.measurements]
    best = {each.setting.code.series: each for each in sorted(measured, key=_quality)}
    curves = (
        f"{name}: at most {percent(point.accuracy)}, at T = {point.setting.time_steps}"
        for name, point in best.items()
    )
    first = f"{result.images} images, {len(measured)} of {len(result.points)} points measured"
    return Presentation(
        "sweep",
        (first, *curves, *sweep_lines(result)),
        (sweep_table(result),),
        partial(plots.draw_sweep, result=result),
        result.remarks,
    )


def _quality(point: MeasuredPoint) -> tuple[float, int]:
    """Accuracy; among equals few time steps."""
    return point.accuracy or 0.0, -point.setting.time_steps


def of_errors(report: ErrorReport) -> Presentation:
    """Where a rate network errs."""
    tables = [errors_table(each) for each in report.analyses]
    first = f"{report.model}, {report.code}, {report.images} images"
    return Presentation(
        "errors",
        (first, *errors_lines(report)),
        (*tables, offsets_table(report)) if report.calibrates else tables,
        partial(plots.draw_errors, report=report),
        report.remarks,
    )


def of_cost(report: CostReport) -> Presentation:
    """Energy and time on cores."""
    return Presentation(
        "cost",
        cost_lines(report),
        (cost_table(report), pace_table(report)),
        partial(plots.draw_cost, report=report),
        report.remarks,
    )


def of_placement(report: PlacementReport) -> Presentation:
    """A network on cores."""
    draw = partial(plots.draw_placement, report=report)
    return Presentation("cores", placement_lines(report), (placement_table(report),), draw)
