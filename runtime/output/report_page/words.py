"""What the numbers of a report say, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from snnc.runtime.engines import ENGINES
from snnc.runtime.output.deployment import placement_lines
from snnc.runtime.output.numbers import percent, points
from snnc.runtime.output.report import loss_of, netx_line
from snnc.runtime.studies.report import Report


def verdict(report: Report) -> tuple[str, bool]:
    """Whether engines of spikes gave what the golden model gives, and what was found."""
    comparison = report.comparison
    if not comparison.verified:
        return "Not verified: no engine of spikes ran.", False
    name, first = next(iter(comparison.verified.items()))
    count, engine = first.spikes, ENGINES[name].label
    if comparison.is_exact:
        found = f"Equal: 0 of {count.compared:,} spikes and 0 logits differ"
        return f"{found} between {engine} and the golden model.", True
    found = f"{count.mismatches:,} of {count.compared:,} spikes and {count.logit_mismatches} logits"
    return f"{found} differ between {engine} and the golden model.", False


def remarks(report: Report) -> list[str]:
    """Everything that is worth a sentence."""
    comparison = report.comparison
    return [
        *_of_engines(report),
        *_of_accuracy(report),
        *_of_levels(report),
        *_of_spikes(report),
        netx_line(report.inspection) + ".",
        *(f"{each}." for each in (placement_lines(report.placement) if report.placement else ())),
        *comparison.remarks,
        *report.inspection.network.provenance.remarks,
        *(str(each) for each in comparison.missing.values()),
    ]


def _of_engines(report: Report) -> Iterator[str]:
    for name, each in [*report.comparison.verified.items()][1:]:
        count, label = each.spikes, ENGINES[name].label
        found = (
            f"{count.mismatches:,} of {count.compared:,} spikes, {count.logit_mismatches} logits"
        )
        yield f"{label}: {found} differ from the golden model."


def _of_accuracy(report: Report) -> Iterator[str]:
    comparison, decisions = report.comparison, report.decisions
    accuracy = comparison.source.accuracy(comparison.labels)
    if accuracy is not None:
        ours = percent(comparison.golden.accuracy(comparison.labels))
        lost = points(comparison.quantisation_loss)
        yield (
            f"The source model is right in {percent(accuracy)} of {comparison.source.images:,} "
            f"images, the compiled network in {ours}: {loss_of(comparison.code)} {lost} points."
        )
    if decisions is None:
        yield "An image has many decisions here, so none are shown one by one."
        return
    count = len(decisions.changes)
    if not count:
        yield "Every image is decided as by the source model."
        return
    known = [each for each in decisions.changes if each.label is not None]
    mended = sum(each.golden == each.label for each in known)
    broken = sum(each.source == each.label for each in known)
    closest = max(each.margin for each in decisions.changes)
    parts = f": {broken} became wrong, {mended} became right" if known else ""
    yield (
        f"{count:,} image{'s are' if count > 1 else ' is'} decided otherwise than by the source "
        f"model{parts}. The source preferred its own class by at most {closest:.3g} there."
    )


def _of_levels(report: Report) -> Iterator[str]:
    if report.changes is None:
        yield (
            "Levels are not compared with those of the source: the code counts spikes, or the "
            "network was compiled with options that its file does not tell."
        )
        return
    layers = {name: each for name, each in report.changes.items() if each.farthest is not None}
    if layers and max(each.share for each in layers.values()) > 0:
        worst = max(layers, key=lambda name: layers[name].share)
        yield (
            f"Rounded weights move most levels in {worst}: {percent(layers[worst].share)} of them, "
            f"by {layers[worst].farthest} at most."
        )
    elif layers:
        yield "Rounded weights move no level."


def _of_spikes(report: Report) -> Iterator[str]:
    layers = report.activity.layers
    total = sum(each.total for each in layers)
    if not total:
        yield "No layer fires."
        return
    most = max(layers, key=lambda each: each.total)
    neurons = sum(each.neurons for each in layers)
    yield (
        f"An image causes {total:,.0f} spikes, {total / neurons:.3f} a neuron; {most.name} sends "
        f"{percent(most.total / total)} of them."
    )
