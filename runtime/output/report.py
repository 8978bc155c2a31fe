"""Sentences for the terminal: what the tables lead to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from snnc.compiler.codes import find_code
from snnc.compiler.errors import Problem
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines import ENGINES
from snnc.runtime.engines.result import EngineResult, Labels
from snnc.runtime.output.numbers import percent, points, span
from snnc.runtime.studies.compare import Comparison
from snnc.runtime.studies.inspection import Inspection
from snnc.runtime.studies.rate_errors import Analysis, ErrorReport
from snnc.runtime.studies.sweep import MeasuredPoint, Sweep

NAMED = 3
"""Layers that a sentence names before it counts the rest."""


def comparison_lines(comparison: Comparison) -> list[str]:
    """What differs between the engines, and what was lost."""
    lost = f"{loss_of(comparison.code):25s}{points(comparison.quantisation_loss)} points"
    spikes, verified = comparison.spikes, comparison.verified
    if spikes is None:
        return ["spikes compared    none: no engine of spikes ran", lost]
    counts = [each.spikes for each in verified.values()]
    engines = ", ".join(ENGINES[name].label for name in verified)
    return [
        f"spikes compared    {spikes.compared:,} in {spikes.time_steps:,} time steps",
        f"spike mismatches   {', '.join(f'{each.mismatches:,}' for each in counts)} ({engines})",
        f"logit mismatches   {', '.join(f'{e.logit_mismatches:,}' for e in counts)} ({engines})",
        f"spikes per image   {spikes.fired / comparison.source.images:,.1f}",
        lost,
        f"lost to spikes           {points(comparison.conversion_loss)} points",
    ]


def loss_of(code: str) -> str:
    """What is lost between the source and the golden model."""
    found = find_code(code)
    if found is None or found.is_exact:
        return "lost to integer weights"
    return "lost to code and weights"


def layer_lines(inspection: Inspection) -> list[str]:
    """Schedule, allowed sums and remarks."""
    network, timing = inspection.network, inspection.timing
    return [
        f"schedule {network.schedule}: an image every {timing.period} time steps, "
        f"logits {timing.latency} time steps after it began",
        f"allowed sums {span(inspection.rows[0].allowed)} ({network.target.name})",
        netx_line(inspection),
        *network.provenance.remarks,
    ]


def compilation_lines(path: Path, inspection: Inspection) -> list[str]:
    """A file that was written, and whether unmodified netx runs it."""
    network, timing = inspection.network, inspection.timing
    line = (
        f"{path}: {parts_of(network)}, {network.schedule}, an image every {timing.period} time "
        f"steps, latency {timing.latency}"
    )
    return [line, netx_line(inspection)]


def run_lines(
    result: EngineResult, labels: Labels | None, spikes: int | None, time_steps: int | None
) -> list[str]:
    """What one engine gave, and what it took."""
    accuracy = percent(result.accuracy(labels))
    rate = f"{result.images_per_second:,.1f} images/s"
    first = f"{result.engine}: {result.images} images, accuracy {accuracy}, {rate}"
    if spikes is None:
        return [first]
    return [first, f"{spikes / result.images:,.1f} spikes per image, {time_steps:,} time steps"]


def parts_of(network: SpikingNetwork) -> str:
    """Layers of the source model, and whatever populations there are besides."""
    serves = network.provenance.serves
    relays = sum(each.is_relay for each in network)
    others = Counter(of for each in network if (of := serves.get(each.name)))
    layers = len(network.populations) - relays - others.total()
    named = (f"{_counted(number, 'population')} for {of}" for of, number in others.items())
    counted = [_counted(layers, "layer"), *named]
    return ", ".join([*counted, _counted(relays, "relay")] if relays else counted)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def netx_line(inspection: Inspection) -> str:
    """Whether unmodified netx runs the file, or why not; layers that share a reason share it."""
    if not inspection.obstacles:
        return f"runs in unmodified netx: yes, input_message_bits={inspection.netx_message_bits}"
    places: dict[str, list[str]] = {}
    for each in inspection.obstacles:
        places.setdefault(each.why, []).append(each.layer)
    reasons = (f"{_few(layers)}{why}" for why, layers in places.items())
    return f"runs in unmodified netx: no: {'; '.join(reasons)}"


def _few(layers: Sequence[str]) -> str:
    """The first of some layers, and how many more there are; nothing for the whole network."""
    named = ", ".join(filter(None, layers[:NAMED]))
    more = f" and {len(layers) - NAMED} more" if len(layers) > NAMED else ""
    return f"{named}{more}: " if named else ""


def sweep_lines(result: Sweep) -> list[str]:
    """What the numbers of the table are, and which it does not have."""
    measured = [each for each in result.points if each.measurements]
    refused = _reasons(result, "cannot be compiled", lambda point: point.problems)
    unchecked = _reasons(result, "not compared", lambda point: point.unchecked)
    models = [f"{each.name}: {percent(each.accuracy)} as floats" for each in result.models]
    spreads = [f"±: {measured[0].spread_of}"] if measured else []
    unplaced = _reasons(result, "fits no core", lambda point: point.unplaced)
    return [*models, *spreads, *refused, *unchecked, *unplaced, *result.notes]


def _reasons(
    result: Sweep, what: str, of: Callable[[MeasuredPoint], Sequence[Problem]]
) -> Iterator[str]:
    """Why points have no numbers; points that share their reasons share the line."""
    points: dict[str, list[str]] = {}
    for each in result.points:
        if problems := of(each):
            reasons = "; ".join(f"{problem.where}: {problem.what}" for problem in problems)
            name = f"{each.setting.code.series} T = {each.setting.time_steps}"
            points.setdefault(reasons, []).append(name)
    for reasons, names in points.items():
        yield f"{', '.join(names)}: {what}: {reasons}"


def errors_lines(report: ErrorReport) -> list[str]:
    """What the columns are, and what is left without clipping."""
    left = (
        f"{variant(each)}: unevenness is {percent(each.overall.conversion_share)} of quantisation "
        f"and unevenness, {percent(each.overall.accumulated_share)} with that of the layers before"
        for each in report.analyses
    )
    return [
        *left,
        "clipping, quantisation, unevenness: shares of the sum of their mean squares, each neuron "
        "held against the mean current that it received; rms: the root of that sum, in spikes per "
        "step",
        "ψ: desired minus fired spikes, desired by the network in which every layer receives "
        "its input evenly; own: desired for the input that the layer received",
    ]


def variant(analysis: Analysis) -> str:
    """A network of a study of rate errors, by its settings."""
    steps, rho, count = analysis.time_steps, analysis.rho, analysis.iterations
    if rho is None:
        return f"T = {steps}"
    kind = "light calibration" if analysis.light else f"calibration{'s' * (count > 1)}"
    return f"T = {steps}, {count} {kind} of {rho} steps"
