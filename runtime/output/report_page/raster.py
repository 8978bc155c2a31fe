"""One image on its way through the pipeline: who listens, who fires, some neurons of each layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.runtime.studies.report import Raster, Report

WIDTH, LABEL, ROW, GAP = 720, 14, 4, 6
MOST_LAYERS = 60
FAINTEST = 0.25
"""Of the smallest payload."""


@dataclass(frozen=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    opacity: float = 1.0


@dataclass(frozen=True)
class Band:
    """A layer."""

    y: float
    name: str
    tooltip: str
    listens: tuple[Bar, ...]
    fires: Bar
    spikes: tuple[Bar, ...]


@dataclass(frozen=True)
class Drawing:
    """All of it, in units of a viewBox."""

    width: int
    height: float
    steps: int
    ticks: tuple[tuple[float, int], ...]
    """Where a number of the axis stands, and the number."""
    bands: tuple[Band, ...]
    hidden: int
    """Layers that are left out."""


def raster_of(report: Report) -> Drawing:
    """Image 0, from its first spike to its last."""
    rasters = report.activity.rasters[:MOST_LAYERS]
    timing = report.inspection.timing
    scale = WIDTH / timing.end
    bands, y = [], float(LABEL)
    for each in rasters:
        bands.append(_band(each, y, scale))
        y += LABEL + ROW * each.chosen + GAP
    every = max(1, -(-timing.end // 12))
    ticks = tuple((step * scale, step) for step in range(0, timing.end, every))
    hidden = len(report.activity.rasters) - len(rasters)
    return Drawing(WIDTH, y, timing.end, ticks, tuple(bands), hidden)


def _band(raster: Raster, y: float, scale: float) -> Band:
    top, height = y + LABEL, float(ROW * raster.chosen)
    slot = raster.slot
    spans = dict.fromkeys((each.start, each.length) for each in slot.windows)
    listens = tuple(Bar(start * scale, top, n * scale, height) for start, n in spans)
    fires = Bar(slot.fire * scale, top, slot.turn * scale, height)
    steps, neurons = np.nonzero(raster.strength)
    spikes = tuple(
        Bar(
            (slot.fire + step) * scale,
            top + ROW * neuron,
            scale * 0.86,
            ROW - 1,
            round(FAINTEST + (1 - FAINTEST) * float(raster.strength[step, neuron]), 2),
        )
        for step, neuron in zip(steps.tolist(), neurons.tolist(), strict=True)
    )
    heard = ", ".join(f"{start}…{start + n - 1}" for start, n in spans)
    tooltip = f"{raster.name}: fires in steps {slot.fire}…{slot.fire + slot.turn - 1}"
    tooltip += f", listens in {heard}" if heard else ""
    tooltip += f"; {raster.chosen} of {raster.neurons:,} neurons"
    return Band(y, raster.name, tooltip, listens, fires, spikes)
