"""What rounding the weights does to each layer, held against the float network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log10, prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.laws import Neuron
from snnc.compiler.network import Network
from snnc.compiler.operators import Staircase
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.float_network import FloatNetwork
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.result import decisions_of, logits_of

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
    """Share of activations whose level is not the float network's; of a read-out the share of
    decisions. None where levels are counts of spikes."""
    farthest: int | None = None
    """The most levels by which an activation differs; None for a read-out, too."""


def rounding_losses(
    composed: Network, network: SpikingNetwork, levels: Array
) -> tuple[RoundingLoss, ...]:
    """One row for each population that computes something, so for no relay.

    Args:
        composed: the network just before its weights were rounded.
        network: the integers.
        levels: (images, *input shape), what the input sends; the first of them are looked at.
    """
    differences = _differences(composed, network, levels[:IMAGES])
    none = Difference(None, None)
    return tuple(
        RoundingLoss(
            each.name,
            each.weight_bits,
            _decibels(max(p.error for p in each.projections)),
            differences.get(each.name, none).share,
            differences.get(each.name, none).farthest,
        )
        for each in network
        if not each.is_relay
    )


def comparable(composed: Network, network: SpikingNetwork) -> bool:
    """Whether a network's levels are those of the staircases, all of them.

    They are not where it was made coarser, or from other staircases.
    """
    sizes = {name: law.levels for name, law in network.firing.items()}
    known = {each.name: each.operator for each in composed}
    pairs = _pairs(composed, network)
    same = (
        isinstance(found := known[staircase], Staircase) and sizes.get(name) == found.levels
        for name, staircase in pairs.items()
    )
    return bool(pairs) and all(same) and prod(composed.input.shape) == network.input.size


def measured(losses: Sequence[RoundingLoss]) -> Iterator[str]:
    """What follows from all roundings together, where levels are comparable."""
    known = [each for each in losses if each.changed is not None]
    levels = [each for each in known if each.farthest is not None]
    decisions = [each.changed for each in known if each.farthest is None]
    if levels and decisions:
        worst = max(levels, key=lambda each: each.changed or 0.0)
        farthest = max(each.farthest or 0 for each in levels)
        yield (
            f"on calibration images {100 * (worst.changed or 0.0):.2g} % of the levels of "
            f"{worst.layer} are not the float network's, fewer in other layers, by {farthest} at "
            f"most; of the decisions {100 * (decisions[0] or 0.0):.2g} % are not"
        )


@dataclass(frozen=True)
class Difference:
    """How much differs between the float network and the integers."""

    share: float | None
    """Of activations, or of decisions."""
    farthest: int | None
    """In levels."""


def _differences(
    composed: Network, network: SpikingNetwork, levels: Array
) -> Mapping[str, Difference]:
    """What differs in each population, where levels are comparable, and in the decisions."""
    pairs = _pairs(composed, network)
    if not pairs:
        return {}
    golden = Golden(network, every_population=True)
    output = composed.output.name
    floats = FloatNetwork(composed, [*pairs.values(), output])
    shares, farthest = dict.fromkeys([*pairs, network.readout.name], 0.0), dict.fromkeys(pairs, 0)
    for start in range(0, len(levels), BATCH):
        batch = levels[start : start + BATCH]
        result = golden.run(batch.reshape(len(batch), *network.input.shape))
        exact = floats.run(batch.reshape(len(batch), *composed.input.shape))
        for name, staircase in pairs.items():
            off = np.abs(result.numbers[name].ravel() - exact[staircase].ravel())
            shares[name] += float((off > 0).mean()) * len(batch) / len(levels)
            farthest[name] = max(farthest[name], int(off.max()))
        ours = decisions_of(logits_of(result.potential, network).reshape(len(batch), -1))
        others = ours != decisions_of(exact[output].reshape(len(batch), -1))
        shares[network.readout.name] += float(others.mean()) * len(batch) / len(levels)
    return {name: Difference(share, farthest.get(name)) for name, share in shares.items()}


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
