"""What the tables of `snnc map` and `snnc cost` lead to, in sentences."""

from __future__ import annotations

from snnc.runtime.output.numbers import percent
from snnc.runtime.studies.placement import PlacementReport


def placement_lines(report: PlacementReport) -> list[str]:
    """What the table leads to, and what was assumed."""
    mapping, core = report.mapping, report.mapping.core
    heaviest = max(report.layers, key=lambda each: each.fullest[1])
    resource, fill = heaviest.fullest
    lines = [
        f"{mapping.cores:,} cores on {report.chips:,} chips of {core.cores}",
        f"the fullest core is one of {heaviest.name}: {percent(fill)} of its {resource}",
        f"{percent(report.crossing)} of all messages leave their chip, if all neurons fire alike",
        "assumed: pixels are neurons on cores; a bias and a threshold take no synaptic words",
    ]
    if core.states_differ:
        words = report.options.state_words
        lines[-1] += f"; a neuron with a program of its own has {words} words of state"
    return lines
