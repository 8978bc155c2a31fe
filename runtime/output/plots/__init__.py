"""Figures as a paper prints them."""

from snnc.runtime.output.plots.cost import draw_cost
from snnc.runtime.output.plots.errors import draw_errors
from snnc.runtime.output.plots.figure import problems_of_figure
from snnc.runtime.output.plots.placement import draw_placement
from snnc.runtime.output.plots.results import draw_comparison, draw_decisions, draw_layers
from snnc.runtime.output.plots.sweep import draw_sweep

__all__ = [
    "draw_comparison",
    "draw_cost",
    "draw_decisions",
    "draw_errors",
    "draw_layers",
    "draw_placement",
    "draw_sweep",
    "problems_of_figure",
]
