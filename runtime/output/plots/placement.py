"""A network on its chips: the mesh of routers and their cores, by layer and by load."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snnc.compiler.laws import Floats, Integers
from snnc.runtime.output.plots.figure import WIDTH, figure, plain
from snnc.runtime.studies.placement import PlacementReport

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHIPS_A_ROW = 4
GAP = 1.5
"""Widths of a core between two chips."""
LABELLED = 30
"""Layers that a legend names."""


def draw_placement(path: Path, report: PlacementReport, *, inputs: Sequence[Path] = ()) -> None:
    """The cores of each chip, above coloured by layer, below by load.

    Args:
        path: a .png, .pdf or .svg.
        report: a network on its cores.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.patches import Patch

    mapping = report.mapping
    rows = ceil(report.chips / CHIPS_A_ROW)
    each = WIDTH / min(report.chips, CHIPS_A_ROW) * 0.6
    layers = len(mapping.layers)
    owner = np.repeat(np.arange(layers), np.diff(mapping.first_cores))
    palette = mpl.colormaps["tab20"](np.arange(layers) % 20)
    with figure(path, 1.2 + 2 * min(each, 2.0) * rows, inputs) as drawing:
        upper, lower = drawing.subplots(2, 1)
        _draw_cores(upper, report, palette[owner])
        named = [
            Patch(color=color, label=plain(layer.name))
            for color, layer in zip(palette[:LABELLED], mapping.layers, strict=False)
        ]
        upper.legend(
            handles=named, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=6
        )
        upper.set_title("layer", fontsize=8)
        shades = mpl.colormaps["viridis"]
        _draw_cores(lower, report, shades(report.loads))
        lower.set_title("fill of the scarcest resource", fontsize=8)
        drawing.colorbar(mpl.cm.ScalarMappable(cmap=shades), ax=lower, shrink=0.8)


def _draw_cores(axes: Axes, report: PlacementReport, colors: Floats) -> None:
    """A square for each core; those that are not in use are left white."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    corners = _corners(report)
    width, height = (2 * n for n in report.mapping.core.routers)
    chips = [Rectangle((x, y), width, height) for x, y in _chip_corners(report, width, height)]
    axes.add_collection(
        PatchCollection(chips, facecolor="none", edgecolor="#777777", linewidth=0.6)
    )
    squares = [Rectangle((x + 0.08, y + 0.08), 0.84, 0.84) for x, y in corners]
    axes.add_collection(PatchCollection(squares, facecolor=colors))
    axes.autoscale_view()
    axes.set_aspect("equal")
    axes.invert_yaxis()
    axes.set_axis_off()


def _chip_corners(report: PlacementReport, width: int, height: int) -> Floats:
    chip = np.arange(report.chips)
    return np.stack([chip % CHIPS_A_ROW * (width + GAP), chip // CHIPS_A_ROW * (height + GAP)], 1)


def _corners(report: PlacementReport) -> Floats:
    """Where each core is drawn: four around each router."""
    places: Integers = report.mapping.places
    width, height = (2 * n for n in report.mapping.core.routers)
    numbers = np.arange(len(places)) - np.array(report.mapping.chips)[places[:, 0]]
    inner = numbers % report.mapping.core.cores_a_router
    within = np.stack([2 * places[:, 1] + inner % 2, 2 * places[:, 2] + inner // 2], 1)
    return np.asarray(_chip_corners(report, width, height)[places[:, 0]] + within)
