"""Source model, golden model and Lava on the same images: where anything is lost, and how much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np

from snnc.compiler.neurons import Firing, Readout
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.timing import timing_of
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.golden import Golden
from snnc.runtime.lava.simulator import require_lava, simulate
from snnc.runtime.outcome import Labels, Outcome, logits_of
from snnc.runtime.source import Source
from snnc.runtime.spikes import count_differences, planes_of, spikes_in

BATCH = 64
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with an engine's name, the images it has just finished and those it was given."""


@dataclass(frozen=True)
class SpikeCount:
    """Spike trains of Lava held against the golden model's, over all images."""

    time_steps: int
    """Time steps that the simulation ran."""
    compared: int
    """Neurons times time steps in which a spike could have differed."""
    mismatches: int
    fired: int
    """Spikes that Lava sent."""
    logit_mismatches: int
    by_population: dict[str, int]
    """Mismatches of each firing population."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """The three outcomes, and the count of what differs between the two integer ones."""

    source: Outcome
    golden: Outcome
    lava: Outcome
    spikes: SpikeCount
    labels: Labels | None

    @property
    def is_exact(self) -> bool:
        """Whether Lava gave every spike and every logit of the golden model."""
        return not self.spikes.mismatches and not self.spikes.logit_mismatches

    @property
    def quantisation_loss(self) -> float | None:
        """Points of accuracy that the integer weights cost: source minus golden."""
        return _points(self.source, self.golden, self.labels)

    @property
    def conversion_loss(self) -> float | None:
        """Points of accuracy between the golden model and its spikes: 0, or something is broken."""
        return _points(self.golden, self.lava, self.labels)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc compare --json` prints."""
        lava = {
            "time_steps": self.spikes.time_steps,
            "spikes_compared": self.spikes.compared,
            "spike_mismatches": self.spikes.mismatches,
            "logit_mismatches": self.spikes.logit_mismatches,
            "spikes_per_image": self.spikes.fired / self.source.images,
            "mismatches_by_population": self.spikes.by_population,
        }
        return {
            "images": self.source.images,
            "source": {
                "engine": self.source.engine,
                "accuracy": self.source.accuracy(self.labels),
                "images_per_second": self.source.images_per_second,
            },
            "golden": self._against_source(self.golden),
            "lava": {**self._against_source(self.lava), **lava},
            "loss_in_points": {
                "weight_quantisation": self.quantisation_loss,
                "conversion": self.conversion_loss,
            },
        }

    def _against_source(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "accuracy": outcome.accuracy(self.labels),
            "agreement": outcome.agreement(self.source),
            "max_logit_error": outcome.max_logit_error(self.source),
            "images_per_second": outcome.images_per_second,
        }


def quiet(engine: str, images: int, total: int) -> None:
    """Nobody looks on."""


def compare(
    model: Source, network: SpikingNetwork, data: Data, progress: Progress = quiet
) -> Comparison:
    """Run all three engines over all images.

    Raises:
        SnncError: if Lava is not installed, or a simulation ends early.
    """
    require_lava()
    source = run_source(model, network, data, progress)
    golden = run_golden(network, data, progress)
    lava, spikes = _run_lava_against_golden(network, data, progress)
    return Comparison(source, golden, lava, spikes, data.y)


def batches_of(data: Data, size: int = BATCH) -> Iterator[Any]:
    """The images of a data set, size of them at a time."""
    return (data.x[i : i + size] for i in range(0, data.images, size))


def run_source(
    model: Source, network: SpikingNetwork, data: Data, progress: Progress = quiet
) -> Outcome:
    """The float model, given the images as it was trained on them."""
    start, parts = perf_counter(), []
    for images in batches_of(data):
        parts.append(model.run(as_source(images, network.input)).astype(np.float64))
        progress("source", len(images), data.images)
    return Outcome(model.engine, np.concatenate(parts), perf_counter() - start)


def run_golden(network: SpikingNetwork, data: Data, progress: Progress = quiet) -> Outcome:
    """The integer network, batch by batch."""
    golden = Golden(network)
    start, parts = perf_counter(), []
    for images in batches_of(data):
        parts.append(logits_of(golden.run(encode(images, network.input)).potential, network))
        progress("golden", len(images), data.images)
    return Outcome("golden", np.concatenate(parts), perf_counter() - start)


def run_lava(
    network: SpikingNetwork, data: Data, progress: Progress = quiet
) -> tuple[Outcome, int]:
    """The Lava simulator, one continuous stream; also the number of spikes that were sent."""
    firing = _firing(network)
    start, parts, fired = perf_counter(), [], 0
    levels = (encode(images, network.input) for images in batches_of(data))
    with closing(simulate(network, levels)) as chunks:
        for chunk in chunks:
            parts.append(logits_of(chunk.logits, network))
            fired += sum(spikes_in(firing[name], each) for name, each in chunk.spikes.items())
            progress("lava", len(chunk.logits), data.images)
    return Outcome("lava", np.concatenate(parts), perf_counter() - start), fired


def _run_lava_against_golden(
    network: SpikingNetwork, data: Data, progress: Progress
) -> tuple[Outcome, SpikeCount]:
    golden = Golden(network, every_population=True)
    firing = _firing(network)
    mismatches = dict.fromkeys(firing, 0)
    fired = logit_mismatches = 0
    start, parts = perf_counter(), []
    levels = (encode(images, network.input) for images in batches_of(data))
    with closing(simulate(network, levels)) as chunks:
        for chunk in chunks:
            images = data.x[chunk.first : chunk.first + len(chunk.logits)]
            expected = golden.run(encode(images, network.input))
            for name, neuron in firing.items():
                planes = planes_of(neuron, expected.sent[name])
                mismatches[name] += count_differences(planes, chunk.spikes[name])
                fired += spikes_in(neuron, chunk.spikes[name])
            logit_mismatches += int(np.count_nonzero(expected.potential != chunk.logits))
            parts.append(logits_of(chunk.logits, network))
            progress("lava", len(images), data.images)
    outcome = Outcome("lava", np.concatenate(parts), perf_counter() - start)
    per_image = sum(p.size * firing[p.name].planes for p in network if p.name in firing)
    steps = timing_of(network).duration(data.images)
    total = sum(mismatches.values())
    compared = per_image * data.images
    return outcome, SpikeCount(steps, compared, total, fired, logit_mismatches, mismatches)


def _firing(network: SpikingNetwork) -> dict[str, Firing]:
    return {each.name: each.neuron for each in network if not isinstance(each.neuron, Readout)}


def _points(before: Outcome, after: Outcome, labels: Labels | None) -> float | None:
    first, second = before.accuracy(labels), after.accuracy(labels)
    return None if first is None or second is None else 100 * (first - second)
