"""The errors of rate networks as a figure, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snnc.runtime.output.plots.figure import BLACK, GREY, SKY, VERMILION, figure
from snnc.runtime.studies.rate_errors import OFFSETS, PARTS, Analysis, ErrorReport, LayerErrors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ERROR_HEIGHT = 4.0
"""Inches."""
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


def draw_errors(path: Path, report: ErrorReport, *, inputs: Sequence[Path] = ()) -> None:
    """The shares of the three errors in each layer, and of the offsets.

    A column for each T; of offset-spike, for each number of calibrations at the greatest T.

    Args:
        path: a .png, .pdf or .svg.
        report: what was found.
        inputs: files that must stay as they are.

    Raises:
        SnncError: for a path that cannot be written.
    """
    columns = shown(report)
    with figure(path, ERROR_HEIGHT, inputs) as drawing:
        upper, lower = drawing.subplots(2, len(columns), sharex=True, sharey="row", squeeze=False)
        for axes, each in zip(upper, columns, strict=True):
            parts = [_errors_in(layer) for layer in each.layers]
            _stacks(axes, parts, PARTS, (GREY, SKY, VERMILION))
            axes.set_ylim(0, 100)
            axes.text(0.0, 1.03, _title(each), transform=axes.transAxes)
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
    if not report.calibrates:
        return report.analyses
    most = max(each.time_steps for each in report.analyses)
    return [each for each in report.analyses if each.time_steps == most]


def _title(analysis: Analysis) -> str:
    if not analysis.iterations:
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
