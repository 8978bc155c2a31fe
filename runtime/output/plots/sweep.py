"""A sweep as a figure: accuracy against time steps, and against spikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from snnc.compiler.codes.bit_serial import BitSerialCode
from snnc.compiler.codes.delta import DeltaCode
from snnc.compiler.codes.graded import GradedCode
from snnc.compiler.codes.one_spike import OneSpikeCode
from snnc.compiler.codes.rate import RateCode
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


@dataclass(frozen=True)
class Style:
    """How a curve looks."""

    color: str
    marker: str


STYLES: Mapping[str, Style] = {
    BitSerialCode.name: Style(BLUE, "o"),
    GradedCode.name: Style(BLACK, "D"),
    OneSpikeCode.name: Style(ORANGE, "*"),
    RateCode.name: Style(VERMILION, "s"),
    DeltaCode.name: Style(GREY, "P"),
}
"""Of the codes that are one curve each."""
CALIBRATED = (Style(GREEN, "^"), Style(SKY, "v"), Style(PURPLE, "X"), Style(BROWN, "d"))
"""Curves of offset-spike, one after the other."""


def draw_sweep(path: Path, result: Sweep, *, inputs: Sequence[Path] = ()) -> None:
    """Accuracy against time steps, and against spikes.

    Args:
        path: a .png, .pdf or .svg.
        result: what was measured.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    with figure(path, HEIGHT, inputs) as drawing:
        left, right = drawing.subplots(1, 2, sharey=True)
        curves = _curves(result.points)
        for axes, where in ((left, _time_steps), (right, _spikes)):
            for name, points in curves.items():
                _curve(axes, name, points, where, tuple(curves))
            share = 100 * result.source_accuracy
            axes.axhline(share, color=GREY, linestyle="--", linewidth=0.9, zorder=0, label="float")
            axes.grid(color="#e6e6e6", linewidth=0.5)
            axes.set_axisbelow(True)
        _label_time(left, result.points)
        left.set_ylabel("accuracy (%)")
        right.set_xscale("log")
        right.set_xlabel("spikes per image")
        handles, names = left.get_legend_handles_labels()
        drawing.legend(
            handles, names, loc="outside upper center", ncols=4, frameon=False, columnspacing=1.5
        )


def _curves(points: Sequence[MeasuredPoint]) -> Mapping[str, Sequence[MeasuredPoint]]:
    """The points that could be measured, curve by curve, in the order of time steps."""
    found: dict[str, list[MeasuredPoint]] = {}
    for each in points:
        if each.measurements:
            found.setdefault(each.setting.code.series, []).append(each)
    return {
        name: sorted(each, key=lambda point: point.setting.time_steps)
        for name, each in found.items()
    }


def _curve(
    axes: Axes, name: str, points: Sequence[MeasuredPoint], where: Axis, names: Sequence[str]
) -> None:
    style = _style(name, names)
    lone = len(points) == 1
    axes.errorbar(
        [where(each) for each in points],
        [100 * (each.accuracy or 0.0) for each in points],
        [100 * (each.spread or 0.0) for each in points],
        color=style.color,
        marker=style.marker,
        markersize=8 if style.marker == "*" else None,
        # two codes of one time step may give the same: one is seen through the other
        markerfacecolor="none" if lone and style.marker == "D" else style.color,
        linestyle="none" if lone else "-",
        elinewidth=0.8,
        capsize=2,
        label=name,
        zorder=3 if lone else 2,
    )


def _style(name: str, names: Sequence[str]) -> Style:
    if name in STYLES:
        return STYLES[name]
    others = [each for each in names if each not in STYLES]
    return CALIBRATED[others.index(name) % len(CALIBRATED)]


def _time_steps(point: MeasuredPoint) -> float:
    return point.setting.time_steps


def _spikes(point: MeasuredPoint) -> float:
    return point.mean(lambda each: each.traffic.spikes) or 0.0


def _label_time(axes: Axes, points: Sequence[MeasuredPoint]) -> None:
    """Powers of two, as plain numbers."""
    from matplotlib.ticker import NullLocator

    most = max((each.setting.time_steps for each in points), default=1)
    ticks = [1 << k for k in range(most.bit_length())]
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [str(each) for each in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("time steps $T$")
