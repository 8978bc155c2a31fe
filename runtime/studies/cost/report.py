"""Counts, and what the models make of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from snnc.compiler.laws import Floats
from snnc.compiler.mapping.constants import (
    ACCUMULATE_PJ,
    ENERGY_ERROR,
    ESTIMATE_SOURCE,
    LOIHI1_COSTS,
    LOIHI2_COSTS,
    LOIHI2_SOFTWARE,
    MULTIPLY_ACCUMULATE_PJ,
    PILOTNET,
    PROXY_NEURON,
    PROXY_SOURCE,
    TIME_ERROR,
    EventCosts,
)
from snnc.compiler.mapping.mapping import CoreMapping
from snnc.compiler.rules.timing import Timing
from snnc.runtime.presented import Presentation, Presented

LOIHI1, LOIHI2, SOFTWARE = "Loihi 1", "Loihi 2, at least", "Loihi 2, software"
"""The models of time, as they are called."""


@dataclass(frozen=True, eq=False)
class Counts:
    """Events by the layer and the step in which they happen, summed over all images.

    All arrays are (layers, steps of an image), the input first; but for hops, which are (layers,).
    """

    spikes: Floats
    messages: Floats
    """That a layer sends."""
    received: Floats
    convolution: Floats
    """Synaptic operations of kernels, in the layer that receives."""
    dense: Floats
    """And of matrices."""
    words: Floats
    """Of synaptic memory that are read, in the layer that receives."""
    hops: tuple[Floats, Floats]
    """East or west, and north or south, of the messages that a layer sends."""

    @property
    def operations(self) -> Floats:
        """All synaptic operations."""
        return self.convolution + self.dense


@dataclass(frozen=True)
class LayerCost:
    """What a layer does for one image, in the mean."""

    name: str
    cores: int
    updates: float
    """Of neurons, in a stream; none of pixels, which come from outside."""
    spikes: float
    messages: float
    hops: float
    operations: float
    """Synaptic operations where they are computed: those of the spikes that it receives."""
    words: float
    """Of synaptic memory that it reads."""
    energy: float
    """nJ at the constants of Loihi 1, in a stream."""
    program: tuple[int, int]
    """Operations of its neuron program, the least and the most, in a stream; none of pixels."""


@dataclass(frozen=True)
class Pace:
    """How a network runs in one way, by one model of time."""

    steps: int
    """From an image to the next."""
    period: float
    """ns, likewise."""
    latency: float
    """ns from the first spike of an image to its logits."""

    @property
    def images_per_second(self) -> float:
        """The rate of a stream that does not end."""
        return 1e9 / self.period

    @property
    def step(self) -> float:
        """A step in ns, in the mean."""
        return self.period / self.steps


@dataclass(frozen=True, eq=False, repr=False)
class CostReport(Presented):
    """What a network costs for the images of a user."""

    target: str
    mapping: CoreMapping
    timing: Timing
    images: int
    counts: Counts
    paces: Mapping[str, Mapping[str, Pace]]
    """By the way it runs, "stream" or "alone", and by the model of time."""
    multiplications: int
    """Multiply-accumulates of the network without spikes, for an image."""
    programs: Mapping[str, tuple[int, int]]
    """Operations of the neuron programs of each population in a period, the least and the most."""
    own_energies: Mapping[str, float] = field(default_factory=dict)
    """pJ of each event, and W of a chip, as the user says; empty where nothing was said."""
    remarks: tuple[str, ...] = ()

    @cached_property
    def layers(self) -> tuple[LayerCost, ...]:
        """In their order, the input first."""
        return tuple(map(self._layer, range(len(self.mapping.layers))))

    def events(self, way: str) -> Mapping[str, float]:
        """Events of an image, by the names of `EventCosts`."""
        steps = self.paces[way][LOIHI1].steps
        found = [self._events(index, steps) for index in range(len(self.mapping.layers))]
        return {name: sum(each[name] for each in found) for name in LOIHI1_COSTS.events}

    @cached_property
    def events_by_layer(self) -> Mapping[str, Floats]:
        """Events of an image in a stream, each for all layers."""
        period, layers = self.timing.period, range(len(self.mapping.layers))
        found = [self._events(index, period) for index in layers]
        return {name: np.array([each[name] for each in found]) for name in LOIHI1_COSTS.events}

    def energy(self, way: str) -> float:
        """Dynamic pJ of an image at the constants of Loihi 1."""
        energies = {name: event.energy for name, event in LOIHI1_COSTS.events.items()}
        return energy_of(self.events(way), energies)

    def static_energy(self, way: str) -> float:
        """What the chips take besides while an image is computed, in pJ, at that of Loihi 1."""
        period = self.paces[way][LOIHI1].period
        return LOIHI1_COSTS.static_watts * len(self.mapping.chips) * period * 1000

    def own_energy(self, way: str) -> float | None:
        """An image in pJ, at the constants of the user; None without any."""
        return energy_of(self.events(way), self.own_energies) if self.own_energies else None

    def proxy(self, way: str) -> float:
        """Intel's proxy of an image: synaptic operations + 10 · neuron operations."""
        events = self.events(way)
        operations = events["convolution_synapse"] + events["dense_synapse"]
        return operations + PROXY_NEURON * events["neuron"]

    @property
    def program(self) -> tuple[int, int]:
        """Operations of all neuron programs for an image in a stream: the least and the most."""
        least, most = zip(*self.programs.values(), strict=True)
        return sum(least), sum(most)

    @property
    def estimates(self) -> Mapping[str, float]:
        """An image in pJ as papers estimate it: of the network without spikes, and with them."""
        operations = float(self.counts.operations.sum()) / self.images
        return {
            "without spikes": MULTIPLY_ACCUMULATE_PJ * self.multiplications,
            "with spikes": ACCUMULATE_PJ * operations,
        }

    def presentation(self) -> Presentation:
        """What each layer costs, and the pace."""
        from snnc.runtime.output.presentations import of_cost

        return of_cost(self)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc cost --json` prints."""
        return {
            "target": self.target,
            "images": self.images,
            "remarks": list(self.remarks),
            "cores": self.mapping.cores,
            "chips": len(self.mapping.chips),
            "layers": [asdict(each) for each in self.layers],
            "by_step": self._by_step(),
            **{way: self._way(way) for way in self.paces},
            "program_operations_per_image": self.program,
            "estimate": {
                "multiply_accumulates": self.multiplications,
                "pj": dict(self.estimates),
                "source": ESTIMATE_SOURCE,
            },
            "constants": {
                "loihi1": _constants(LOIHI1_COSTS),
                "loihi2_at_least": _constants(LOIHI2_COSTS),
                "loihi2_software": asdict(LOIHI2_SOFTWARE),
                "measured": asdict(PILOTNET),
                "energy_error": ENERGY_ERROR,
                "time_error": TIME_ERROR,
                "proxy": PROXY_SOURCE,
                "own": dict(self.own_energies),
            },
        }

    def _way(self, way: str) -> dict[str, Any]:
        return {
            "events_per_image": dict(self.events(way)),
            "loihi1_pj_per_image": self.energy(way),
            "loihi1_static_pj_per_image": self.static_energy(way),
            "loihi2_proxy_per_image": self.proxy(way),
            "own_pj_per_image": self.own_energy(way),
            "paces": {
                model: {**asdict(pace), "images_per_second": pace.images_per_second}
                for model, pace in self.paces[way].items()
            },
        }

    def _by_step(self) -> dict[str, list[list[float]]]:
        """Events of an image by layer and step, in the mean."""
        names = ("spikes", "messages", "operations", "words")
        return {name: (getattr(self.counts, name) / self.images).tolist() for name in names}

    def _events(self, index: int, steps: int) -> Mapping[str, float]:
        """Those of a layer, for an image; pixels take neither an update nor a spike of a neuron."""
        counts, is_input = self.counts, index == 0
        across, along = counts.hops
        sums = {
            "spike": 0.0 if is_input else counts.spikes[index].sum(),
            "message_out": counts.messages[index].sum(),
            "message_in": counts.received[index].sum(),
            "convolution_synapse": counts.convolution[index].sum(),
            "dense_synapse": counts.dense[index].sum(),
            "hop_east_west": across[index],
            "hop_north_south": along[index],
        }
        updates = 0.0 if is_input else float(self.mapping.layers[index].neurons * steps)
        return {"neuron": updates, **{n: float(v) / self.images for n, v in sums.items()}}

    def _layer(self, index: int) -> LayerCost:
        events = self._events(index, self.timing.period)
        energies = {name: event.energy for name, event in LOIHI1_COSTS.events.items()}
        firsts = self.mapping.first_cores
        return LayerCost(
            name=self.mapping.layers[index].name,
            cores=firsts[index + 1] - firsts[index],
            updates=events["neuron"],
            spikes=float(self.counts.spikes[index].sum()) / self.images,
            messages=events["message_out"],
            hops=events["hop_east_west"] + events["hop_north_south"],
            operations=events["convolution_synapse"] + events["dense_synapse"],
            words=float(self.counts.words[index].sum()) / self.images,
            energy=energy_of(events, energies) / 1000,
            program=self.programs.get(self.mapping.layers[index].name, (0, 0)),
        )


def _constants(costs: EventCosts) -> dict[str, Any]:
    """What events take, each with its source."""
    return {
        "events": {name: event._asdict() for name, event in costs.events.items()},
        "barriers": costs.barriers,
        "static_watts": costs.static_watts,
        "static_source": costs.static_source,
    }


def energy_of(events: Mapping[str, float], energies: Mapping[str, float]) -> float:
    """What events take in pJ, each at its energy."""
    return float(np.sum([number * energies[name] for name, number in events.items()]))
