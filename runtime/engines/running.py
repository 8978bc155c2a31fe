"""Runs an engine, or a source model, over a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import prod
from time import perf_counter
from typing import Any

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
from snnc.runtime.parts import BATCH, Part, Share, whole
from snnc.runtime.progress import Progress, ignore

CHUNK = 32
"""Images between two looks at what an engine gives."""


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
    found = SourceWork(model, network)(whole(data), progress)
    return EngineResult(model.engine, found.logits, found.seconds)


def run_engine(
    engine: Engine,
    network: SpikingNetwork,
    data: Data,
    progress: Progress = ignore,
    device: str = "cpu",
) -> RunResult:
    """An engine on its own, its spikes counted if it sends any."""
    found = EngineWork(engine, network, device)(whole(data), progress)
    return run_result(engine, network, found)


def run_result(engine: Engine, network: SpikingNetwork, found: Part) -> RunResult:
    """What came of all images, as the result of an engine."""
    result = EngineResult(engine.name, found.logits, found.seconds)
    if not engine.sends_spikes:
        return RunResult(result, None, None)
    return RunResult(result, found.fired, timing_of(network).duration(result.images))


@dataclass(frozen=True, eq=False)
class SourceWork:
    """Runs images on the float model."""

    model: Executable
    network: SpikingNetwork

    def __call__(self, share: Share, progress: Progress) -> Part:
        """The logits.

        Raises:
            SnncError: where it cannot be run, or its logits are not those of the network.
        """
        start, parts, shape = perf_counter(), [], self.network.readout.shape
        for images in share.batches(BATCH):
            logits = self.model.run(as_source(images, self.network.input)).astype(np.float64)
            if logits.size != len(images) * prod(shape):
                what = f"its logits for {len(images)} images are {logits.shape}"
                mend = "compile the model again"
                raise refusal("source model", f"{what}; allowed: {shape} each", mend)
            parts.append(logits.reshape(len(images), *shape))
            progress("source", len(images), share.images)
        return Part(np.concatenate(parts), perf_counter() - start)


@dataclass(frozen=True, eq=False)
class EngineWork:
    """Runs images on an engine."""

    engine: Engine
    network: SpikingNetwork
    device: str = "cpu"

    def __call__(self, share: Share, progress: Progress) -> Part:
        """Logits, and the spikes if it sends any.

        Raises:
            SnncError: where it cannot run the network, or ends early.
        """
        engine, network, firing = self.engine, self.network, self.network.firing
        parts, fired = [], 0
        size = BATCH if engine.sends_spikes else batch_size(network)
        chunk = CHUNK if engine.sends_spikes else size
        levels = (encode(images, network.input) for images in share.batches(size))
        stream = engine.stream(network, levels, chunk=chunk, device=self.device)
        start = perf_counter()
        with closing(stream) as chunks:
            for each in chunks:
                if rest := each.without(share.dropped(each.first)):
                    parts.append(logits_of(rest.logits, network))
                    fired += sum(firing[k].spikes_in(planes) for k, planes in rest.spikes.items())
                    progress(engine.name, len(rest.logits), share.images)
        require_all(engine, parts, share)
        seconds = perf_counter() - start
        return Part(np.concatenate(parts), seconds, fired if engine.sends_spikes else None)


def require_all(engine: Engine, parts: Sequence[Floats], share: Share) -> None:
    """Refuse a run that ended before its images did: nothing is known of the others."""
    given, count = sum(map(len, parts)), share.span.count
    if given != count:
        raise failure(engine.title, f"it gave {given} of {count} images")
