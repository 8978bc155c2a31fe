"""What an event takes on a chip: the one place for these numbers, each with its source.

Energies are picojoules, times nanoseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from snnc.compiler.target import CoreModel

SANA_FE = "fit to Loihi 1 (Nahuku) by SANA-FE 2.2.9, arch/loihi.yaml; doi 10.1109/TCAD.2025.3537971"
BRIEF = "as Loihi 1, divided by the ratios of Intel's technology brief of Loihi 2 (2021)"


class Event(NamedTuple):
    """What happens once."""

    energy: float
    """pJ."""
    time: float
    """ns."""
    source: str


@dataclass(frozen=True)
class EventCosts:
    """The events of one chip."""

    neuron: Event
    """A neuron is read, updated and written back, in every time step."""
    spike: Event
    """It fires, besides."""
    message_out: Event
    """A core sends a spike to one core."""
    message_in: Event
    """A core takes it."""
    convolution_synapse: Event
    """One synaptic operation, of a kernel that is stored once."""
    dense_synapse: Event
    """One synaptic operation, of a matrix."""
    hop_east_west: Event
    hop_north_south: Event
    barriers: tuple[tuple[int, float], ...]
    """(routers in use, ns), rising: what ends a time step with so many, and up to the next."""
    static_watts: float
    """Of a chip."""
    static_source: str

    @property
    def events(self) -> Mapping[str, Event]:
        """By name."""
        found = {name: value for name, value in vars(self).items() if isinstance(value, Event)}
        return MappingProxyType(found)

    def barrier(self, routers: int) -> float:
        """What ends a time step in which so many routers are in use, in ns."""
        return max(time for least, time in self.barriers if least <= max(routers, 1))


def _fitted(energy: float, time: float) -> Event:
    return Event(energy, time, SANA_FE)


def _scaled(event: Event, ratio: float) -> Event:
    return Event(event.energy, event.time / ratio, BRIEF)


LOIHI1_COSTS = EventCosts(
    neuron=_fitted(51.2 + 21.6, 6.0 + 3.7),
    spike=_fitted(69.3, 30.0),
    message_out=_fitted(111.0, 5.1),
    message_in=_fitted(0.0, 16.0),
    convolution_synapse=_fitted(24.0, 3.1),
    dense_synapse=_fitted(35.5, 3.8),
    hop_east_west=_fitted(3.0, 4.1),
    hop_north_south=_fitted(4.2, 6.5),
    barriers=((1, 600.0), (2, 1000.0), (4, 1400.0), (29, 1800.0)),
    static_watts=0.104,
    static_source="3.34 W of 32 chips: Frady et al., 2020, as quoted by others",
)
"""Energy within 12 %, time within 25 % of silicon on the three applications of the publication."""

ENERGY_ERROR, TIME_ERROR = 0.12, 0.25

LOIHI2_COSTS = EventCosts(
    neuron=_scaled(LOIHI1_COSTS.neuron, 2),
    spike=_scaled(LOIHI1_COSTS.spike, 10),
    message_out=_scaled(LOIHI1_COSTS.message_out, 10),
    message_in=_scaled(LOIHI1_COSTS.message_in, 10),
    convolution_synapse=_scaled(LOIHI1_COSTS.convolution_synapse, 5),
    dense_synapse=_scaled(LOIHI1_COSTS.dense_synapse, 5),
    hop_east_west=LOIHI1_COSTS.hop_east_west,
    hop_north_south=LOIHI1_COSTS.hop_north_south,
    barriers=((1, 200.0),),
    static_watts=0.0,
    static_source="",
)
"""Times alone, and these are a lower bound: no energy of an event of Loihi 2 is public."""


def costs_of(core: CoreModel) -> EventCosts:
    """The events of the chip that a core belongs to."""
    return LOIHI2_COSTS if core.states_differ else LOIHI1_COSTS


PROXY_NEURON = 10
"""An operation of a neuron counts as so many synaptic ones."""
PROXY_SOURCE = (
    "SynOps + 10·NeuronOps: Timcheck et al., Intel neuromorphic DNS challenge, 2023, "
    "doi 10.1088/2634-4386/ace737"
)


@dataclass(frozen=True)
class SoftwareBound:
    """Loihi 2 as its software drives it: a time step, in ns."""

    floor: float
    of_neuron: float
    """For each neuron of the core that has most."""
    source: str

    def step(self, neurons: int) -> float:
        """The ns of a step, where no core has more neurons."""
        return self.floor + self.of_neuron * neurons


LOIHI2_SOFTWARE = SoftwareBound(
    1800.0,
    48.0,
    "floor: OzU-CAST, 1.78 µs; a neuron: PilotNet, 152.8 µs with at most 3168 neurons on a core",
)


@dataclass(frozen=True)
class Measured:
    """A network that was measured on Loihi 2."""

    name: str
    cores: int
    step: float
    """ns."""
    energy: float
    """Dynamic pJ of a step."""
    static_watts: float
    source: str


PILOTNET = Measured(
    "PilotNet LIF", 74, 152_800.0, 68.3e6, 0.232, "output of Intel's notebook, Lava-Loihi 0.3"
)

MULTIPLY_ACCUMULATE_PJ, ACCUMULATE_PJ = 4.6, 0.9
ESTIMATE_SOURCE = "32-bit floats in 45 nm: Horowitz, ISSCC 2014"
