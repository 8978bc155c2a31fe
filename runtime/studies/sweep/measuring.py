"""Runs every point of a sweep on the golden model, and an engine of spikes against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from snnc.compiler.codes import Code, SweepPoint
from snnc.compiler.errors import EngineError, Problem, SnncError
from snnc.compiler.inputs import Input
from snnc.compiler.mapping.mapper import map_network
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.engines import Engine, require
from snnc.runtime.engines.golden import Golden, GoldenEngine, batch_size
from snnc.runtime.engines.result import decisions_of, logits_of
from snnc.runtime.engines.running import batches_of
from snnc.runtime.engines.source_model import Executable
from snnc.runtime.progress import Progress, ignore
from snnc.runtime.spread import Runner
from snnc.runtime.studies.compare import run_against_golden
from snnc.runtime.studies.cost import MOST_BATCH, CostReport, Counter
from snnc.runtime.studies.cost.report import LOIHI1
from snnc.runtime.studies.sweep.result import (
    Deployment,
    FloatModel,
    MeasuredPoint,
    Measurement,
    Sweep,
)
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
    runner: Runner,
    engine: Engine | None = None,
    stored: Store = lambda network: network,
    on_cores: bool = False,
) -> Sweep:
    """Measure every point on every model.

    Args:
        models: the names and the source models.
        source: the input that suits them all.
        data: images that suit it, with labels.
        points: see `points_of`.
        build: compiles a model.
        runner: measures the points, one by one or at the same time; they are compiled here.
        engine: run in every point besides, to count what differs from golden.
        stored: writes a network and reads it back; what is measured is the file.
        on_cores: whether to place each network on cores, and to count what it costs there.

    Raises:
        SnncError: where a source model, or what was compiled, cannot be run.
    """
    total = data.images * len(models) * (len(points) + 1)

    def advance(name: str, images: int, of: int) -> None:
        runner.progress("sweep", images, total)

    found = tuple(
        FloatModel(name, _source_accuracy(each, source, data, advance)) for name, each in models
    )
    bench = _Bench(found, data, engine, on_cores)

    def failed() -> None:
        advance(GoldenEngine.name, data.images * len(models), data.images)

    measured: dict[int, MeasuredPoint] = {}
    tasks = _Points(points, len(models), build, stored, failed).compiled(measured)
    measured.update(each for _, each in runner.place.results(bench, tasks, advance))
    name = engine.name if engine else GoldenEngine.name
    ordered = tuple(measured[number] for number in range(len(points)))
    return Sweep(data.images, name, found, ordered, data.remarks, spread=runner.spread)


def measure(
    network: SpikingNetwork,
    data: Data,
    engine: Engine | None = None,
    progress: Progress = ignore,
    *,
    on_cores: bool = False,
) -> Measurement:
    """Run a network over labelled images and count what it sends, and on cores what it costs.

    Raises:
        SnncError: if the engine is not installed, or fails.
    """
    assert data.y is not None
    golden, meter = Golden(network, every_population=True), Meter(network)
    counter, unplaced = _counter(network) if on_cores else (None, ())
    right, first = 0, 0
    size = min(batch_size(network), MOST_BATCH) if counter else batch_size(network)
    for images in batches_of(data, size):
        result = golden.run(encode(images, network.input))
        meter.add(result.pixels, result.sent)
        if counter:
            counter.add(result)
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
        _deployment(counter.report()) if counter else None,
        unplaced,
    )


def _counter(network: SpikingNetwork) -> tuple[Counter | None, tuple[Problem, ...]]:
    """What counts on cores; or nothing, and why the network does not fit on any."""
    try:
        return Counter(network, map_network(network)), ()
    except SnncError as error:
        return None, error.problems


def _deployment(report: CostReport) -> Deployment:
    stream, alone = (report.paces[way][LOIHI1] for way in ("stream", "alone"))
    return Deployment(
        report.mapping.cores,
        report.energy("stream") / 1e6,
        report.proxy("stream"),
        alone.latency / 1000,
        stream.period / 1000,
    )


@dataclass(frozen=True, eq=False)
class _Points:
    """The points of a sweep, compiled one by one."""

    points: Sequence[SweepPoint]
    models: int
    build: Build
    stored: Store
    failed: Callable[[], None]
    """Called for a point that cannot be compiled."""

    def compiled(self, found: dict[int, MeasuredPoint]) -> Iterator[_Point]:
        """Those that can be compiled; the others are found, with their reasons.

        Raises:
            SnncError: where what was compiled cannot be stored.
        """
        for number, point in enumerate(self.points):
            try:
                networks = [self.build(index, point.code) for index in range(self.models)]
            except EngineError:
                raise
            except SnncError as error:
                self.failed()
                found[number] = MeasuredPoint(point, problems=error.problems)
            else:
                yield _Point(number, point, tuple(map(self.stored, networks)))


@dataclass(frozen=True, eq=False)
class _Point:
    """A point that is to be measured."""

    number: int
    point: SweepPoint
    networks: tuple[SpikingNetwork, ...]
    """Of each model."""


@dataclass(frozen=True, eq=False)
class _Bench:
    """What all points of a sweep are measured with."""

    models: Sequence[FloatModel]
    data: Data
    engine: Engine | None
    on_cores: bool

    def is_here(self) -> bool:
        """Whether the file of the images, if they have one, is there as it was."""
        return self.data.is_here()

    def carried(self) -> _Bench:
        """The same with all images in memory."""
        return replace(self, data=self.data.carried())

    def __call__(self, task: _Point, progress: Progress) -> tuple[int, MeasuredPoint]:
        """The number of a point, and what it gives.

        Raises:
            SnncError: where what was compiled cannot be run.
        """
        found = tuple(
            measure(each, self.data, self.engine, progress, on_cores=self.on_cores)
            for each in task.networks
        )
        pairs = zip(self.models, found, strict=True)
        losses = tuple(100 * (model.accuracy - each.accuracy) for model, each in pairs)
        return task.number, MeasuredPoint(task.point, losses, found, images=self.data.images)


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
