"""The axes of a sweep, and what stands in its panels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snnc.runtime.output.plots.axes import powers_of_two, scale_accuracy
from snnc.runtime.output.plots.sweep import worth_their_cost


@pytest.fixture
def axes() -> Axes:
    return Figure().subplots()


def heights(axes: Axes, values: list[float]) -> np.ndarray:
    """Shares of the height of the axes."""
    places = axes.transData.transform([(1.0, value) for value in values])
    return axes.transAxes.inverted().transform(places)[:, 1]


@pytest.mark.parametrize(
    ("accuracies", "chance"),
    [([5, 39, 94.2], 2), ([99.9, 100], 0.25), ([0, 100], 10), ([50], 1), ([96.7, 97.1, 87.8], 1.6)],
)
def test_accuracy_rises_and_is_finer_at_the_top(
    axes: Axes, accuracies: list[float], chance: float
) -> None:
    scale_accuracy(axes, accuracies, chance)
    low, high = axes.get_ylim()
    values = np.linspace(low, max(accuracies), 50)
    steps = np.diff(heights(axes, list(values)))
    assert (steps > 0).all()
    assert (np.diff(steps) > -1e-9).all()
    assert steps[-1] > 1.2 * steps[0]
    assert low < min(accuracies) <= max(accuracies) < high
    assert heights(axes, [low, high]) == pytest.approx([0, 1], abs=1e-6)
    ticks = heights(axes, [float(each) for each in axes.get_yticks()])
    assert (np.abs(np.diff(ticks)) > 0.05).all()
    assert ((ticks >= 0) & (ticks <= 1)).all()


def test_labels_are_the_accuracies_themselves(axes: Axes) -> None:
    scale_accuracy(axes, [5, 94.2], 2)
    assert [float(each.get_text()) for each in axes.get_yticklabels()] == list(axes.get_yticks())


def test_powers_of_two_are_whole(axes: Axes) -> None:
    axes.plot([3, 40], [0, 0])
    powers_of_two(axes, "T")
    assert [each.get_text() for each in axes.get_xticklabels()] == ["4", "8", "16", "32"]


def test_what_costs_as_much_as_a_better_point_is_left_out() -> None:
    points = [SimpleNamespace(accuracy=each) for each in (0.5, 0.8, 0.9, 0.85, 0.95)]
    costs = [100.0, 102.0, 101.0, 200.0, 400.0]
    kept = worth_their_cost(list(zip(costs, points, strict=True)))
    assert [each.accuracy for _, each in kept] == [0.9, 0.85, 0.95]
    assert [cost for cost, _ in kept] == [101.0, 200.0, 400.0]
