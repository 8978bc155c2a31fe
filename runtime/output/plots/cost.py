"""What a network costs as a figure: the energy of each layer, and what happens in each step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from snnc.compiler.mapping.constants import LOIHI1_COSTS
from snnc.runtime.output.plots.figure import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    ORANGE,
    VERMILION,
    figure,
    plain,
)
from snnc.runtime.studies.cost.report import CostReport

PARTS = {
    "neurons updated": (("neuron",), BLUE),
    "spikes": (("spike",), ORANGE),
    "messages": (("message_out", "message_in", "hop_east_west", "hop_north_south"), GREEN),
    "synapses": (("convolution_synapse", "dense_synapse"), VERMILION),
}
"""Parts of the energy: their events."""
LABELLED = 24
"""Layers whose names stand on an axis."""


def draw_cost(path: Path, report: CostReport, *, inputs: Sequence[Path] = ()) -> None:
    """The energy of each layer, part by part; and the synaptic operations of each step.

    Args:
        path: a .png, .pdf or .svg.
        report: what was counted.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    names = [plain(each.name) for each in report.layers]
    places = np.arange(len(names))
    height = max(HEIGHT, 0.9 + 0.16 * min(len(names), LABELLED))
    with figure(path, height, inputs) as drawing:
        left, right = drawing.subplots(1, 2)
        behind = np.zeros(len(names))
        for part, (events, color) in PARTS.items():
            energy = sum(
                report.events_by_layer[each] * LOIHI1_COSTS.events[each].energy for each in events
            )
            left.barh(places, energy / 1000, left=behind / 1000, color=color, label=part)
            behind = behind + energy
        if len(names) <= LABELLED:
            left.set_yticks(places, names)
        left.invert_yaxis()
        left.set_xlabel("nJ an image, Loihi 1, in a stream")
        left.legend(frameon=False, fontsize=7)
        operations = report.counts.operations / report.images
        right.bar(np.arange(operations.shape[1]), operations.sum(axis=0), color=GREY)
        right.set_xlabel("time step of an image")
        right.set_ylabel("synaptic operations")
