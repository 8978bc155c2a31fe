"""A sweep as a figure: accuracy against time steps, spikes and latency."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from snnc.compiler.codes.bit_serial import BitSerialCode
from snnc.compiler.codes.delta import DeltaCode
from snnc.compiler.codes.graded import GradedCode
from snnc.compiler.codes.one_spike import OneSpikeCode
from snnc.compiler.codes.rate import RateCode
from snnc.runtime.output.plots.axes import powers_of_two, scale_accuracy
from snnc.runtime.output.plots.figure import (
    BLACK,
    BLUE,
    BROWN,
    GREEN,
    GREY,
    HEIGHT,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    figure,
)
from snnc.runtime.studies.sweep import MeasuredPoint, Sweep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Axis: TypeAlias = Callable[[MeasuredPoint], float]
"""Where a point stands."""
APART = 0.05
"""Octaves between two curves at the same T."""
SAME_COST = 1.05
"""Two costs whose ratio is below are one."""
LEAST_CHANCE = 0.25
"""Points of accuracy that are never more than chance."""
CHANCE_ALPHA = 0.45
"""Of error bars, which are many and say less than the points."""


@dataclass(frozen=True)
class Style:
    """How a curve looks."""

    color: str
    marker: str
    size: float = 4.5
    """Points, of the marker."""
    hollow: bool = False
    """Codes that give the same stand in one place: one is seen through the other."""


STYLES: Mapping[str, Style] = {
    BitSerialCode.name: Style(BLUE, "o"),
    GradedCode.name: Style(BLACK, "D", 5.5, hollow=True),
    OneSpikeCode.name: Style(ORANGE, "*", 8),
    RateCode.name: Style(VERMILION, "s"),
    DeltaCode.name: Style(GREY, "P", 6.5),
}
"""Of the codes that are one curve each."""
CALIBRATED = (Style(GREEN, "^"), Style(SKY, "v"), Style(PURPLE, "X"), Style(BROWN, "d"))
"""Curves of offset-spike, one after the other."""


def draw_sweep(path: Path, result: Sweep, *, inputs: Sequence[Path] = ()) -> None:
    """Accuracy against time steps, spikes and latency; below against energy and time on cores.

    The axis of accuracy is finer towards the top, where the codes differ by little. Spikes and
    latency are costs: what costs as much as a better point of its curve is not shown there, or the
    curve would be a vertical stroke.

    Args:
        path: a .png, .pdf or .svg.
        result: what was measured.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    rows = (PANELS, ON_CORES) if result.is_deployed else (PANELS,)
    with figure(path, HEIGHT * len(rows), inputs) as drawing:
        grid = drawing.subplots(len(rows), len(PANELS), sharey=True, squeeze=False)
        panels = grid[0]
        for axes, where in zip(grid.flat, chain(*rows), strict=True):
            _draw_curves(axes, _curves(result.points, where), where)
            share = 100 * result.source_accuracy
            axes.axhline(share, color=GREY, linestyle="--", linewidth=0.9, zorder=0, label="float")
            axes.grid(color="#e6e6e6", linewidth=0.5)
            axes.set_axisbelow(True)
        scale_accuracy(panels[0], _accuracies(result), _chance(result))
        panels[0].set_ylabel("accuracy (%),\nfiner towards the top")
        powers_of_two(panels[0], "time steps $T$")
        panels[1].set_xscale("log")
        panels[1].set_xlabel("spikes per image")
        powers_of_two(panels[2], "latency (time steps)")
        for axes, words in zip(grid[1:].flat, COSTS, strict=False):
            axes.set_xscale("log")
            axes.set_xlabel(words)
        for row in grid[1:]:
            row[0].set_ylabel(panels[0].get_ylabel())
        handles, names = panels[0].get_legend_handles_labels()
        drawing.legend(
            handles, names, loc="outside upper center", ncols=4, frameon=False, columnspacing=1.5
        )


def _accuracies(result: Sweep) -> Sequence[float]:
    """Of every point and of the source, in percent."""
    found = [100 * each.accuracy for each in result.points if each.accuracy is not None]
    return [*found, 100 * result.source_accuracy]


def _chance(result: Sweep) -> float:
    """How far chance moves an accuracy at the top, in points."""
    found = [100 * each.spread for each in result.points if each.spread is not None]
    return max(LEAST_CHANCE, 2 * min(found, default=0.0))


def _curves(points: Sequence[MeasuredPoint], where: Axis) -> Mapping[str, Sequence[MeasuredPoint]]:
    """The points that have a place on an axis, curve by curve, in the order of time steps."""
    found: dict[str, list[MeasuredPoint]] = {}
    for each in points:
        if each.measurements and where(each) > 0:
            found.setdefault(each.setting.code.series, []).append(each)
    return {
        name: sorted(each, key=lambda point: point.setting.time_steps)
        for name, each in found.items()
    }


def _draw_curves(axes: Axes, curves: Mapping[str, Sequence[MeasuredPoint]], where: Axis) -> None:
    for place, (name, points) in enumerate(curves.items()):
        if where is _time_steps:
            # side by side, where many curves have a point
            shift = 2 ** (APART * (place - (len(curves) - 1) / 2))
            _curve(axes, name, [(shift * where(each), each) for each in points], tuple(curves))
        else:
            costs = [(where(each), each) for each in points]
            _curve(axes, name, worth_their_cost(costs), tuple(curves))


def worth_their_cost(
    points: Sequence[tuple[float, MeasuredPoint]],
) -> Sequence[tuple[float, MeasuredPoint]]:
    """The points of a curve, by cost, without those that cost as much as a better one."""
    kept = [
        (cost, each)
        for cost, each in points
        if not any(
            cost / SAME_COST <= other <= cost * SAME_COST
            and _percent(better.accuracy) > _percent(each.accuracy)
            for other, better in points
        )
    ]
    return sorted(kept, key=lambda found: found[0])


def _curve(
    axes: Axes, name: str, points: Sequence[tuple[float, MeasuredPoint]], names: Sequence[str]
) -> None:
    style = _style(name, names)
    lone = len(points) == 1
    _, _, strokes = axes.errorbar(
        [place for place, _ in points],
        [_percent(each.accuracy) for _, each in points],
        [_percent(each.spread) for _, each in points],
        color=style.color,
        marker=style.marker,
        markersize=style.size,
        markeredgecolor=style.color if style.hollow else "white",
        markeredgewidth=1.0 if style.hollow else 0.3,
        markerfacecolor="none" if style.hollow else style.color,
        linestyle="none" if lone else "-",
        elinewidth=0.8,
        label=name,
        zorder=4 if style.hollow else 3 if lone else 2,
    )
    for each in strokes:
        each.set_alpha(CHANCE_ALPHA)


def _percent(share: float | None) -> float:
    """Of a point that was measured, as `_curves` gives them."""
    return 100 * (share or 0.0)


def _style(name: str, names: Sequence[str]) -> Style:
    if name in STYLES:
        return STYLES[name]
    others = [each for each in names if each not in STYLES]
    return CALIBRATED[others.index(name) % len(CALIBRATED)]


def _time_steps(point: MeasuredPoint) -> float:
    return point.setting.time_steps


def _spikes(point: MeasuredPoint) -> float:
    return point.mean(lambda each: each.traffic.spikes) or 0.0


def _latency(point: MeasuredPoint) -> float:
    return point.mean(lambda each: each.latency) or 1.0


def _energy(point: MeasuredPoint) -> float:
    return point.deployed(lambda each: each.energy) or 0.0


def _microseconds(point: MeasuredPoint) -> float:
    return point.deployed(lambda each: each.latency) or 0.0


def _proxy(point: MeasuredPoint) -> float:
    return point.deployed(lambda each: each.proxy) or 0.0


PANELS = (_time_steps, _spikes, _latency)
ON_CORES = (_energy, _microseconds, _proxy)
COSTS = ("µJ per image, Loihi 1", "latency of an image (µs), Loihi 1", "proxy per image, Loihi 2")
