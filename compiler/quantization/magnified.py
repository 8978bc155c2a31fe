"""Channels whose sums meet one threshold at most: how large the sums are does not matter then.

The level of such a neuron is ⌊s + b⌋, one of two. Of a staircase of one level, as in a network of
signs, that is so for all sums: scaling s + b about the threshold changes nothing. A batch norm may
leave its scale at 1e-8 there, which no integer would hold beside a threshold of 1.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snnc.compiler.operators import Floats, per_channel
from snnc.compiler.quantization.common_factors import whole_rows
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.thresholds import Thresholds

SMALL, LARGE = 2.0**-10, 2.0**10
"""Levels that the sums of a channel span. Within these bounds nothing is done: Δ holds them."""
WIDE = 2.0**8
"""Levels that sums about the only threshold are made to span."""


def magnified(layer: Layer, levels: int) -> Layer:
    """The layer with sums of a sensible size in such channels, and the same levels."""
    low, high = layer.reach
    size = high - low
    gains = ((size > 0) & (size < SMALL)) | ((levels == 1) & (size > LARGE))
    if not gains.any():
        return layer
    # half a level at most, so that no other threshold comes within reach; of one level more: codes
    # that count spikes meet a threshold the better, the farther sums are from it
    wanted = WIDE if levels == 1 else 0.5
    # a power of 2 is exact
    gain = np.where(gains, 2.0 ** np.floor(np.log2(wanted / np.where(gains, size, 1.0))), 1.0)
    flat = layer.bias.reshape(len(layer.bias), -1)
    scaled = _about_the_threshold(flat, low[:, None], gain[:, None], levels)
    bias = np.where(gains[:, None], scaled, flat).reshape(layer.bias.shape)
    rows = tuple(each * per_channel(gain, 3) for each in layer.rows)
    return replace(layer, rows=rows, bias=bias, magnification=gain)


def _about_the_threshold(bias: Floats, low: Floats, gain: Floats, levels: int) -> Floats:
    """Biases for sums that are so much larger."""
    if levels == 1:
        return (bias - 1) * gain + 1
    # the threshold that sums may meet is the first above the least sum
    first = np.floor(bias + low) + 1
    threshold = np.clip(first, 1, levels)
    scaled = (bias - threshold) * gain + threshold
    # one that no sum meets must not draw the sums below the threshold before it
    held = np.maximum(scaled, threshold - 0.75 - low * gain)
    return np.where(first == threshold, held, scaled)


def sharpened(layer: Layer, precision: Precision) -> Layer:
    """A layer of one level for codes that count spikes: whole sums are one level each.

    Halfway between two sums lies the threshold ⌈(1 − b)/r⌉ − ½, as far from both as can be. Weights
    that no synapses hold are rounded, and their sums are not whole then.
    """
    rows = whole_rows(layer.rows)
    if rows is None or rows.peak.max() > precision.weight_max(layer.joined, wide=True):
        return magnified(layer, 1)
    asked = Thresholds.of(layer, 1, rows, precision.target)
    bias = 1.5 - asked.on_neurons(asked.met[:, :, 0]).reshape(layer.bias.shape)
    weights = tuple(each.astype(np.float64) for each in rows.weights)
    return replace(layer, rows=weights, bias=bias, magnification=1.0 / rows.r)
