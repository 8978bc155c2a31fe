"""From scaled floats to whole weights: to the nearest, or with error feedback."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats, per_channel
from snnc.compiler.quantization.feedback import Statistics, rounded
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.scale import placed


@dataclass(frozen=True, eq=False)
class Rounded:
    """The whole weights of one projection."""

    weights: Integers
    """(channels, neurons that differ, fan-in)."""
    exponent: int
    wide: bool
    """Whether they may need two synapses."""
    error: float
    """See `Projection.error`."""
    lost: Floats
    """What is gone of the rows, in their units and shape."""


def round_projection(layer: Layer, index: int, scale: Floats, precision: Precision) -> Rounded:
    """Whole weights, and what they cost."""
    rows, (shift, wide) = layer.rows[index], placed(layer, index, scale, precision)
    units = per_channel(scale / 2.0**shift, 3)
    statistics = layer.statistics[index] if layer.statistics else None
    weights = _integers(
        rows * units, statistics, precision.weight_range(rows, wide=wide), wide=wide
    )
    lost = rows - weights / units
    return Rounded(weights, shift, wide, _error(lost, rows, statistics), lost)


def _integers(
    scaled: Floats, statistics: Statistics | None, span: tuple[int, int], *, wide: bool
) -> Integers:
    if statistics is None or wide:
        return np.clip(np.round(scaled), *span).astype(np.int64)
    # every neuron that differs is a row of its own
    return rounded(scaled.reshape(-1, scaled.shape[2]), statistics, *span).reshape(scaled.shape)


def _error(lost: Floats, rows: Floats, statistics: Statistics | None) -> float:
    """The error as data sees it, or as white noise would."""
    if statistics is None:
        size = float(np.linalg.norm(rows))
        return float(np.linalg.norm(lost)) / size if size else 0.0
    noise, signal = (
        float(statistics.cost(each.reshape(-1, rows.shape[2])).sum()) for each in (lost, rows)
    )
    return float(np.sqrt(max(noise, 0.0) / signal)) if signal > 0 else 0.0
