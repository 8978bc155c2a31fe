"""Runs an engine, or a source model, over a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import prod
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np

from snnc.compiler.errors import failure, refusal
from snnc.compiler.laws import Floats
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, as_source, encode
from snnc.runtime.engines.base import Engine
from snnc.runtime.engines.golden import batch_size
from snnc.runtime.engines.result import EngineResult, logits_of
from snnc.runtime.engines.source_model import Executable

BATCH = 64
CHUNK = 32
"""Images between two looks at what an engine gives."""
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with an engine's name, the images it has just finished and those it was given."""


def ignore(name: str, done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, eq=False)
class RunResult:
    """The result of one engine on its own."""

    result: EngineResult
    spikes: int | None
    """Those that were sent; None of an engine that computes numbers alone."""
    time_steps: int | None
    """Those that a simulation of the stream runs; None likewise."""


def batches_of(data: Data, size: int = BATCH) -> Iterator[Any]:
    """The images of a data set, size of them at a time."""
    return (data.x[i : i + size] for i in range(0, data.images, size))


def run_source(
    model: Executable, network: SpikingNetwork, data: Data, progress: Progress = ignore
) -> EngineResult:
    """The float model, given the images as it was trained on them.

    Raises:
        SnncError: where it cannot be run, or its logits are not those of the network.
    """
    start, parts, shape = perf_counter(), [], network.readout.shape
    for images in batches_of(data):
        logits = model.run(as_source(images, network.input)).astype(np.float64)
        if logits.size != len(images) * prod(shape):
            what = f"its logits for {len(images)} images are {logits.shape}; allowed: {shape} each"
            raise refusal("source model", what, "compile the model again")
        parts.append(logits.reshape(len(images), *shape))
        progress("source", len(images), data.images)
    return EngineResult(model.engine, np.concatenate(parts), perf_counter() - start)


def run_engine(
    engine: Engine,
    network: SpikingNetwork,
    data: Data,
    progress: Progress = ignore,
    device: str = "cpu",
) -> RunResult:
    """An engine on its own, its spikes counted if it sends any."""
    firing = network.firing
    parts, fired = [], 0
    size = BATCH if engine.sends_spikes else batch_size(network)
    chunk = CHUNK if engine.sends_spikes else size
    levels = (encode(images, network.input) for images in batches_of(data, size))
    stream = engine.stream(network, levels, chunk=chunk, device=device)
    start = perf_counter()
    with closing(stream) as chunks:
        for each in chunks:
            parts.append(logits_of(each.logits, network))
            fired += sum(firing[name].spikes_in(planes) for name, planes in each.spikes.items())
            progress(engine.name, len(each.logits), data.images)
    require_all(engine, parts, data)
    result = EngineResult(engine.name, np.concatenate(parts), perf_counter() - start)
    if not engine.sends_spikes:
        return RunResult(result, None, None)
    return RunResult(result, fired, timing_of(network).duration(data.images))


def require_all(engine: Engine, parts: Sequence[Floats], data: Data) -> None:
    """Refuse a run that ended before its images did: nothing is known of the others."""
    given = sum(map(len, parts))
    if given != data.images:
        raise failure(engine.title, f"it gave {given} of {data.images} images")
