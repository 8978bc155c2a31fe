"""Where accuracy is lost between the float network and the integers, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log10
from typing import Any, TypeAlias

import numpy.typing as npt

from snnc.compiler.network import Network
from snnc.compiler.neurons import BitSerial, Graded
from snnc.compiler.operators import Staircase
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.float_network import FloatNetwork
from snnc.runtime.golden import Golden

Array: TypeAlias = npt.NDArray[Any]
IMAGES = 256
"""Enough to see shares of a percent."""


@dataclass(frozen=True)
class LayerLoss:
    """What rounding did to one layer, on calibration images."""

    layer: str
    snr: float
    """Signal to noise of the layer's sums in dB, if all before it were exact; the worst source."""
    changed: float | None
    """Share of activations whose level is not the float network's; None for a read-out, and where
    levels are counts of spikes."""


def losses(composed: Network, network: SpikingNetwork, levels: Array) -> tuple[LayerLoss, ...]:
    """One row for each population that rounding touches.

    Args:
        composed: the network just before its weights were rounded.
        network: the integers.
        levels: (images, *input shape), what the input sends; the first of them are looked at.
    """
    changed = _changed(composed, network, levels[:IMAGES])
    return tuple(
        LayerLoss(
            each.name, _decibels(max(p.error for p in each.projections)), changed.get(each.name)
        )
        for each in network
        if ".relay" not in each.name
    )


def _changed(composed: Network, network: SpikingNetwork, levels: Array) -> Mapping[str, float]:
    """For each firing population the share of levels that differ."""
    firing = {each.name for each in network if isinstance(each.neuron, BitSerial | Graded)}
    if not firing:
        return {}
    pairs = {}
    for node in composed:
        if isinstance(node.operator, Staircase):
            sums = node.sources[0]
            pairs[sums if sums in firing else node.name] = node.name
    golden, floats = (
        Golden(network, every_population=True),
        FloatNetwork(composed, [*pairs.values()]),
    )
    counts = dict.fromkeys(pairs, 0.0)
    for start in range(0, len(levels), 32):
        batch = levels[start : start + 32]
        ours = golden.run(batch.reshape(len(batch), *network.input.shape)).sent
        exact = floats.run(batch.reshape(len(batch), *composed.input.shape))
        for name, staircase in pairs.items():
            wrong = ours[name].reshape(len(batch), -1) != exact[staircase].reshape(len(batch), -1)
            counts[name] += float(wrong.mean()) * len(batch) / len(levels)
    return counts


def _decibels(error: float) -> float:
    return -20 * log10(error) if error > 0 else inf
