"""A residual block as the compiler schedules it: relays make the shorter way as long."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from docs.site.figures.paper import network, short, svg
from snnc.compiler.rules.timing import Timing, timing_of
from snnc.compiler.spiking import Population, SpikingNetwork
from snnc.runtime.output.plots.figure import BLUE, GREY, ORANGE

CHECKPOINT, SHOWN = "resnet_L7", 7
"""Two blocks: a strided one, whose shortcut is a convolution, and one that adds its input."""


def draw(path: Path) -> None:
    """Populations where they fire, from the left to the right; relays below."""
    compiled = network(CHECKPOINT)
    timing = timing_of(compiled)
    shown = compiled.populations[:SHOWN]
    with svg(path, 7.0, 2.4) as drawing:
        axes = drawing.subplots()
        for each in shown:
            _draw_projections(axes, compiled, each, timing)
        for each in (compiled.input, *shown):
            _draw_box(axes, each.name, timing, is_relay=getattr(each, "is_relay", False))
        end = timing.slots[shown[-1].name].fire + timing.period
        axes.set_xlim(-0.4, end + 0.2)
        axes.set_ylim(-0.6, 1.6)
        axes.set_xticks(range(end + 1))
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("time step in which image 0 is sent")


def height_of(population: str, *, is_relay: bool) -> float:
    """The way of the relays is below."""
    return 0.0 if is_relay else 1.0


def _draw_box(axes: Axes, name: str, timing: Timing, *, is_relay: bool) -> None:
    slot = timing.slots[name]
    low = height_of(name, is_relay=is_relay) - 0.22
    color = ORANGE if is_relay else BLUE
    shape = FancyBboxPatch(
        (slot.fire + 0.08, low),
        slot.turn - 0.16,
        0.44,
        boxstyle="round,pad=0,rounding_size=0.12",
        facecolor=color,
        alpha=0.85,
        linewidth=0,
    )
    axes.add_patch(shape)
    middle = slot.fire + slot.turn / 2
    text = "relay" if is_relay else short(name)
    axes.text(middle, low + 0.22, text, ha="center", va="center", color="white", fontsize=7)


def _draw_projections(
    axes: Axes, compiled: SpikingNetwork, population: Population, timing: Timing
) -> None:
    target = timing.slots[population.name]
    end = height_of(population.name, is_relay=population.is_relay)
    for each in dict.fromkeys(each.source for each in population.projections):
        source = timing.slots[each]
        start = height_of(each, is_relay=getattr(compiled.nodes[each], "is_relay", False))
        axes.annotate(
            "",
            xy=(target.fire + 0.1, end - 0.15 * (start < end)),
            xytext=(source.fire + source.turn - 0.1, start - 0.15 * (end < start)),
            arrowprops={
                "arrowstyle": "-|>",
                "color": GREY,
                "linewidth": 0.9,
                "shrinkA": 0,
                "shrinkB": 0,
            },
        )
