"""Executable model, golden model and all engines on the same images: what is lost, and where."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from time import perf_counter
from types import MappingProxyType
from typing import Any

import numpy as np

from snnc.compiler.errors import Problem
from snnc.compiler.laws.planes import count_differences
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, encode
from snnc.runtime.engines import Engine, engines_with
from snnc.runtime.engines.golden import Golden, batch_size
from snnc.runtime.engines.result import EngineResult, Labels, logits_of
from snnc.runtime.engines.running import (
    CHUNK,
    EngineWork,
    SourceWork,
    require_all,
    run_result,
)
from snnc.runtime.engines.source_model import Executable
from snnc.runtime.parts import BATCH, Part, Share, whole
from snnc.runtime.presented import Presentation, Presented
from snnc.runtime.progress import Progress, ignore
from snnc.runtime.spread import ALONE, Runner, Spread


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
class Verified:
    """The result of an engine of spikes, and how far it differs from the golden model."""

    title: str
    """What ran, as people call it."""
    result: EngineResult
    spikes: SpikeCount

    @property
    def mismatches(self) -> int:
        """Spikes and logits that the golden model does not give."""
        return self.spikes.mismatches + self.spikes.logit_mismatches


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Presented):
    """The results of all engines, and the count of what differs between those in integers."""

    source: EngineResult
    golden: EngineResult
    engines: Mapping[str, Verified | None]
    """The engines of spikes by their names; None for one that does not know the code, or is
    missing."""
    labels: Labels | None
    code: str = "bit-serial"
    missing: Mapping[str, Problem] = MappingProxyType({})
    """What has to be installed for the engines that know the code and did not run."""
    remarks: tuple[str, ...] = ()
    """What is worth knowing of the images."""
    spread: Spread = ALONE
    """Who ran them."""

    @property
    def verified(self) -> Mapping[str, Verified]:
        """The engines that ran."""
        return {name: each for name, each in self.engines.items() if each is not None}

    @property
    def is_exact(self) -> bool:
        """Whether engines ran, and each gave every spike and every logit of the golden model."""
        return bool(self.verified) and not self.mismatches

    @property
    def mismatches(self) -> int:
        """Spikes and logits in which an engine differs from the golden model."""
        return sum(each.mismatches for each in self.verified.values())

    @property
    def spikes(self) -> SpikeCount | None:
        """Those of the first engine; a code has the same spikes on each. None if none ran."""
        return next((each.spikes for each in self.verified.values()), None)

    @property
    def quantisation_loss(self) -> float | None:
        """Points of accuracy that the integer weights cost: source minus golden.

        Of a code that is not exact what the code itself approximates is part of it.
        """
        return _points(self.source, self.golden, self.labels)

    @property
    def conversion_loss(self) -> float | None:
        """Points of accuracy between the golden model and its spikes: 0, or something is broken.

        None without labels, and if no engine of spikes ran.
        """
        first = next(iter(self.verified.values()), None)
        return None if first is None else _points(self.golden, first.result, self.labels)

    def presentation(self) -> Presentation:
        """The engines side by side."""
        from snnc.runtime.output.presentations import of_comparison

        return of_comparison(self)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc compare --json` prints."""
        return {
            "images": self.source.images,
            "remarks": list(self.remarks),
            **self.spread.as_json(),
            "source": {
                "engine": self.source.engine,
                "accuracy": self.source.accuracy(self.labels),
                "images_per_second": self.source.images_per_second,
            },
            "golden": self._against_source(self.golden),
            **{name: each and self._verified(each) for name, each in self.engines.items()},
            "missing": {name: str(each) for name, each in self.missing.items()},
            "loss_in_points": {
                "weight_quantisation": self.quantisation_loss,
                "conversion": self.conversion_loss,
            },
        }

    def _verified(self, each: Verified) -> dict[str, Any]:
        spikes = each.spikes
        return {
            "title": each.title,
            **self._against_source(each.result),
            "time_steps": spikes.time_steps,
            "spikes_compared": spikes.compared,
            "spike_mismatches": spikes.mismatches,
            "logit_mismatches": spikes.logit_mismatches,
            "spikes_per_image": spikes.fired / self.source.images,
            "mismatches_by_population": spikes.by_population,
        }

    def _against_source(self, result: EngineResult) -> dict[str, Any]:
        return {
            "accuracy": result.accuracy(self.labels),
            "agreement": result.agreement(self.source),
            "max_logit_error": result.max_logit_error(self.source),
            "images_per_second": result.images_per_second,
        }


def compare(
    model: Executable,
    network: SpikingNetwork,
    data: Data,
    runner: Runner,
    lava_model: str = "layers",
) -> Comparison:
    """Run all engines over all images; each that knows the code and is installed.

    The source model runs here, whoever runs the others: floats depend on the machine.

    Raises:
        SnncError: if a run ends early.
    """
    known = engines_with(lava_model)
    engines = {each.name: each for each in known.values() if each.sends_spikes}
    able = {name: each for name, each in engines.items() if not any(each.problems(network))}
    missing = {name: problem for name, each in able.items() if (problem := each.missing())}
    origin = runner.run_here("source", SourceWork(model, network), network, data)
    source = EngineResult(model.engine, origin.logits, origin.seconds)
    work = EngineWork(known["golden"], network)
    golden = run_result(work.engine, network, runner.run(work.engine.name, work, network, data))
    ready = able.keys() - missing.keys()
    found = {
        name: _verified(each, network, data, runner) if name in ready else None
        for name, each in engines.items()
    }
    return Comparison(
        source, golden.result, found, data.y, network.code, missing, data.remarks, runner.spread
    )


def _verified(engine: Engine, network: SpikingNetwork, data: Data, runner: Runner) -> Verified:
    part = runner.run(engine.name, GoldenWork(engine, network), network, data)
    return verified(engine, network, part)


def run_against_golden(
    engine: Engine, network: SpikingNetwork, data: Data, progress: Progress = ignore
) -> Verified:
    """An engine of spikes, each of them held against the golden model's."""
    return verified(engine, network, GoldenWork(engine, network)(whole(data), progress))


def verified(engine: Engine, network: SpikingNetwork, found: Part) -> Verified:
    """What came of all images, as the result of an engine that was held against golden."""
    result = EngineResult(engine.name, found.logits, found.seconds)
    firing = network.firing
    per_image = sum(each.size * firing[each.name].planes for each in network if each.name in firing)
    count = SpikeCount(
        timing_of(network).duration(result.images),
        per_image * result.images,
        sum(found.mismatches.values()),
        found.fired or 0,
        found.logit_mismatches,
        dict(found.mismatches),
    )
    return Verified(engine.title, result, count)


@dataclass(frozen=True, eq=False)
class GoldenWork:
    """Runs images on an engine of spikes, and holds each spike against the golden model's."""

    engine: Engine
    network: SpikingNetwork

    def __call__(self, share: Share, progress: Progress) -> Part:
        """Logits, and what differs.

        Raises:
            SnncError: where the engine cannot run the network, or ends early.
        """
        engine, network, firing = self.engine, self.network, self.network.firing
        golden = Golden(network, every_population=True)
        mismatches, fired, logit_mismatches = dict.fromkeys(firing, 0), 0, 0
        start, parts = perf_counter(), []
        levels = (encode(images, network.input) for images in share.batches(BATCH))
        chunk = min(CHUNK, batch_size(network))
        with closing(engine.stream(network, levels, chunk=chunk)) as chunks:
            for each in chunks:
                images = share.x[each.first : each.first + len(each.logits)]
                expected = golden.run(encode(images, network.input))
                dropped = share.dropped(each.first)
                if not (rest := each.without(dropped)):
                    continue
                for name, law in firing.items():
                    planes = law.bit_planes(expected.sent[name])[dropped:]
                    mismatches[name] += count_differences(planes, rest.spikes[name])
                    fired += law.spikes_in(rest.spikes[name])
                potential = expected.potential[dropped:]
                logit_mismatches += int(np.count_nonzero(potential != rest.logits))
                parts.append(logits_of(rest.logits, network))
                progress(engine.name, len(rest.logits), share.images)
        require_all(engine, parts, share)
        seconds = perf_counter() - start
        return Part(np.concatenate(parts), seconds, fired, logit_mismatches, mismatches)


def _points(before: EngineResult, after: EngineResult, labels: Labels | None) -> float | None:
    first, second = before.accuracy(labels), after.accuracy(labels)
    return None if first is None or second is None else 100 * (first - second)
