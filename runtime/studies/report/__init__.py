"""Everything that is known of a compiled network and its images, for one page."""

from snnc.runtime.studies.report.activity import Activity, LayerActivity, Raster, activity_of
from snnc.runtime.studies.report.decisions import Confusion, Decisions, decisions_in
from snnc.runtime.studies.report.result import FileFacts, LevelChange, Report

__all__ = [
    "Activity",
    "Confusion",
    "Decisions",
    "FileFacts",
    "LayerActivity",
    "LevelChange",
    "Raster",
    "Report",
    "activity_of",
    "decisions_in",
]
