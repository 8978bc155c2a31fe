"""Weights that are whole numbers already, times one number for each channel.

So are those of a quantised model, of a max pool and of a plain sum. They are taken over unchanged:
with rows = r·w the level is ⌊r·S + b⌋ of the whole sum S = Σ w·n. In the file 2^e·S + B meets the
threshold j·Δ, so Δ ≈ 2^e/r, and the level is the same for every S where

    ⌈(j·Δ − B)/2^e⌉ = ⌈(j − b)/r⌉    for each level j = 1 … N.

Δ and B are chosen so that this holds for as many j as 24 bits allow; where r is the inverse of a
whole number it holds for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from snnc.compiler.laws import Integers
from snnc.compiler.operators import Floats
from snnc.compiler.quantization.layer import Layer, Precision

TOLERANCE = 1e-3
"""How near to a whole number a weight must be: float32 scales leave it 1e-5 off at most."""
SAMPLED = 24
"""Weights of a channel that are tried before all of them are."""
WHOLE = 3e-7
"""A few roundings of float32, 2^-23 each: a quotient so near to a whole number is that number."""


@dataclass(frozen=True, eq=False)
class WholeNumbers:
    """Integers for a firing population, and what became of its thresholds."""

    step: Integers
    bias: Integers
    exponent: int
    thresholds: int
    """Of all levels and neurons that differ."""
    moved: int
    """Those among them that are met one unit of S too early or too late."""


def spacing(layer: Layer, precision: Precision) -> Floats | None:
    """R of each channel; None where weights are no whole numbers that a synapse holds."""
    rows = layer.joined
    limit = min(precision.weight_max(each, wide=False) for each in layer.rows)
    peak = np.abs(rows).max(1)
    if np.any(peak == 0):
        return None
    found = _candidates(rows / peak[:, None], limit)
    return None if found is None else np.asarray(peak / found)


def _candidates(rows: Floats, limit: int) -> Floats | None:
    """For each channel the least whole number k that makes all of rows·k whole."""
    offered = np.arange(1, limit + 1, dtype=np.float64)
    # some weights from the first to the last; (channels, weights, k)
    few = rows[:, np.linspace(0, rows.shape[1] - 1, min(SAMPLED, rows.shape[1])).astype(int)]
    products = few[:, :, None] * offered
    fits = (np.abs(products - np.round(products)) <= TOLERANCE).all(1)
    if not fits.any(1).all():
        return None
    result = np.zeros(len(rows))
    for _ in range(limit):
        if not fits.any(1).all():
            return None
        result = np.asarray(offered[fits.argmax(1)])
        scaled = rows * result[:, None]
        wrong = (np.abs(scaled - np.round(scaled)) > TOLERANCE).any(1)
        if not wrong.any():
            return result
        fits[wrong, fits.argmax(1)[wrong]] = False
    return None


def on_grid(layer: Layer, levels: int, r: Floats, precision: Precision) -> WholeNumbers | None:
    """Steps and biases that meet the real thresholds; None where the state is too small."""
    exponents = range(precision.target.max_weight_exponent, -1, -1)
    least = next((e for e in exponents if _fits(layer, levels, r, e, precision)), None)
    if least is None:
        return None
    offers = [_grid(layer, levels, r, e) for e in range(least + 1)]
    return min(offers, key=lambda each: (each.moved, each.exponent))


def finest_exponent(layer: Layer, r: Floats, precision: Precision) -> int | None:
    """For a read-out, the least exponent at which the bias is whole, or else the greatest legal."""
    exponents = range(precision.target.max_weight_exponent + 1)
    legal = [e for e in exponents if _fits(layer, 0, r, e, precision)]
    bias = layer.bias.reshape(len(layer.bias), -1) / r[:, None]
    whole = (e for e in legal if np.all(np.abs(bias * 2**e - np.round(bias * 2**e)) < TOLERANCE))
    return next(whole, legal[-1] if legal else None)


def _fits(layer: Layer, levels: int, r: Floats, exponent: int, precision: Precision) -> bool:
    """Whether 2^e·S + B and the thresholds stay within the state, with some room to round."""
    # the ceiling (N + 1)·Δ − 1 may take half of the state
    top = np.maximum(layer.span, 2.0 * (levels + 1)) * 2.0**exponent / r
    # Δ is at least 1: where 2^e/r is less than three quarters, 1 is off by a third and more
    fine = not levels or bool(np.all(2.0**exponent / r >= 0.75))
    # B may move by two units of S
    return fine and bool(np.all(top + 2.0 ** (exponent + 1) < precision.target.state_max))


def finest_step(layer: Layer, r: Floats, precision: Precision) -> tuple[Integers, int] | None:
    """Thresholds of rate neurons for weights that stay as they are, and the exponent.

    None where a threshold would be off by more than its share of TOLERANCE.
    """
    legal = [
        e
        for e in range(precision.target.max_weight_exponent + 1)
        if _fits(layer, 1, r, e, precision)
    ]
    for e in legal:
        exact = 2.0**e / r
        if np.all(np.abs(np.round(exact) - exact) <= TOLERANCE * exact):
            return np.round(exact).astype(np.int64), e
    return None


def multiple(layer: Layer, r: Floats, exponent: int, precision: Precision) -> Floats:
    """How often each channel's whole weights fit: so often its threshold, and so fine its bias."""
    # half of the state; where sums are next to nothing, θ, v(0) and the bias need 4 thresholds
    limits = [precision.target.state_max / (2.0 * np.maximum(layer.span, 4.0) * 2.0**exponent / r)]
    for rows in layer.rows:
        peak = np.abs(rows).max((1, 2)) / r
        top = float(precision.weight_max(rows, wide=False))
        # these are whole: a peak below one half is a row of zeros
        limits.append(np.divide(top, peak, where=peak > 0.5, out=np.full(len(r), np.inf)))
    return np.asarray(np.maximum(1.0, np.floor(np.min(limits, axis=0) + TOLERANCE)))


def _grid(layer: Layer, levels: int, r: Floats, exponent: int) -> WholeNumbers:
    """The better of the two whole steps beside 2^e/r, with the bias that meets most thresholds."""
    slope = 2.0**exponent / r
    options = [np.maximum(rounded(slope), 1) for rounded in (np.floor, np.ceil)]
    found = [_bias(layer, levels, r, exponent, each) for each in options]
    (bias0, moved0), (bias1, moved1) = found
    better = moved1 < moved0
    odd = (moved1 == moved0) & (options[0] % 2 == 0)
    second = better | odd
    step = np.where(second, options[1], options[0]).astype(np.int64)
    # one choice a channel, over a bias of (channels,) or (channels, height, width)
    bias = np.where(second.reshape(-1, *(1,) * (bias0.ndim - 1)), bias1, bias0)
    moved = int(np.where(second, moved1, moved0).sum())
    patterns = np.unique(layer.bias.reshape(len(layer.bias), -1), axis=1).shape[1]
    return WholeNumbers(step, bias, exponent, len(step) * patterns * levels, moved)


def _bias(
    layer: Layer, levels: int, r: Floats, exponent: int, step: Floats
) -> tuple[Integers, Integers]:
    """For each neuron that differs the B that meets most thresholds, and how many it moves."""
    flat = layer.bias.reshape(len(layer.bias), -1)
    patterns, where = np.unique(flat, axis=1, return_inverse=True)
    j = np.arange(1, levels + 1)
    # (channels, patterns, levels)
    real = _ceil((j - patterns[:, :, None]) / r[:, None, None])
    lowest = j * step[:, None, None] - real * 2.0**exponent
    highest = lowest + 2.0**exponent - 1
    least, most = lowest.max(2), highest.min(2)
    around = np.round(patterns * 2.0**exponent / r[:, None])
    offers = np.stack([least, most, (least + most) // 2, around])
    moved = np.stack([_outside(each, lowest, highest) for each in offers])
    best = moved.argmin(0)[None]
    bias = np.take_along_axis(offers, best, 0)[0][:, where.reshape(-1)]
    count = np.take_along_axis(moved, best, 0)[0].sum(1)
    return bias.astype(np.int64).reshape(layer.bias.shape), count


def _outside(bias: Floats, lowest: Floats, highest: Floats) -> Integers:
    """The number of levels that a bias does not meet."""
    wrong = (bias[..., None] < lowest) | (bias[..., None] > highest)
    return np.asarray(wrong.sum(2))


def _ceil(values: Floats) -> Floats:
    """The next whole number above; one that is a rounding error away counts as reached."""
    nearest = np.round(values)
    near = np.abs(values - nearest) <= WHOLE * np.maximum(1.0, np.abs(values))
    return np.where(near, nearest, np.ceil(values))
