"""Accuracy, spikes and time of one network in many codes: what a paper plots against T.

A rate code has a point for every T. Bit-serial has one for each T below the bits of its levels,
which are coarser there, and one at its bits; more would be the same network. Graded spikes and
one-spike take one time step.
"""

from snnc.runtime.studies.sweep.grid import notes_of, points_of, problems_of_grid, staircases_of
from snnc.runtime.studies.sweep.measuring import Build, measure, sweep
from snnc.runtime.studies.sweep.result import (
    Deployment,
    FloatModel,
    MeasuredPoint,
    Measurement,
    Sweep,
)

__all__ = [
    "Build",
    "Deployment",
    "FloatModel",
    "MeasuredPoint",
    "Measurement",
    "Sweep",
    "measure",
    "notes_of",
    "points_of",
    "problems_of_grid",
    "staircases_of",
    "sweep",
]
