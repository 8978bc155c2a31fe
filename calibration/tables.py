"""What calibration did, for the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isinf

from snnc.calibration.rounding_loss import RoundingLoss
from snnc.calibration.staircases import Calibration
from snnc.calibration.walk import FittedActivation, Stages
from snnc.runtime.output.numbers import percent
from snnc.runtime.output.tables import Column, Table, table_of

LOSS_COLUMNS: Sequence[Column[RoundingLoss]] = (
    Column("layer", lambda row: row.layer, is_text=True),
    Column("weight bits", lambda row: str(row.weight_bits)),
    Column("signal to noise", lambda row: "exact" if isinf(row.snr) else f"{row.snr:.1f} dB"),
    Column("levels or decisions changed", lambda row: percent(row.changed)),
    Column("by at most", lambda row: "-" if row.farthest is None else str(row.farthest)),
)


def rounding_table(losses: Sequence[RoundingLoss]) -> Table:
    """Where rounding the weights tells."""
    return table_of("lost to integer weights", LOSS_COLUMNS, losses)


def _error(stage: Callable[[Stages[float]], float]) -> Callable[[FittedActivation], str]:
    return lambda row: f"{stage(row.errors):.2g}"


def _span(ends: tuple[float, float]) -> str:
    return "{:.4g} to {:.4g}".format(*ends)


ACTIVATION_COLUMNS: Sequence[Column[FittedActivation]] = (
    Column("activation", lambda row: row.name, is_text=True),
    Column("populations", lambda row: str(row.populations), 2),
    Column("levels span", lambda row: _span(row.fits.corrected.span), 2),
    Column("found by", lambda row: row.search, 3, is_text=True),
    Column("error uncalibrated", _error(lambda stages: stages.uncalibrated)),
    Column("error", _error(lambda stages: stages.calibrated)),
    Column("corrected", _error(lambda stages: stages.corrected)),
)


def calibration_table(calibration: Calibration) -> Table:
    """What the activations without levels were given."""
    title = f"calibrated on {calibration.images} images"
    return table_of(title, ACTIVATION_COLUMNS, calibration.layers)


def calibration_lines(calibration: Calibration) -> list[str]:
    """What calibration costs in decisions."""
    stages = calibration.loss
    named = {
        "uncalibrated": stages.uncalibrated,
        "calibrated": stages.calibrated,
        "with corrected biases": stages.corrected,
    }
    return [
        f"{name:28s} {percent(each.agreement)} of the decisions unchanged, logits {each.snr:.1f} dB"
        for name, each in named.items()
    ]
