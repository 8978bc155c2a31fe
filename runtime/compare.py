"""Source model, golden model and Lava on the same images: where anything is lost, and how much."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol, TypeAlias

import numpy as np

from snnc.compiler.neurons import Firing, Readout
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.timing import timing_of
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.golden import Golden, batch_size
from snnc.runtime.lava.memory import Chunk, Levels
from snnc.runtime.lava.simulator import require_lava, simulate
from snnc.runtime.outcome import Labels, Outcome, logits_of
from snnc.runtime.slayer.engine import require_slayer, run_slayer
from snnc.runtime.source import Source
from snnc.runtime.spikes import count_differences, planes_of, spikes_in

BATCH = 64
CHUNK = 32
"""Images between two looks at what an engine gives."""
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with an engine's name, the images it has just finished and those it was given."""


@dataclass(frozen=True)
class SpikeCount:
    """Spike trains of an engine held against the golden model's, over all images."""

    time_steps: int
    """Time steps that a simulation of the stream runs."""
    compared: int
    """Neurons times time steps in which a spike could have differed."""
    mismatches: int
    fired: int
    """Spikes that the engine sent."""
    logit_mismatches: int
    by_population: dict[str, int]
    """Mismatches of each firing population."""


@dataclass(frozen=True, eq=False)
class Counted:
    """The outcome of an engine of spikes, and how far it differs from the golden model."""

    outcome: Outcome
    spikes: SpikeCount

    @property
    def mismatches(self) -> int:
        """Spikes and logits that the golden model does not give."""
        return self.spikes.mismatches + self.spikes.logit_mismatches


@dataclass(frozen=True, eq=False)
class Comparison:
    """The outcomes of all engines, and the count of what differs between those in integers."""

    source: Outcome
    golden: Outcome
    lava: Outcome
    spikes: SpikeCount
    labels: Labels | None
    slayer: Counted | None = None
    """Lava-DL's own blocks in PyTorch; None for codes that they do not know."""
    code: str = "bit-serial"

    @property
    def is_exact(self) -> bool:
        """Whether Lava, and slayer, gave every spike and every logit of the golden model."""
        return not self.mismatches

    @property
    def counted(self) -> tuple[Counted, ...]:
        """The engines that send spikes: Lava, and slayer where it knows the code."""
        lava = Counted(self.lava, self.spikes)
        return (lava, self.slayer) if self.slayer else (lava,)

    @property
    def mismatches(self) -> int:
        """Spikes and logits in which an engine differs from the golden model."""
        return sum(each.mismatches for each in self.counted)

    @property
    def quantisation_loss(self) -> float | None:
        """Points of accuracy that the integer weights cost: source minus golden.

        Of a rate code what the code itself approximates is part of it.
        """
        return _points(self.source, self.golden, self.labels)

    @property
    def conversion_loss(self) -> float | None:
        """Points of accuracy between the golden model and its spikes: 0, or something is broken."""
        return _points(self.golden, self.lava, self.labels)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc compare --json` prints."""
        return {
            "images": self.source.images,
            "source": {
                "engine": self.source.engine,
                "accuracy": self.source.accuracy(self.labels),
                "images_per_second": self.source.images_per_second,
            },
            "golden": self._against_source(self.golden),
            "lava": self._counted(self.counted[0]),
            "slayer": self._counted(self.slayer) if self.slayer else None,
            "loss_in_points": {
                "weight_quantisation": self.quantisation_loss,
                "conversion": self.conversion_loss,
            },
        }

    def _counted(self, result: Counted) -> dict[str, Any]:
        spikes = result.spikes
        return {
            **self._against_source(result.outcome),
            "time_steps": spikes.time_steps,
            "spikes_compared": spikes.compared,
            "spike_mismatches": spikes.mismatches,
            "logit_mismatches": spikes.logit_mismatches,
            "spikes_per_image": spikes.fired / self.source.images,
            "mismatches_by_population": spikes.by_population,
        }

    def _against_source(self, outcome: Outcome) -> dict[str, Any]:
        return {
            "accuracy": outcome.accuracy(self.labels),
            "agreement": outcome.agreement(self.source),
            "max_logit_error": outcome.max_logit_error(self.source),
            "images_per_second": outcome.images_per_second,
        }


class Simulator(Protocol):
    """Streams images through a network, spike by spike; yields so many at a time."""

    def __call__(
        self, network: SpikingNetwork, batches: Iterable[Levels], *, chunk: int
    ) -> Generator[Chunk, None, None]:
        """The results, each image once and in order."""
        ...


def quiet(engine: str, images: int, total: int) -> None:
    """Nobody looks on."""


def compare(
    model: Source, network: SpikingNetwork, data: Data, progress: Progress = quiet
) -> Comparison:
    """Run all engines over all images; slayer where it knows the code.

    Raises:
        SnncError: if Lava is not installed, or a simulation ends early.
    """
    require_lava()
    source = run_source(model, network, data, progress)
    golden = run_golden(network, data, progress)
    lava = run_against_golden("lava", simulate, network, data, progress)
    slayer = None
    if network.provenance.code == "bit-serial":
        require_slayer()
        slayer = run_against_golden("slayer", run_slayer, network, data, progress)
    return Comparison(
        source, golden, lava.outcome, lava.spikes, data.y, slayer, network.provenance.code
    )


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
    for images in batches_of(data, batch_size(network)):
        parts.append(logits_of(golden.run(encode(images, network.input)).potential, network))
        progress("golden", len(images), data.images)
    return Outcome("golden", np.concatenate(parts), perf_counter() - start)


def run_spikes(
    engine: str,
    simulator: Simulator,
    network: SpikingNetwork,
    data: Data,
    progress: Progress = quiet,
) -> tuple[Outcome, int]:
    """An engine of spikes on its own; also the number of spikes that were sent."""
    firing = _firing(network)
    start, parts, fired = perf_counter(), [], 0
    levels = (encode(images, network.input) for images in batches_of(data))
    with closing(simulator(network, levels, chunk=CHUNK)) as chunks:
        for chunk in chunks:
            parts.append(logits_of(chunk.logits, network))
            fired += sum(spikes_in(firing[name], each) for name, each in chunk.spikes.items())
            progress(engine, len(chunk.logits), data.images)
    return Outcome(engine, np.concatenate(parts), perf_counter() - start), fired


def run_against_golden(
    engine: str,
    simulator: Simulator,
    network: SpikingNetwork,
    data: Data,
    progress: Progress = quiet,
) -> Counted:
    """An engine of spikes, each of them held against the golden model's."""
    golden = Golden(network, every_population=True)
    firing = _firing(network)
    mismatches = dict.fromkeys(firing, 0)
    fired = logit_mismatches = 0
    start, parts = perf_counter(), []
    levels = (encode(images, network.input) for images in batches_of(data))
    with closing(simulator(network, levels, chunk=min(CHUNK, batch_size(network)))) as chunks:
        for chunk in chunks:
            images = data.x[chunk.first : chunk.first + len(chunk.logits)]
            expected = golden.run(encode(images, network.input))
            for name, neuron in firing.items():
                planes = planes_of(neuron, expected.sent[name])
                mismatches[name] += count_differences(planes, chunk.spikes[name])
                fired += spikes_in(neuron, chunk.spikes[name])
            logit_mismatches += int(np.count_nonzero(expected.potential != chunk.logits))
            parts.append(logits_of(chunk.logits, network))
            progress(engine, len(images), data.images)
    outcome = Outcome(engine, np.concatenate(parts), perf_counter() - start)
    per_image = sum(p.size * firing[p.name].planes for p in network if p.name in firing)
    steps = timing_of(network).duration(data.images)
    total = sum(mismatches.values())
    compared = per_image * data.images
    return Counted(outcome, SpikeCount(steps, compared, total, fired, logit_mismatches, mismatches))


def _firing(network: SpikingNetwork) -> dict[str, Firing]:
    return {each.name: each.neuron for each in network if not isinstance(each.neuron, Readout)}


def _points(before: Outcome, after: Outcome, labels: Labels | None) -> float | None:
    first, second = before.accuracy(labels), after.accuracy(labels)
    return None if first is None or second is None else 100 * (first - second)
