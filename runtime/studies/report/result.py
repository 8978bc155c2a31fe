"""What the page of a report is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from snnc.compiler.errors import Problem
from snnc.runtime.data import Data
from snnc.runtime.studies.compare import Comparison
from snnc.runtime.studies.cost import CostReport
from snnc.runtime.studies.inspection import Inspection
from snnc.runtime.studies.placement import PlacementReport
from snnc.runtime.studies.report.activity import Activity
from snnc.runtime.studies.report.decisions import Decisions


@dataclass(frozen=True)
class FileFacts:
    """An input of the report."""

    role: str
    name: str
    sha256: str
    """Of its bytes; "" of images in memory."""


@dataclass(frozen=True)
class LevelChange:
    """How far rounded weights moved the levels of a layer."""

    share: float
    """Of the activations whose level is not the float network's; of a read-out of decisions."""
    farthest: int | None
    """In levels; None of a read-out."""


@dataclass(frozen=True, eq=False, repr=False)
class Report:
    """All of it."""

    comparison: Comparison
    inspection: Inspection
    data: Data
    decisions: Decisions | None
    activity: Activity
    changes: Mapping[str, LevelChange] | None
    """By layer; None where levels cannot be compared."""
    placement: PlacementReport | None
    unplaced: tuple[Problem, ...]
    """Why there is no placement."""
    cost: CostReport | None
    """What some of the images take on the cores; None without a placement."""
    files: tuple[FileFacts, ...]
    versions: Mapping[str, str]
    written: datetime
