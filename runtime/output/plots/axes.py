"""The axes of a sweep: accuracy that shows what matters, and powers of two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICKS = (100, 99.5, *range(99, 89, -1), 88, 86, 84, 80, 75, 70, 60, 50, 40, 20, 0)
"""Accuracies that may be written beside the axis, in percent."""
CROWDED = 0.055
"""Of the height, between two of them."""
MARGIN = 0.04
"""Of the height, above and below the curves."""
Height = npt.NDArray[np.float64]


def scale_accuracy(axes: Axes, accuracies: Sequence[float], chance: float) -> None:
    """Let a point of accuracy be the higher, the nearer it is to the best.

    Chance points below the best are as good as the best: there the scale is that of the accuracy.
    Far below it is that of the logarithm of what is lost.

    Args:
        axes: their accuracy is in percent.
        accuracies: all that will be seen.
        chance: how far chance moves an accuracy, in points; above 0.
    """
    best = max(accuracies)

    def height(accuracy: Any) -> Height:  # noqa: ANN401
        lost = (best - np.asarray(accuracy, np.float64)) / chance
        return np.where(lost > 0, -np.log1p(np.maximum(lost, 0)), -lost)

    def accuracy(height: Any) -> Height:  # noqa: ANN401
        found = np.asarray(height, np.float64)
        return best - chance * np.where(found < 0, np.expm1(-np.minimum(found, 0)), -found)

    low, high = height([min(accuracies) - chance, best + chance / 2])
    room = MARGIN * (high - low)
    axes.set_yscale("function", functions=(height, accuracy))
    axes.set_ylim(*accuracy([low - room, high + room]))
    shown = _ticks(height(TICKS), low - room, high + room)
    axes.set_yticks(shown, [f"{each:g}" for each in shown])
    axes.minorticks_off()


def _ticks(heights: Height, low: float, high: float) -> Sequence[float]:
    """Those that are seen and not crowded, the highest first."""
    found: list[float] = []
    last = np.inf
    for each, height in zip(TICKS, heights, strict=True):
        if low <= height <= high and last - height >= CROWDED * (high - low):
            found.append(each)
            last = height
    return found


def powers_of_two(axes: Axes, label: str) -> None:
    """A logarithmic axis with plain numbers, whole from 1 on."""
    from matplotlib.ticker import NullLocator

    axes.set_xscale("log", base=2)
    low, high = axes.get_xlim()
    ticks = [1 << k for k in range(24) if low <= 1 << k <= high]
    axes.set_xticks(ticks, [str(each) for each in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(label)
