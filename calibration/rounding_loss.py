"""What rounding the weights does to each layer, held against the float network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, log10
from typing import Any, TypeAlias

import numpy.typing as npt

from snnc.compiler.laws import Neuron
from snnc.compiler.network import Network
from snnc.compiler.operators import Staircase
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.float_network import FloatNetwork
from snnc.runtime.engines.golden import Golden

Array: TypeAlias = npt.NDArray[Any]
IMAGES = 256
"""Enough to see shares of a percent."""
BATCH = 32


@dataclass(frozen=True)
class RoundingLoss:
    """What rounding did to one layer, on calibration images."""

    layer: str
    weight_bits: int
    """Those that its weights use."""
    snr: float
    """Signal to noise of the layer's sums in dB, if all before it were exact; the worst source."""
    changed: float | None
    """Share of activations whose level is not the float network's; None for a read-out, and where
    levels are counts of spikes."""


def rounding_losses(
    composed: Network, network: SpikingNetwork, levels: Array
) -> tuple[RoundingLoss, ...]:
    """One row for each population that computes something, so for no relay.

    Args:
        composed: the network just before its weights were rounded.
        network: the integers.
        levels: (images, *input shape), what the input sends; the first of them are looked at.
    """
    changed = _changed(composed, network, levels[:IMAGES])
    return tuple(
        RoundingLoss(
            each.name,
            each.weight_bits,
            _decibels(max(p.error for p in each.projections)),
            changed.get(each.name),
        )
        for each in network
        if not each.is_relay
    )


def _changed(composed: Network, network: SpikingNetwork, levels: Array) -> Mapping[str, float]:
    """For each firing population the share of levels that differ, where levels are comparable."""
    pairs = _pairs(composed, network)
    if not pairs:
        return {}
    golden = Golden(network, every_population=True)
    floats = FloatNetwork(composed, [*pairs.values()])
    counts = dict.fromkeys(pairs, 0.0)
    for start in range(0, len(levels), BATCH):
        batch = levels[start : start + BATCH]
        ours = golden.run(batch.reshape(len(batch), *network.input.shape)).numbers
        exact = floats.run(batch.reshape(len(batch), *composed.input.shape))
        for name, staircase in pairs.items():
            wrong = ours[name].reshape(len(batch), -1) != exact[staircase].reshape(len(batch), -1)
            counts[name] += float(wrong.mean()) * len(batch) / len(levels)
    return counts


def _pairs(composed: Network, network: SpikingNetwork) -> Mapping[str, str]:
    """The populations that send the levels of a staircase, each with its staircase."""
    firing = {each.name for each in network if not each.is_relay and _sends_levels(each.neuron)}
    pairs = {}
    for node in composed:
        if isinstance(node.operator, Staircase):
            sums = node.sources[0]
            pairs[sums if sums in firing else node.name] = node.name
    return pairs if firing else {}


def _sends_levels(law: Neuron) -> bool:
    """Whether what it sends are levels of a staircase, and no counts of spikes."""
    return law.levels > 0 and law.step_of_level is not None and not law.integrates


def _decibels(error: float) -> float:
    return -20 * log10(error) if error > 0 else inf
