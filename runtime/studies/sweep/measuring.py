"""Runs every point of a sweep on the golden model, and an engine of spikes against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from snnc.compiler.codes import Code, SweepPoint
from snnc.compiler.errors import EngineError, Problem, SnncError
from snnc.compiler.inputs import Input
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.engines import Engine, require
from snnc.runtime.engines.golden import Golden, GoldenEngine, batch_size
from snnc.runtime.engines.result import decisions_of, logits_of
from snnc.runtime.engines.running import Progress, batches_of, ignore
from snnc.runtime.engines.source_model import Executable
from snnc.runtime.studies.compare import run_against_golden
from snnc.runtime.studies.sweep.result import FloatModel, MeasuredPoint, Measurement, Sweep
from snnc.runtime.studies.synaptic_operations import Meter, firing_neurons

Build: TypeAlias = Callable[[int, Code], SpikingNetwork]
"""Compiles the model of an index."""
Store: TypeAlias = Callable[[SpikingNetwork], SpikingNetwork]


def sweep(
    models: Sequence[tuple[str, Executable]],
    source: Input,
    data: Data,
    points: Sequence[SweepPoint],
    build: Build,
    engine: Engine | None = None,
    progress: Progress = ignore,
    stored: Store = lambda network: network,
) -> Sweep:
    """Measure every point on every model.

    Args:
        models: the names and the source models.
        source: the input that suits them all.
        data: images that suit it, with labels.
        points: see `points_of`.
        build: compiles a model.
        engine: run in every point besides, to count what differs from golden.
        progress: called as images are done, those of the source models too.
        stored: writes a network and reads it back; what is measured is the file.

    Raises:
        SnncError: where a source model, or what was compiled, cannot be run.
    """
    total = data.images * len(models) * (len(points) + 1)

    def advance(name: str, images: int, of: int) -> None:
        progress("sweep", images, total)

    found = tuple(
        FloatModel(name, _source_accuracy(each, source, data, advance)) for name, each in models
    )
    bench = _Bench(found, data, build, stored, engine, advance)
    name = engine.name if engine else GoldenEngine.name
    return Sweep(data.images, name, found, tuple(map(bench.measured, points)), data.remarks)


def measure(
    network: SpikingNetwork, data: Data, engine: Engine | None = None, progress: Progress = ignore
) -> Measurement:
    """Run a network over labelled images and count what it sends.

    Raises:
        SnncError: if the engine is not installed, or fails.
    """
    assert data.y is not None
    golden, meter = Golden(network, every_population=True), Meter(network)
    right, first = 0, 0
    for images in batches_of(data, batch_size(network)):
        levels = encode(images, network.input)
        result = golden.run(levels)
        meter.add(result.pixels, result.sent)
        logits = logits_of(result.potential, network)
        decisions = decisions_of(logits.reshape(len(images), -1))
        right += int(np.count_nonzero(decisions == data.y[first : first + len(images)]))
        first += len(images)
        progress(GoldenEngine.name, len(images), data.images)
    timing = timing_of(network)
    mismatches, unchecked = (None, ()) if engine is None else _held(engine, network, data)
    return Measurement(
        right / data.images,
        meter.traffic,
        firing_neurons(network),
        timing.latency,
        timing.period,
        max(each.neuron.copies for each in network) if network.is_stock else None,
        mismatches,
        unchecked,
    )


@dataclass(frozen=True, eq=False)
class _Bench:
    """What all points of a sweep are measured with."""

    models: Sequence[FloatModel]
    data: Data
    build: Build
    stored: Store
    engine: Engine | None
    progress: Progress

    def measured(self, point: SweepPoint) -> MeasuredPoint:
        """What a point gives; what cannot be compiled leaves its reasons instead.

        Raises:
            SnncError: where what was compiled cannot be stored or run.
        """
        found: list[Measurement] = []
        images = self.data.images
        for index in range(len(self.models)):
            try:
                compiled = self.build(index, point.code)
            except EngineError:
                raise
            except SnncError as error:
                self.progress(GoldenEngine.name, images * (len(self.models) - len(found)), images)
                return MeasuredPoint(point, problems=error.problems)
            network = self.stored(compiled)
            found.append(measure(network, self.data, self.engine, self.progress))
        pairs = zip(self.models, found, strict=True)
        losses = tuple(100 * (model.accuracy - each.accuracy) for model, each in pairs)
        return MeasuredPoint(point, losses, tuple(found), images=images)


def _source_accuracy(model: Executable, source: Input, data: Data, progress: Progress) -> float:
    assert data.y is not None
    right = first = 0
    for images in batches_of(data):
        decisions = decisions_of(model.run(as_source(images, source)).reshape(len(images), -1))
        right += int(np.count_nonzero(decisions == data.y[first : first + len(images)]))
        first += len(images)
        progress("source", len(images), data.images)
    return right / data.images


def _held(
    engine: Engine, network: SpikingNetwork, data: Data
) -> tuple[int | None, tuple[Problem, ...]]:
    """What differs from golden; or nothing, and why the engine cannot run the network."""
    require(engine)
    if problems := tuple(engine.problems(network)):
        return None, problems
    return run_against_golden(engine, network, data).mismatches, ()
