"""What a network must keep to for its simulation to be exact; a file may hold anything."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from snnc.compiler.errors import Problem
from snnc.compiler.spiking import Firing, Input, Population, Projection, SpikingNetwork
from snnc.compiler.timing import Slot, timing_of
from snnc.runtime.lava.neuron_law import HIGHEST_STATE, STATE_BITS

EXACT_FLOAT = 2**24
HIGHEST_SUM = 2**31 - 1


def problems_of(network: SpikingNetwork) -> tuple[Problem, ...]:
    """Everything that would make the simulator's numbers differ from the network's."""
    return tuple(_problems(network))


def _problems(network: SpikingNetwork) -> Iterator[Problem]:
    timing = timing_of(network)
    nodes = network.nodes
    for population in network:
        if _mixes(timing.slots[population.name], timing.period):
            yield Problem(
                population.name,
                f"the bits of its sources mix: they arrive in {timing.slots[population.name]}, "
                f"a new image every {timing.period} time steps",
                "line the sources up with relays, or compile with another --schedule",
            )
        for each in population.projections:
            yield from _projection(population, each, nodes[each.source])
        yield from _neurons(population)


def _mixes(slot: Slot, period: int) -> bool:
    """Bits add up under Horner's rule only where their windows end together or never meet."""
    return (
        any(
            one.start <= other.last and other.start <= one.last and one.last != other.last
            for one, other in combinations(slot.windows, 2)
        )
        or min(each.start for each in slot.windows) + period <= slot.fire
        or min(each.last for each in slot.windows) + period < slot.fire + slot.time_steps
    )


def _projection(
    population: Population, projection: Projection, source: Input | Population
) -> Iterator[Problem]:
    graded = isinstance(source, Input) and source.code == "graded"
    flat = projection.connection.weights.reshape(len(projection.connection.weights), -1)
    reach = max(flat.clip(min=0).sum(axis=1).max(), -flat.clip(max=0).sum(axis=1).min())
    reach = int(reach) * (source.levels if graded and isinstance(source, Input) else 1)
    if reach > EXACT_FLOAT or reach << projection.exponent > HIGHEST_SUM:
        yield Problem(
            population.name,
            f"its sum over {source.name} may reach {reach} << {projection.exponent}, "
            f"allowed are {EXACT_FLOAT} before and {HIGHEST_SUM} after the shift",
            "compile with fewer weight bits",
        )


def _neurons(population: Population) -> Iterator[Problem]:
    found = {"bias": int(np.abs(population.bias).max())}
    if isinstance(population.neuron, Firing):
        highest = int(population.neuron.step.max()) << (population.neuron.time_steps - 1)
        found["threshold"] = highest
    for name, value in found.items():
        if value > HIGHEST_STATE:
            yield Problem(
                population.name,
                f"{name} {value}, but a state of {STATE_BITS} bits ends at {HIGHEST_STATE}",
                "compile with fewer weight bits",
            )
