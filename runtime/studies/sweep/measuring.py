"""Runs every point of a sweep on the golden model, and an engine of spikes against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from snnc.compiler.codes import Code, SweepPoint
from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import Input
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.engines import Engine, require
from snnc.runtime.engines.golden import Golden, GoldenEngine, batch_size
from snnc.runtime.engines.result import logits_of
from snnc.runtime.engines.running import Progress, batches_of, ignore
from snnc.runtime.engines.source_model import Executable
from snnc.runtime.studies.compare import run_against_golden
from snnc.runtime.studies.sweep.result import FloatModel, MeasuredPoint, Measurement, Sweep
from snnc.runtime.studies.synaptic_operations import Meter, firing_neurons

Build: TypeAlias = Callable[[int, Code], SpikingNetwork]
"""Compiles the model of an index; the network is what was read back from the file."""


def sweep(
    models: Sequence[tuple[str, Executable]],
    source: Input,
    data: Data,
    points: Sequence[SweepPoint],
    build: Build,
    engine: Engine | None = None,
    progress: Progress = ignore,
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
    """
    total = data.images * len(models) * (len(points) + 1)

    def advance(name: str, images: int, of: int) -> None:
        progress("sweep", images, total)

    found = tuple(
        FloatModel(name, _source_accuracy(each, source, data, advance)) for name, each in models
    )
    bench = _Bench(found, data, build, engine, advance)
    name = engine.name if engine else GoldenEngine.name
    return Sweep(data.images, name, found, tuple(map(bench.measured, points)))


def measure(
    network: SpikingNetwork, data: Data, engine: Engine | None = None, progress: Progress = ignore
) -> Measurement:
    """Run a network over labelled images and count what it sends.

    Raises:
        SnncError: if the engine cannot run it.
    """
    assert data.y is not None
    golden, meter = Golden(network, every_population=True), Meter(network)
    right, first = 0, 0
    for images in batches_of(data, batch_size(network)):
        levels = encode(images, network.input)
        result = golden.run(levels)
        meter.add(result.pixels, result.sent)
        decisions = logits_of(result.potential, network).argmax(1)
        right += int(np.count_nonzero(decisions == data.y[first : first + len(images)]))
        first += len(images)
        progress(GoldenEngine.name, len(images), data.images)
    timing = timing_of(network)
    return Measurement(
        right / data.images,
        meter.traffic,
        firing_neurons(network),
        timing.latency,
        timing.period,
        max(each.neuron.copies for each in network) if network.is_stock else None,
        None if engine is None else _mismatches(engine, network, data),
    )


@dataclass(frozen=True, eq=False)
class _Bench:
    """What all points of a sweep are measured with."""

    models: Sequence[FloatModel]
    data: Data
    build: Build
    engine: Engine | None
    progress: Progress

    def measured(self, point: SweepPoint) -> MeasuredPoint:
        """What a point gives; what cannot be compiled or run leaves its reasons instead."""
        found: list[Measurement] = []
        images = self.data.images
        try:
            for index in range(len(self.models)):
                network = self.build(index, point.code)
                found.append(measure(network, self.data, self.engine, self.progress))
        except SnncError as error:
            self.progress(GoldenEngine.name, images * (len(self.models) - len(found)), images)
            return MeasuredPoint(point, problems=error.problems)
        pairs = zip(self.models, found, strict=True)
        losses = tuple(100 * (model.accuracy - each.accuracy) for model, each in pairs)
        return MeasuredPoint(point, losses, tuple(found), images=images)


def _source_accuracy(model: Executable, source: Input, data: Data, progress: Progress) -> float:
    assert data.y is not None
    right = first = 0
    for images in batches_of(data):
        decisions = model.run(as_source(images, source)).argmax(1)
        right += int(np.count_nonzero(decisions == data.y[first : first + len(images)]))
        first += len(images)
        progress("source", len(images), data.images)
    return right / data.images


def _mismatches(engine: Engine, network: SpikingNetwork, data: Data) -> int:
    require(engine, network)
    return run_against_golden(engine, network, data).mismatches
