"""Runs golden over images, and counts what their spikes cause on the cores of a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from snnc.compiler.inputs import Input
from snnc.compiler.laws import Firing, Floats
from snnc.compiler.mapping.constants import LOIHI1_COSTS, LOIHI2_COSTS, LOIHI2_SOFTWARE
from snnc.compiler.mapping.mapping import CoreMapping
from snnc.compiler.mapping.routes import routes_of
from snnc.compiler.programs import programs_of
from snnc.compiler.rules.timing import Timing, timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, encode
from snnc.runtime.engines.golden import Golden, GoldenEngine, GoldenResult, batch_size
from snnc.runtime.engines.running import batches_of
from snnc.runtime.progress import Progress, ignore
from snnc.runtime.studies.cost.events import Arrivals, LayerEvents
from snnc.runtime.studies.cost.report import (
    LOIHI1,
    LOIHI2,
    SOFTWARE,
    CostReport,
    Counts,
    Pace,
)
from snnc.runtime.studies.cost.stream import StepTimes
from snnc.runtime.studies.cost.trains import spikes_in_turn
from snnc.runtime.studies.synaptic_operations import fan_out

MODELS = {LOIHI1: LOIHI1_COSTS, LOIHI2: LOIHI2_COSTS}
MOST_BATCH = 16
"""Images whose work on all cores, in all steps, is in memory at once."""


def measure_cost(
    network: SpikingNetwork,
    mapping: CoreMapping,
    data: Data,
    *,
    own_energies: Mapping[str, float] | None = None,
    progress: Progress = ignore,
) -> CostReport:
    """What a network costs for some images.

    Args:
        network: any.
        mapping: of that network.
        data: images that suit its input.
        own_energies: pJ of each event of `EventCosts`, as the user says.
        progress: called as images are done.

    Raises:
        SnncError: where golden cannot be run.
    """
    counter = Counter(network, mapping)
    golden = Golden(network, every_population=True)
    for images in batches_of(data, min(batch_size(network), MOST_BATCH)):
        counter.add(golden.run(encode(images, network.input)))
        progress(GoldenEngine.name, len(images), data.images)
    return replace(counter.report(), own_energies=own_energies or {}, remarks=data.remarks)


class Counter:
    """Adds up events, batch by batch."""

    def __init__(self, network: SpikingNetwork, mapping: CoreMapping) -> None:
        self.timing = timing_of(network)
        self._network, self._mapping, self._images = network, mapping, 0
        self._laws: Mapping[str, Firing | Input] = {
            network.input.name: network.input,
            **network.firing,
        }
        self._events = [LayerEvents(mapping, index) for index in range(len(mapping.layers))]
        places = (len(mapping.layers), self.timing.end)
        names = ("spikes", "messages", "received", "convolution", "dense", "words")
        self._sums: dict[str, Floats] = {name: np.zeros(places) for name in names}
        self._fired = {each.name: np.zeros(each.shape) for each in mapping.layers}
        self._periods = {"stream": self.timing.period, "alone": self.timing.end}
        neurons = neurons_of_cores(mapping)
        self.times = {
            (way, model): StepTimes(mapping, costs, neurons, period, self.timing.end)
            for way, period in self._periods.items()
            for model, costs in MODELS.items()
        }

    def add(self, result: GoldenResult) -> None:
        """Count a batch, of which golden knows every population."""
        sent, images = {**result.sent, self._network.input.name: result.pixels}, len(result.pixels)
        self._images += images
        for each in self.times.values():
            each.begin(images)
        for index, layer in enumerate(self._mapping.layers):
            if layer.name in self._laws:
                fire = self.timing.slots[layer.name].fire
                turn = spikes_in_turn(self._laws[layer.name], sent[layer.name])
                for step, spikes in enumerate(turn, fire):
                    self._add(index, step, spikes.reshape(images, *layer.shape))
        for each in self.times.values():
            each.end(images)

    def counts(self) -> Counts:
        """All so far."""
        routes = routes_of(self._mapping, self._fired)
        hops = self._mapping.distances(routes.senders, routes.receivers)
        layer = np.searchsorted(self._mapping.first_cores[1:], routes.senders, side="right")
        across, along = (
            np.asarray(np.bincount(layer, routes.messages * each, len(self._events)), np.float64)
            for each in hops
        )
        return Counts(**self._sums, hops=(across, along))

    def report(self) -> CostReport:
        """All so far; the streams end with it."""
        return CostReport(
            self._network.target.name,
            self._mapping,
            self.timing,
            self._images,
            self.counts(),
            self._paces(),
            _multiplications(self._network),
            _program_operations(self._network),
        )

    def _paces(self) -> Mapping[str, Mapping[str, Pace]]:
        """How fast it runs, in both ways and by all models."""
        found: dict[str, dict[str, Pace]] = {}
        for (way, model), times in self.times.items():
            pace = _pace(times.all_steps(), self._periods[way], self.timing, self._images)
            found.setdefault(way, {})[model] = pace
        step = LOIHI2_SOFTWARE.step(int(neurons_of_cores(self._mapping).max()))
        for way, period in self._periods.items():
            found[way][SOFTWARE] = Pace(period, period * step, self.timing.latency * step)
        return found

    def _add(self, index: int, step: int, spikes: Floats) -> None:
        events = self._events[index]
        sent, arrivals = events.sent(spikes), events.arrivals(spikes)
        self._fired[self._mapping.layers[index].name] += spikes.sum(axis=0)
        self._sums["spikes"][index, step] += sent[0].sum()
        self._sums["messages"][index, step] += sent[1].sum()
        for each in arrivals:
            self._arrived(each, step)
        for times in self.times.values():
            times.add(index, step, sent, arrivals)

    def _arrived(self, found: Arrivals, step: int) -> None:
        place = (found.index, step)
        self._sums["received"][place] += found.messages.sum()
        self._sums["dense" if found.is_dense else "convolution"][place] += found.operations.sum()
        self._sums["words"][place] += found.words.sum()


def neurons_of_cores(mapping: CoreMapping) -> Floats:
    """The neurons that each core updates in every step, none of the input; (cores,)."""
    sizes: list[Sequence[float]] = []
    for index, layer in enumerate(mapping.layers):
        boxes = np.array(list(mapping.slices(index)))
        extents = (boxes[..., 1] - boxes[..., 0]).prod(axis=1)
        sizes.append((layer.copies * extents * (index > 0)).tolist())
    return np.concatenate(sizes).astype(np.float64)


def _pace(steps: Floats, period: int, timing: Timing, images: int) -> Pace:
    """The ns of a period and to the logits, in the mean over the images."""
    until = np.concatenate([[0.0], np.cumsum(steps)])
    begins = period * np.arange(images)
    latency = float(np.mean(until[begins + timing.latency] - until[begins]))
    return Pace(period, float(until[period * images]) / images, latency)


def _program_operations(network: SpikingNetwork) -> Mapping[str, tuple[int, int]]:
    """What all neurons of each population do in a period: the least and the most operations."""
    found = {}
    for name, program in programs_of(network).items():
        least, most = program.operations_per_image.range
        neurons = prod(program.shape)
        found[name] = least * neurons, most * neurons
    return found


def _multiplications(network: SpikingNetwork) -> int:
    """Multiply-accumulates of the network without spikes: its synapses, each once.

    Neither relays nor the copies of neurons are part of it.
    """
    shapes = {name: node.shape for name, node in network.nodes.items()}
    return sum(
        int(fan_out(each, shapes[each.source], population).sum()) // population.neuron.copies
        for population in network
        if not population.is_relay
        for each in population.projections
    )
