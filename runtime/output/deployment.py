"""What the tables of `snnc map` and `snnc cost` lead to, in sentences."""

from __future__ import annotations

from snnc.compiler.mapping.constants import ENERGY_ERROR, LOIHI1_COSTS, TIME_ERROR
from snnc.runtime.output.numbers import percent
from snnc.runtime.studies.cost.report import CostReport
from snnc.runtime.studies.placement import PlacementReport


def placement_lines(report: PlacementReport) -> list[str]:
    """What the table leads to, and what was assumed."""
    mapping, core = report.mapping, report.mapping.core
    heaviest = max(report.layers, key=lambda each: each.fullest[1])
    resource, fill = heaviest.fullest
    chips = "chip" if report.chips == 1 else "chips"
    lines = [
        f"{mapping.cores:,} cores on {report.chips:,} {chips} of {core.cores}",
        f"the fullest core is one of {heaviest.name}: {percent(fill)} of its {resource}",
        f"{percent(report.crossing)} of all messages leave their chip, if all neurons fire alike",
        "assumed: pixels are neurons on cores; a bias and a threshold take no synaptic words",
    ]
    if core.states_differ:
        words = report.options.state_words
        lines[-1] += f"; a neuron with a program of its own has {words} words of state"
    return lines


def cost_lines(report: CostReport) -> list[str]:
    """What the tables leave open: where numbers come from, and what they are not."""
    share = _neuron_share(report)
    cores = f"{report.mapping.cores:,} cores of {report.target}"
    least, most = report.program
    energy, time = (f"{100 * each:.0f} %" for each in (ENERGY_ERROR, TIME_ERROR))
    lines = [
        f"neurons are updated in every step: {percent(share)} of the energy in a stream",
        f"neuron programs: {least:,} to {most:,} operations of an image in a stream, register "
        "transfers of `snnc inspect --program`",
        f"Loihi 1: its events, whether or not it has such neurons, on {cores}; the model is within "
        f"{energy} (energy) and {time} (time) of silicon on three published networks",
        "Loihi 2: no energy of an event is public. The proxy is synaptic operations + 10 · "
        "updates; its times are a lower bound, and what its software was seen to take",
        "papers: multiply-accumulates · 4.6 pJ, synaptic operations · 0.9 pJ (45 nm); that leaves "
        "out neurons, memory, messages and static power",
    ]
    if len(report.mapping.chips) > 1:
        lines.append("a message between chips is counted as hops on one mesh: it takes more")
    return lines


def _neuron_share(report: CostReport) -> float:
    events = report.events("stream")
    return events["neuron"] * LOIHI1_COSTS.neuron.energy / report.energy("stream")
