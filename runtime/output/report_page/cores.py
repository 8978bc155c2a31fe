"""The cores of each chip as squares, four around each router, coloured by their load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.runtime.output.numbers import percent
from snnc.runtime.studies.placement import PlacementReport

SIZE, GAP = 14, 10
MOST_CHIPS = 12


@dataclass(frozen=True)
class Core:
    """A square."""

    x: float
    y: float
    load: float
    tooltip: str


@dataclass(frozen=True)
class Drawing:
    """All of it, in units of a viewBox."""

    width: float
    height: float
    chips: tuple[tuple[float, float, float, float], ...]
    """Corner, width and height of each."""
    cores: tuple[Core, ...]
    size: int
    hidden: int
    """Chips that are left out."""


def cores_of(report: PlacementReport) -> Drawing:
    """A row of chips under the other, as many as a page holds."""
    mapping = report.mapping
    width, height = (2 * SIZE * n for n in mapping.core.routers)
    shown = min(report.chips, MOST_CHIPS)
    owner = np.repeat(np.arange(len(mapping.layers)), np.diff(mapping.first_cores))
    cores = []
    for number, (chip, column, row) in enumerate(mapping.places.tolist()):
        if chip >= shown:
            break
        inner = (number - mapping.chips[chip]) % mapping.core.cores_a_router
        load = float(report.loads[number])
        name = mapping.layers[owner[number]].name
        cores.append(
            Core(
                SIZE * (2 * column + inner % 2),
                chip * (height + GAP) + SIZE * (2 * row + inner // 2),
                load,
                f"core {number}: {name}, {percent(load)} of its scarcest resource",
            )
        )
    chips = tuple((0.0, chip * (height + GAP), width, height) for chip in range(shown))
    total = shown * (height + GAP) - GAP
    return Drawing(width, total, chips, tuple(cores), SIZE, report.chips - shown)
