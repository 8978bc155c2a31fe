"""Results for people: tables for the terminal, a page for the browser."""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf
from pathlib import Path

from jinja2 import Environment, PackageLoader
from rich.table import Table

from snnc.compiler.network import Network
from snnc.compiler.neurons import bits_for
from snnc.compiler.operators import Staircase, times
from snnc.runtime.calibration import Calibration
from snnc.runtime.compare import Comparison
from snnc.runtime.inspection import Inspection, LayerRow
from snnc.runtime.losses import LayerLoss
from snnc.runtime.outcome import Outcome

ENGINE_HEADS = ("engine", "accuracy", "same decision", "max. logit error", "images/s")

LAYER_HEADS = (
    *("layer", "shape", "from", "synapses", "weights", "bits", "error"),
    *("step Δ", "threshold", "bias", "sums, worst", "levels", "T", "arrives", "fires"),
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
    counts = [spikes] + ([result.slayer.spikes] if result.slayer else [])
    engines = ", ".join(["Lava", "Lava-DL"][: len(counts)])
    return [
        f"spikes compared    {spikes.compared:,} in {spikes.time_steps:,} time steps",
        f"spike mismatches   {', '.join(f'{each.mismatches:,}' for each in counts)} ({engines})",
        f"logit mismatches   {', '.join(f'{e.logit_mismatches:,}' for e in counts)} ({engines})",
        f"spikes per image   {per_image:,.1f}",
        f"lost to integer weights  {points(result.quantisation_loss)} points",
        f"lost to spikes           {points(result.conversion_loss)} points",
    ]


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
        losses=(points(result.quantisation_loss), points(result.conversion_loss)),
        layers=[row for row in inspection.rows if row.threshold],
        schedule=inspection.as_json()["schedule"],
    )
    path.write_text(page, encoding="utf-8")


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
