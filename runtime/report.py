"""Results for people: tables for the terminal, a page for the browser."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf, sqrt
from pathlib import Path
from statistics import fmean

from jinja2 import Environment, PackageLoader
from rich.table import Table

from snnc.compiler.codes import RATE_CODES
from snnc.compiler.network import Network
from snnc.compiler.neurons import bits_for
from snnc.compiler.operators import Staircase, times
from snnc.runtime.calibration import Calibration
from snnc.runtime.compare import Comparison
from snnc.runtime.inspection import Inspection, LayerRow
from snnc.runtime.losses import LayerLoss
from snnc.runtime.outcome import Outcome
from snnc.runtime.sweep import Point, Sweep
from snnc.runtime.unevenness import OFFSETS, PARTS, Analysis, ErrorReport, LayerErrors

ENGINE_HEADS = ("engine", "accuracy", "same decision", "max. logit error", "images/s")

LAYER_HEADS = (
    *("layer", "shape", "from", "synapses", "weights", "bits", "error"),
    *("step Δ", "threshold", "bias", "sums, worst", "levels", "T", "arrives", "fires"),
)

SWEEP_HEADS = (
    *("code", "T", "accuracy", "±", "lost", "spikes", "a neuron", "operations"),
    *("of the input", "latency", "period", "mismatches", ""),
)


def percent(share: float | None) -> str:
    """A share as people read it; a dash where nobody knows it."""
    return "-" if share is None else f"{100 * share:.2f} %"


def points(loss: float | None) -> str:
    """Points of accuracy, never a minus sign before a zero."""
    return "-" if loss is None else f"{loss + 0.0:.2f}"


def engine_rows(result: Comparison) -> list[tuple[str, ...]]:
    """One row for each engine, held against the source."""

    def row(name: str, outcome: Outcome) -> tuple[str, ...]:
        accuracy = percent(outcome.accuracy(result.labels))
        same = percent(outcome.agreement(result.source))
        error = f"{outcome.max_logit_error(result.source):.3g}"
        return name, accuracy, same, error, f"{outcome.images_per_second:.0f}"

    return [
        row(f"source ({result.source.engine})", result.source),
        row("golden (integers)", result.golden),
        row("Lava (spikes)", result.lava),
        *([row("Lava-DL, torch (spikes)", result.slayer.outcome)] if result.slayer else []),
    ]


def comparison_table(result: Comparison) -> Table:
    """The engines side by side."""
    table = _table(f"{result.source.images} images", ENGINE_HEADS)
    for row in engine_rows(result):
        table.add_row(*row)
    return table


def comparison_lines(result: Comparison) -> list[str]:
    """What the table leads to, in sentences."""
    spikes = result.spikes
    per_image = spikes.fired / result.source.images
    counts = [each.spikes for each in result.counted]
    engines = ", ".join(["Lava", "Lava-DL"][: len(counts)])
    return [
        f"spikes compared    {spikes.compared:,} in {spikes.time_steps:,} time steps",
        f"spike mismatches   {', '.join(f'{each.mismatches:,}' for each in counts)} ({engines})",
        f"logit mismatches   {', '.join(f'{e.logit_mismatches:,}' for e in counts)} ({engines})",
        f"spikes per image   {per_image:,.1f}",
        f"{_loss_of(result.code):25s}{points(result.quantisation_loss)} points",
        f"lost to spikes           {points(result.conversion_loss)} points",
    ]


def _loss_of(code: str) -> str:
    return "lost to code and weights" if code in RATE_CODES else "lost to integer weights"


def losses_table(losses: Sequence[LayerLoss]) -> Table:
    """Where rounding the weights tells."""
    table = _table("lost to integer weights", ("layer", "signal to noise", "levels changed"))
    for each in losses:
        snr = "exact" if isinf(each.snr) else f"{each.snr:.1f} dB"
        table.add_row(each.layer, snr, percent(each.changed))
    return table


def calibration_table(calibration: Calibration) -> Table:
    """The staircases that plain activations were given."""
    heads = ("activation", "threshold", "found by", "error at the greatest", "error", "corrected")
    table = _table(f"calibrated on {calibration.images} images", heads)
    for layer in calibration.layers:
        errors = layer.errors
        stages = (errors.uncalibrated, errors.calibrated, errors.corrected)
        threshold = f"{layer.staircase.threshold:.4g}"
        table.add_row(layer.name, threshold, layer.search, *(f"{each:.2g}" for each in stages))
    return table


def calibration_lines(calibration: Calibration) -> list[str]:
    """What calibration costs in decisions."""
    stages = calibration.loss
    named = zip(
        ("at the greatest activations", "calibrated", "with corrected biases"),
        (stages.uncalibrated, stages.calibrated, stages.corrected),
        strict=True,
    )
    return [
        f"{name:28s} {percent(each.agreement)} of the decisions unchanged, logits {each.snr:.1f} dB"
        for name, each in named
    ]


def layer_table(inspection: Inspection) -> Table:
    """The populations of a compiled network."""
    table = _table(f"input {inspection.network.input}", LAYER_HEADS)
    for row in inspection.rows:
        table.add_row(*_cells(row))
    return table


def layer_lines(inspection: Inspection) -> list[str]:
    """Schedule, allowed sums and remarks."""
    timing, low_high = inspection.timing, inspection.rows[0].allowed
    return [
        f"schedule {inspection.network.schedule}: an image every {timing.period} time steps, "
        f"logits {timing.latency} time steps after it began",
        f"allowed sums {_range(low_high)} ({inspection.network.provenance.target})",
        *inspection.network.provenance.remarks,
    ]


def model_table(network: Network) -> Table:
    """A source model after its staircases were recognised."""
    table = _table("source model", ("layer", "operator", "shape", "levels", "T"))
    for node in network:
        levels = node.operator.levels if isinstance(node.operator, Staircase) else None
        counts = ("", "") if levels is None else (str(levels), str(bits_for(levels)))
        table.add_row(node.name, str(node.operator), times(node.shape), *counts)
    return table


def sweep_table(result: Sweep) -> Table:
    """Every point of a sweep; spikes and synaptic operations are those of one image."""
    table = _table(f"{result.images} images", SWEEP_HEADS)
    for point in result.points:
        table.add_row(*_sweep_cells(point))
    return table


def sweep_lines(result: Sweep) -> list[str]:
    """What the numbers of the table are."""
    measured = [each for each in result.points if each.measurements]
    models = [f"{each.name}: {percent(each.accuracy)} as floats" for each in result.models]
    spreads = [f"±: {measured[0].spread_of}"] if measured else []
    return [*models, *spreads]


def errors_table(analysis: Analysis) -> Table:
    """The three errors of each layer, and how many spikes its neurons are off."""
    heads = ("layer", "neurons", *PARTS, "rms", *(f"ψ {each}" for each in OFFSETS), "own ψ 0")
    table = _table(_variant(analysis), heads)
    for each in (*analysis.layers, analysis.overall):
        table.add_row(*_error_cells(each))
    return table


def offsets_table(report: ErrorReport) -> Table:
    """The share of neurons of the last firing layer without an offset, calibration by calibration.

    As Hao et al., ICLR 2023, print it for T = ρ.
    """
    heads = ("T", "ρ", "iterations", "without offset", "own", "all layers", "own")
    table = _table("neurons of the last firing layer without an offset", heads)
    none = OFFSETS.index("0")
    for each in report.analyses:
        shares = (
            percent(offsets[none])
            for layer in (each.layers[-1], each.overall)
            for offsets in (layer.accumulated, layer.own)
        )
        rounds = "light" if each.light else str(each.iterations)
        table.add_row(str(each.time_steps), str(each.rho or "-"), rounds, *shares)
    return table


def errors_lines(report: ErrorReport) -> list[str]:
    """What the columns are, and what is left without clipping."""
    left = (
        f"{_variant(each)}: unevenness is {percent(each.overall.conversion_share)} of quantisation "
        f"and unevenness, {percent(each.overall.accumulated_share)} with that of the layers before"
        for each in report.analyses
    )
    return [
        *left,
        "clipping, quantisation, unevenness: shares of the sum of their mean squares, each neuron "
        "held against the mean current it heard; rms: the root of that sum, in spikes per step",
        "ψ: desired minus fired spikes, desired by the network in which every layer hears its "
        "input evenly; own: desired for the input that the layer heard",
    ]


def write_html(
    path: Path, result: Comparison, inspection: Inspection, model: str, network: str, version: str
) -> None:
    """The comparison as one page that needs nothing else."""
    environment = Environment(loader=PackageLoader("snnc.runtime"), autoescape=True)
    page = environment.get_template("compare.html").render(
        model=model,
        network=network,
        version=version,
        images=result.source.images,
        exact=result.is_exact,
        result=result.as_json(),
        heads=ENGINE_HEADS,
        rows=engine_rows(result),
        loss_of=_loss_of(result.code),
        losses=(points(result.quantisation_loss), points(result.conversion_loss)),
        layers=[row for row in inspection.rows if row.threshold],
        schedule=inspection.as_json()["schedule"],
    )
    path.write_text(page, encoding="utf-8")


def _variant(analysis: Analysis) -> str:
    steps, rho, count = analysis.time_steps, analysis.rho, analysis.iterations
    if rho is None:
        return f"T = {steps}"
    kind = "light calibration" if analysis.light else f"calibration{'s' * (count > 1)}"
    return f"T = {steps}, {count} {kind} of {rho} steps"


def _error_cells(layer: LayerErrors) -> tuple[str, ...]:
    return (
        layer.name,
        f"{layer.neurons:,}",
        *(percent(share) for share in layer.errors.shares.values()),
        f"{sqrt(layer.errors.total):.4f}",
        *(percent(share) for share in layer.accumulated),
        percent(layer.own[OFFSETS.index("0")]),
    )


def _sweep_cells(point: Point) -> tuple[str, ...]:
    plan, first = point.plan, point.measurements[0] if point.measurements else None
    start = (plan.setting.series, str(plan.time_steps))
    if first is None:
        reasons = "; ".join(f"{each.where}: {each.what}" for each in point.problems)
        return (*start, *["-"] * (len(SWEEP_HEADS) - 3), reasons)
    spikes = point.mean(lambda each: each.traffic.spikes) or 0.0
    operations = point.mean(lambda each: each.traffic.operations) or 0.0
    of_input = point.mean(lambda each: each.traffic.input_operations) or 0.0
    a_neuron = point.mean(lambda each: each.traffic.hidden_spikes / max(1, each.neurons)) or 0.0
    remarks = [f"{first.groups} groups"] if first.groups else []
    remarks += ["not error-free"] if plan.error_free is False else []
    return (
        *start,
        percent(point.accuracy),
        f"{100 * (point.spread or 0.0):.2f}",
        points(fmean(point.losses)),
        f"{spikes:,.0f}",
        f"{a_neuron:.3f}",
        f"{operations:,.0f}",
        percent(of_input / operations) if operations else "-",
        str(first.latency),
        str(first.period),
        "-" if point.mismatches is None else f"{point.mismatches:,}",
        ", ".join(remarks),
    )


def _cells(row: LayerRow) -> tuple[str, ...]:
    return (
        row.name,
        times(row.shape),
        ", ".join(row.sources),
        f"{row.synapses:,}",
        _range(row.weights),
        str(row.weight_bits),
        ", ".join(f"{100 * each:.2g} %" for each in row.weight_errors),
        _range(row.step) if row.step else "-",
        _range(row.threshold) if row.threshold else "-",
        _range(row.bias),
        _range(row.sums),
        str(row.levels) if row.levels else "-",
        str(row.time_steps),
        str(row.arrives),
        str(row.fires),
    )


def _range(span: tuple[int, int]) -> str:
    return str(span[0]) if span[0] == span[1] else f"{span[0]}..{span[1]}"


def _table(title: str, heads: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, head in enumerate(heads):
        table.add_column(head, justify="left" if index == 0 else "right", overflow="fold")
    return table
