"""Which population listens and fires when, for images that follow each other."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from docs.site.figures.paper import network, short, svg
from snnc.compiler.rules.timing import Timing, timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.output.plots.figure import BLUE, GREEN, ORANGE

CHECKPOINT, SHOWN = "vgg_L7", 5
"""The first populations are enough: the others go on in the same way."""
IMAGES = (BLUE, ORANGE, GREEN)
LISTENS = 0.3
"""Opacity of a bar where a population listens; where it fires it is 1."""


def draw(path: Path) -> None:
    """The pipelined schedule above, the sequential one below."""
    with svg(path, 7.0, 4.2) as drawing:
        panels = drawing.subplots(2, 1)
        for axes, schedule in zip(panels, ("pipelined", "sequential"), strict=True):
            compiled = network(CHECKPOINT, schedule=schedule)
            timing = timing_of(compiled)
            _draw_bars(axes, compiled, timing)
            period = f"an image every {timing.period} time steps, latency {timing.latency}"
            axes.set_title(f"{schedule}: {period}", loc="left", fontsize=9)
        panels[-1].set_xlabel("time step")
        drawing.legend(handles=_legend(), loc="outside lower center", ncols=5, frameon=False)


def rows(compiled: SpikingNetwork) -> list[str]:
    """The populations that are shown, the input first."""
    return [compiled.input.name, *(each.name for each in compiled.populations[:SHOWN])]


def _draw_bars(axes: Axes, compiled: SpikingNetwork, timing: Timing) -> None:
    names = rows(compiled)
    for row, name in enumerate(names):
        slot = timing.slots[name]
        for image, color in enumerate(IMAGES):
            begin = image * timing.period
            for window in slot.windows[:1]:
                place = (begin + window.start, window.length)
                axes.broken_barh([place], (row - 0.4, 0.38), color=color, alpha=LISTENS)
            place = (begin + slot.fire, slot.turn)
            axes.broken_barh([place], (row + 0.02, 0.38), color=color, edgecolor="white")
    axes.set_yticks(range(len(names)), [short(each) for each in names])
    axes.invert_yaxis()
    axes.set_xlim(0, 18)
    axes.set_xticks(range(0, 19, 3))
    axes.grid(axis="x", color="#e6e6e6", linewidth=0.5)
    axes.set_axisbelow(True)


def _legend() -> list[Patch]:
    images = [Patch(color=color, label=f"image {k}") for k, color in enumerate(IMAGES)]
    return [
        *images,
        Patch(color="black", alpha=LISTENS, label="listens (upper half)"),
        Patch(color="black", label="fires (lower half)"),
    ]
