"""The same integers with fewer calibrations, and without relays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from typing_extensions import assert_never

from snnc.compiler.inputs import CurrentInput
from snnc.compiler.laws import OffsetSpike, Rate
from snnc.compiler.spiking import Population, SpikingNetwork


def variants_of(network: SpikingNetwork, *, light: bool) -> Iterator[SpikingNetwork]:
    """The network before any calibration, after one, and so on; perhaps its light variant.

    All of the same integers. A rate network is its only variant.
    """
    law = network.populations[0].neuron
    assert isinstance(law, Rate | OffsetSpike)
    if isinstance(law, Rate):
        yield network
    elif isinstance(law, OffsetSpike):
        yield _with(network, lambda n: Rate(n.threshold, n.initial, n.time_steps))
        for count in range(1, law.iterations + 1):
            yield _with(network, lambda n, k=count: replace(n, iterations=k))  # type: ignore[misc]
        if light:
            yield _with(network, lambda n: replace(n, iterations=1, light=True))
    else:
        assert_never(law)


def without_relays(network: SpikingNetwork) -> SpikingNetwork:
    """The same network where a population reads its sources at first hand.

    A relay repeats the train that arrives; nothing changes but the time.
    """
    origin = {name: name for name in network.nodes}
    kept: list[Population] = []
    for population in network:
        if population.is_relay:
            origin[population.name] = origin[population.projections[0].source]
            continue
        direct = tuple(replace(p, source=origin[p.source]) for p in population.projections)
        kept.append(replace(population, projections=direct))
    return network.replaced(tuple(kept))


def _with(
    network: SpikingNetwork, law: Callable[[OffsetSpike], Rate | OffsetSpike]
) -> SpikingNetwork:
    """The same network of other neurons; relays of the input are left out, for they keep time."""
    network = without_relays(network)
    populations = tuple(
        replace(each, neuron=law(each.neuron)) if isinstance(each.neuron, OffsetSpike) else each
        for each in network
    )
    assert isinstance(network.input, CurrentInput)
    current = replace(network.input, turn=populations[0].neuron.turn)
    return replace(network, input=current, populations=populations)
