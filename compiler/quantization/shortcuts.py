"""Whole-number weights beside shortcuts, whose sources have units of their own.

A quantised layer adds what a source sends to a sum S of whole weights, in units of which one level
of the source is worth any number ρ, 15.74 say. No factor makes both whole. But a shortcut has one
weight a neuron, and may take two synapses: M·S + round(M·ρ)·n, with M = m·2^q, leaves the weights
of S as they are, and gives ρ nearly twice their bits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats
from snnc.compiler.quantization.common_factors import WholeRows, whole_rows
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.scale import is_wide
from snnc.compiler.quantization.synapses import most_times, times_held

FARTHEST = 1 / 32
"""Of a level, by which rounding ρ may move a sum; where it would more, all weights are rounded."""


def kept_rows(layer: Layer, precision: Precision) -> WholeRows | None:
    """The whole numbers that a layer's weights are, shortcuts as nearly as they can be, or None."""
    found = whole_rows(layer.rows)
    fits = found is not None and bool(np.all(most_times(layer, found, precision)[0] >= 1))
    if fits or len(layer.rows) == 1:
        return found
    return _beside_shortcuts(layer, precision) or found


def _beside_shortcuts(layer: Layer, precision: Precision) -> WholeRows | None:
    """The whole weights of all projections but shortcuts, and of these the nearest."""
    narrow = [k for k in range(len(layer.rows)) if layer.is_narrow(k)]
    others = [rows for k, rows in enumerate(layer.rows) if k not in narrow]
    main = whole_rows(others) if narrow and others else None
    if main is None or not main.is_certain:
        return None
    heaviest = np.max([layer.peak(k) for k in narrow], axis=0)
    # where nothing else arrives, a shortcut is a unit itself
    r = np.where((main.peak == 0) & (heaviest > 0), heaviest, main.r)
    times = _times(layer, main.weights, r, narrow, precision)
    if times is None:
        return None
    scale = (times / r)[:, None, None]
    weights = tuple(np.round(rows * scale).astype(np.int64) for rows in layer.rows)
    lost = [
        rows - whole / scale if k in narrow else np.zeros(1)
        for k, (rows, whole) in enumerate(zip(layer.rows, weights, strict=True))
    ]
    moved = sum(float(np.abs(lost[k]).max()) * layer.levels[k] for k in narrow)
    if moved > (FARTHEST if layer.highest else float(r.max())):
        return None
    sizes = [float(np.linalg.norm(rows)) for rows in layer.rows]
    errors = tuple(
        float(np.linalg.norm(each)) / (size or 1.0) for each, size in zip(lost, sizes, strict=True)
    )
    return WholeRows(weights, r / times, is_certain=True, errors=errors)


def _times(
    layer: Layer,
    weights: Sequence[Integers],
    r: Floats,
    narrow: Sequence[int],
    precision: Precision,
) -> Integers | None:
    """M of each channel: with a power of 2 for all, the multiple that rounds its shortcuts best."""
    most = precision.target.max_weight_exponent
    room = np.min([times_held(each, precision, wide=False) for each in weights], axis=0)
    # half of the state stays for thresholds; these reach as far as one level more than there are
    far = np.maximum(layer.span, (layer.highest or 0) + 1) / r
    bound = precision.target.state_max / (2 * far + 1)
    for k in narrow:
        wide = is_wide(layer, k, precision) and precision.shift <= most
        peak = np.maximum(layer.peak(k) / r, 1e-300)
        bound = np.minimum(bound, precision.weight_max(layer.rows[k], wide=wide) / peak)
    if np.any(room < 1) or np.any(bound < 1):
        return None
    power = 1 << min(most, int(np.log2(bound.min())))
    best, least = np.zeros_like(room), np.full(len(r), np.inf)
    for m in range(1, int(room.max()) + 1):
        error = np.zeros(len(r))
        for k in narrow:
            asked = layer.rows[k].sum(2) * (m * power / r)[:, None]
            error += np.abs(np.round(asked) - asked).max(1) * layer.levels[k] / m
        better = (m <= room) & (m * power <= bound) & (error < 0.99 * least)
        best[better], least[better] = m, error[better]
    return np.asarray(best * power)
