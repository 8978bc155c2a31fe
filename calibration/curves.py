"""What may stand in the place of a curve: sums of ramps, more of them with each offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from snnc.calibration.ramps import GRID, Met, even_ramps, spread_ramps, uneven_ramps
from snnc.compiler.analysis.ramps import Ramp, Ramps
from snnc.compiler.errors import refusal
from snnc.compiler.network import Node
from snnc.compiler.operators import Curve, Floats, Operator
from snnc.runtime.engines.float_network import Array

MOST = 4
"""Of even levels; each is a population."""


@dataclass(frozen=True, eq=False)
class CurveFits:
    """Sums of ramps for one curve."""

    even: tuple[Ramps, ...]
    """1, 2 … ramps of even levels; none where uneven ones are wanted."""
    uneven: tuple[Ramps, ...]
    """Of levels whose thresholds may lie anywhere."""
    spread: tuple[Ramps, ...]
    """1, 2 … ramps side by side over all that the curve meets, whatever comes of it."""


def curve_fits(node: Node, sums: Array, levels: int, *, uneven: bool) -> CurveFits:
    """Fit ramps to a curve, or to that of each channel where channels differ.

    Args:
        node: of a `Curve`.
        sums: what it meets, (images, *shape).
        levels: L.
        uneven: whether the thresholds of levels may lie anywhere.

    Raises:
        SnncError: for a curve that differs within a channel, or is no number where it is met.
    """
    curves = _by_channel(node)
    most = 0 if uneven else MOST
    found = [
        _fits(node.name, each, sums[:, [index]] if len(curves) > 1 else sums, levels, most)
        for index, each in enumerate(curves)
    ]
    if len(found) == 1:
        return found[0]
    rank = len(node.shape)
    return CurveFits(
        *(
            _side_by_side([getattr(each, kind.name) for each in found], rank)
            for kind in fields(CurveFits)
        )
    )


def _fits(name: str, curve: Curve, sums: Array, levels: int, most: int) -> CurveFits:
    met = Met.of(curve.apply, sums)
    places = np.concatenate([met.x, np.linspace(met.low, met.high, GRID)])
    bad = places[~np.isfinite(curve.apply(places))]
    if bad.size:
        what = f"is no finite number at {bad[0]:g}; calibration images reach {met.low:g} to "
        raise refusal(name, f"{what}{met.high:g}", "use an activation without poles")
    return CurveFits(
        even_ramps(curve.apply, met, levels, most),
        uneven_ramps(curve.apply, met, levels),
        tuple(spread_ramps(curve.apply, met, levels, count + 1) for count in range(MOST)),
    )


def _by_channel(node: Node) -> tuple[Curve, ...]:
    """The curve of each channel; a single one where they are all the same."""
    assert isinstance(node.operator, Curve)
    channels = node.shape[0]
    single = (1,) * (len(node.shape) - 1)
    sizes = {np.shape(v) for op, _ in node.operator.steps for v in vars(op).values()}
    shapes = {each for each in sizes if np.prod(each) != 1}
    if not shapes:
        return (_channel(node.operator, 0),)
    if shapes != {(channels, *single)}:
        what = f"is a curve whose constants have shapes {sorted(shapes)} for {node.shape}"
        mend = "give it one number, or one for each channel"
        raise refusal(node.name, f"{what}; allowed: {(channels, *single)}", mend)
    return tuple(_channel(node.operator, index) for index in range(channels))


def _channel(curve: Curve, index: int) -> Curve:
    """The same with the constants of one channel, as numbers."""
    return Curve(tuple((_operator(each, index), reads) for each, reads in curve.steps))


def _operator(operator: Operator, index: int) -> Operator:
    constants = {
        name: value.reshape(-1)[index if value.size > 1 else 0]
        for name, value in vars(operator).items()
        if isinstance(value, np.ndarray)
    }
    found: Any = operator
    changed: Operator = replace(found, **{n: np.array(v) for n, v in constants.items()})
    return changed


def _side_by_side(channels: Sequence[tuple[Ramps, ...]], rank: int) -> tuple[Ramps, ...]:
    """For each offer one sum of ramps for all channels; who has fewer ramps repeats the last."""
    most = max(map(len, channels), default=0)
    return tuple(
        _joined([each[min(index, len(each) - 1)] for each in channels], rank)
        for index in range(most)
    )


def _joined(channels: Sequence[Ramps], rank: int) -> Ramps:
    """One sum of ramps with numbers for each channel; missing ramps rise by nothing."""
    count = max(each.populations for each in channels)
    ramps = []
    for index in range(count):
        found = [_ramp(each, index) for each in channels]
        start, end, rise = (
            _over([getattr(each, name) for each in found], rank)
            for name in ("start", "end", "rise")
        )
        ramps.append(Ramp(found[0].levels, start, end, rise, _thresholds(found, rank)))
    return Ramps(tuple(ramps), _over([each.offset for each in channels], rank))


def _over(numbers: Sequence[Floats], rank: int) -> Floats:
    """One number a channel, as it broadcasts over a sample."""
    return np.array(numbers).reshape(-1, *(1,) * (rank - 1))


def _ramp(ramps: Ramps, index: int) -> Ramp:
    if index < ramps.populations:
        return ramps.ramps[index]
    return replace(ramps.ramps[0], rise=np.array(0.0))


def _thresholds(ramps: Sequence[Ramp], rank: int) -> Floats | None:
    """Those of each channel: (levels, channels, …)."""
    if all(each.thresholds is None for each in ramps):
        return None
    even = np.arange(1.0, ramps[0].levels + 1)
    found = [even if each.thresholds is None else each.thresholds for each in ramps]
    stacked = np.stack(found, axis=1)
    return np.asarray(stacked.reshape(len(even), -1, *(1,) * (rank - 1)))
