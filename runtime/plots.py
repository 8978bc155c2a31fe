"""Figures as a paper prints them; the only code that knows matplotlib, an optional extra.

Colours are those of Okabe and Ito, which colour-blind readers tell apart, and every curve has a
marker of its own besides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from snnc.compiler.errors import Problem, refusal
from snnc.runtime.sweep import Point, Sweep
from snnc.runtime.unevenness import OFFSETS, PARTS, Analysis, ErrorReport, LayerErrors

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".pdf", ".svg")
WIDTH, HEIGHT = 7.0, 3.0
"""Inches: both columns of a page."""
BLACK, ORANGE, SKY, GREEN, BLUE, VERMILION, PURPLE = (
    *("#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"),
)
GREY = "#777777"
FONTS = {
    "font.size": 8,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "savefig.dpi": 300,
}


@dataclass(frozen=True)
class Style:
    """How a curve looks."""

    color: str
    marker: str


CODES: Mapping[str, Style] = {
    "bit-serial": Style(BLUE, "o"),
    "graded": Style(BLACK, "D"),
    "one-spike": Style(ORANGE, "*"),
    "rate": Style(VERMILION, "s"),
}
CALIBRATED = (Style(GREEN, "^"), Style(SKY, "v"), Style(PURPLE, "X"), Style(GREY, "P"))
"""Curves of offset-spike, one after the other."""
OFFSET_COLORS = ("#FDBE85", "#E6550D", "#8C2D04", "#9ECAE1", "#3182BD", "#08519C")
"""Of ψ = 1, 2, ≥ 3 and −1, −2, ≤ −3: orange where spikes are missing, blue where there are more."""
OFFSET_SIGNS = dict(
    zip(
        OFFSETS,
        (
            "$\\psi$ ≤ −3",
            "$\\psi$ = −2",
            "$\\psi$ = −1",
            "",
            "$\\psi$ = 1",
            "$\\psi$ = 2",
            "$\\psi$ ≥ 3",
        ),
        strict=True,
    )
)
Axis: TypeAlias = Callable[[Point], float]


def problems_of(path: Path) -> Iterator[Problem]:
    """Why a figure could not be drawn: known before anything is measured."""
    if path.suffix.lower() not in FORMATS:
        what = f"{path.name!r} is no picture that can be written; allowed: {', '.join(FORMATS)}"
        yield Problem("--plot", what, f"use {path.with_suffix('.png').name}")
    elif not path.parent.is_dir():
        yield Problem("--plot", f"there is no folder {path.parent}", "make it first")
    if find_spec("matplotlib") is None:
        yield Problem("--plot", "matplotlib is not installed", "pip install 'snnc[plot]'")


def draw_sweep(path: Path, result: Sweep) -> None:
    """Accuracy against time steps, and against spikes."""
    with _figure(path, HEIGHT) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
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
        figure.legend(
            handles, names, loc="outside upper center", ncols=4, frameon=False, columnspacing=1.5
        )


def draw_errors(path: Path, report: ErrorReport) -> None:
    """The shares of the three errors in each layer, and of the offsets.

    A column for each T; of offset-spike, for each number of calibrations at the greatest T.
    """
    columns = shown(report)
    with _figure(path, 4.0) as figure:
        upper, lower = figure.subplots(2, len(columns), sharex=True, sharey="row", squeeze=False)
        for axes, each in zip(upper, columns, strict=True):
            parts = [_errors_in(layer) for layer in each.layers]
            _stacks(axes, parts, PARTS, (GREY, SKY, VERMILION))
            axes.set_ylim(0, 100)
            axes.text(0.0, 1.03, _title(each, report.code), transform=axes.transAxes)
        for axes, each in zip(lower, columns, strict=True):
            _offsets(axes, [layer.accumulated for layer in each.layers])
            axes.set_xlabel("layer")
        upper[0].set_ylabel("share of the error (%)")
        lower[0].set_ylabel("neurons off by $\\psi$ (%)")
        low, high = lower[0].get_ylim()
        lower[0].set_ylim(min(low, -1.0), max(high, 1.0))
        _legend_beside(upper[-1])
        _legend_beside(lower[-1])


def shown(report: ErrorReport) -> Sequence[Analysis]:
    """The analyses of a figure, from the left to the right."""
    if report.code == "rate":
        return report.analyses
    most = max(each.time_steps for each in report.analyses)
    return [each for each in report.analyses if each.time_steps == most]


def _title(analysis: Analysis, code: str) -> str:
    if code == "rate" or not analysis.iterations:
        return f"$T = {analysis.time_steps}$"
    if analysis.light:
        return "light"
    return f"{analysis.iterations} calibration{'s' * (analysis.iterations > 1)}"


def _errors_in(layer: LayerErrors) -> Sequence[float]:
    return [share or 0.0 for share in layer.errors.shares.values()]


def _stacks(
    axes: Axes, columns: Sequence[Sequence[float]], names: Sequence[str], colors: Sequence[str]
) -> None:
    """A bar for each column; its parts are shares, the first of them next to the axis."""
    from matplotlib.ticker import MaxNLocator

    bottom = [0.0] * len(columns)
    places = range(1, len(columns) + 1)
    for name, color, shares in zip(names, colors, zip(*columns, strict=True), strict=True):
        heights = [100 * each for each in shares]
        axes.bar(places, heights, 0.9, bottom, color=color, label=name, linewidth=0)
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.set_xlim(0.4, len(columns) + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def _offsets(axes: Axes, columns: Sequence[Sequence[float]]) -> None:
    """Neurons that fired too seldom above the axis, too often below it; the others not at all."""
    middle = len(OFFSETS) // 2
    names = [OFFSET_SIGNS[each] for each in OFFSETS]
    above = [each[middle + 1 :] for each in columns]
    below = [[-share for share in reversed(each[:middle])] for each in columns]
    _stacks(axes, above, names[middle + 1 :], OFFSET_COLORS[:middle])
    _stacks(axes, below, names[middle - 1 :: -1], OFFSET_COLORS[middle:])
    axes.axhline(0, color=BLACK, linewidth=0.6)
    axes.yaxis.set_major_formatter(lambda value, place: f"{abs(value):g}")


def _legend_beside(axes: Axes) -> None:
    """On the right of a panel, in the order of the bars from the top to the bottom."""
    bars = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    order = [each for each in (*map(_sign, reversed(OFFSETS)), *reversed(PARTS)) if each in bars]
    axes.legend(
        [bars[each] for each in order],
        order,
        loc="center left",
        bbox_to_anchor=(1.02, 0.5),
        frameon=False,
    )


def _sign(offset: str) -> str:
    return OFFSET_SIGNS[offset]


def _curves(points: Sequence[Point]) -> Mapping[str, Sequence[Point]]:
    """The points that could be measured, curve by curve, in the order of time steps."""
    found: dict[str, list[Point]] = {}
    for each in points:
        if each.measurements:
            found.setdefault(each.plan.setting.series, []).append(each)
    return {
        name: sorted(each, key=lambda point: point.plan.time_steps) for name, each in found.items()
    }


def _curve(
    axes: Axes, name: str, points: Sequence[Point], where: Axis, names: Sequence[str]
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
    if name in CODES:
        return CODES[name]
    others = [each for each in names if each not in CODES]
    return CALIBRATED[others.index(name) % len(CALIBRATED)]


def _time_steps(point: Point) -> float:
    return point.plan.time_steps


def _spikes(point: Point) -> float:
    return point.mean(lambda each: each.traffic.spikes) or 0.0


def _label_time(axes: Axes, points: Sequence[Point]) -> None:
    """Powers of two, as plain numbers."""
    from matplotlib.ticker import NullLocator

    most = max((each.plan.time_steps for each in points), default=1)
    ticks = [1 << k for k in range(most.bit_length())]
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [str(each) for each in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("time steps $T$")


@contextmanager
def _figure(path: Path, height: float) -> Iterator[Figure]:
    """A figure that is written when all is drawn, whole or not at all."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    # dates would make two runs differ
    unset: Mapping[str, Any] = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    with mpl.rc_context(FONTS):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure
        try:
            figure.savefig(partial, metadata=unset.get(path.suffix.lower()))
            partial.replace(path)
        except OSError as error:
            what = f"cannot be written: {error.strerror}"
            raise refusal(str(path), what, "choose another --plot") from None
        finally:
            partial.unlink(missing_ok=True)
