"""Which slayer neuron runs each law: one row a law; None where slayer's blocks cannot.

Names of classes in neuron.py, so that whoever only asks what can be run imports no PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from snnc.compiler.errors import Problem
from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
)
from snnc.compiler.spiking import SpikingNetwork

LAWS: Mapping[type[Neuron], str | None] = MappingProxyType(
    {
        BitSerial: "AccumulateThenFire",
        Graded: None,
        Current: None,
        Rate: None,
        OffsetSpike: None,
        Copies: None,
        Delta: None,
        DeltaReadout: None,
        Readout: "ShowPotential",
    }
)


def problems_of_network(network: SpikingNetwork) -> Iterator[Problem]:
    """Whatever sends another code than slayer's blocks know."""
    if network.input.is_constant:
        yield _other_code(network.input.name, "sends pixels as a constant current")
    for population in network:
        if LAWS[type(population.neuron)] is None:
            yield _other_code(population.name, str(population.neuron))


def _other_code(name: str, what: str) -> Problem:
    what = f"{what}; slayer's blocks run bit-serial neurons alone"
    return Problem(name, what, "use `engine='lava'` or `engine='golden'`")
