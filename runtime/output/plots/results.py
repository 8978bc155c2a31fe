"""Figures of a compiled network, of a run and of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snnc.runtime.engines import ENGINES
from snnc.runtime.engines.result import EngineResult, Labels
from snnc.runtime.output.plots.figure import (
    BLUE,
    GREEN,
    GREY,
    HEIGHT,
    SKY,
    VERMILION,
    figure,
    plain,
)
from snnc.runtime.output.tables.decisions import class_rows
from snnc.runtime.output.tables.layout import fitted
from snnc.runtime.studies.compare import Comparison
from snnc.runtime.studies.inspection import Inspection

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 5000
"""Logits that are drawn; more would hide each other."""
NAME = 24
"""Signs of a name beside an axis."""
LINE = 0.16
"""Inches of a layer."""


def draw_layers(path: Path, inspection: Inspection, *, inputs: Sequence[Path] = ()) -> None:
    """When each population listens to image 0 and fires, and how many synapses end on it.

    Args:
        path: a .png, .pdf or .svg.
        inspection: the layers.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    rows = inspection.rows
    with figure(path, max(HEIGHT / 2, 1.0 + LINE * len(rows)), inputs) as drawing:
        left, right = drawing.subplots(1, 2, sharey=True, width_ratios=(2, 1))
        places = range(len(rows))
        arrives, fires = ([getattr(row, name) for row in rows] for name in ("arrives", "fires"))
        heard = [max(fire - first, 1) for first, fire in zip(arrives, fires, strict=True)]
        left.barh(places, heard, 0.7, arrives, color=SKY, label="listens")
        turns = [row.time_steps for row in rows]
        left.barh(places, turns, 0.7, fires, color=VERMILION, label="fires, or shows its logits")
        left.set_yticks(places, [fitted(plain(row.name), NAME) for row in rows])
        left.invert_yaxis()
        left.set_xlabel("time step of image 0")
        left.legend(frameon=False)
        right.barh(places, [max(row.synapses, 1) for row in rows], 0.7, color=BLUE)
        right.set_xscale("log")
        right.set_xlabel("synapses")


def draw_decisions(
    path: Path, result: EngineResult, labels: Labels | None, *, inputs: Sequence[Path] = ()
) -> None:
    """How often an engine decides for each class, and how often rightly.

    Args:
        path: a .png, .pdf or .svg.
        result: of the engine.
        labels: if they are known.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    rows = class_rows(result, labels)
    with figure(path, HEIGHT, inputs) as drawing:
        axes = drawing.subplots()
        places = [row.index for row in rows]
        axes.bar(places, [row.decided for row in rows], color=GREY, label="decided")
        if any(row.right is not None for row in rows):
            axes.bar(places, [row.right or 0 for row in rows], color=GREEN, label="rightly")
        axes.set_xlabel("class")
        axes.set_ylabel("images")
        axes.legend(frameon=False)


def draw_comparison(path: Path, comparison: Comparison, *, inputs: Sequence[Path] = ()) -> None:
    """Golden logits against those of the source, and the decisions that each engine shares.

    Args:
        path: a .png, .pdf or .svg.
        comparison: what was measured.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    with figure(path, HEIGHT, inputs) as drawing:
        left, right = drawing.subplots(1, 2)
        _logits(left, comparison)
        named = {"golden": comparison.golden}
        named |= {ENGINES[name].label: each.result for name, each in comparison.verified.items()}
        shared = [100 * each.agreement(comparison.source) for each in named.values()]
        right.barh(range(len(named)), shared, 0.6, color=BLUE)
        right.set_yticks(range(len(named)), [*named])
        right.invert_yaxis()
        right.set_xlim(0, 100)
        for place, share in enumerate(shared):
            right.annotate(f"{share:.2f} %", (1, place), color="white", va="center")
        right.set_xlabel("decisions of the source (%)")


def _logits(axes: Axes, comparison: Comparison) -> None:
    source, golden = comparison.source.logits.ravel(), comparison.golden.logits.ravel()
    step = max(1, source.size // POINTS)
    ends = [min(source.min(), golden.min()), max(source.max(), golden.max())]
    axes.plot(ends, ends, color=GREY, linewidth=0.8, zorder=0)
    axes.plot(source[::step], golden[::step], ".", color=BLUE, markersize=2, rasterized=True)
    axes.set_xlabel("logit of the source")
    axes.set_ylabel("logit in whole numbers")
    axes.margins(0.05)
