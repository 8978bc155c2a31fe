"""A spiking network on Lava's CPU simulator: one continuous run over any number of images."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np

from snnc.compiler.errors import EngineError, Problem, SnncError, refusal
from snnc.compiler.inputs import Input
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.rules.timing import Timing, timing_of
from snnc.compiler.spiking import Population, SpikingNetwork
from snnc.compiler.target import LOIHI
from snnc.runtime.engines.base import Chunk, Pixels
from snnc.runtime.engines.lava.engine import LavaEngine
from snnc.runtime.engines.lava.kernels import Kernel
from snnc.runtime.engines.lava.laws import LAWS
from snnc.runtime.engines.lava.lifetime import running
from snnc.runtime.engines.lava.membrane import HIGHEST_STATE, LOWEST_STATE
from snnc.runtime.engines.lava.memory import Memory

if TYPE_CHECKING:
    from lava.magma.core.process.process import AbstractProcess


def simulate(
    network: SpikingNetwork, batches: Iterable[Pixels], *, chunk: int = 32
) -> Generator[Chunk, None, None]:
    """Stream images through the network and yield their results, each image once and in order.

    The pipeline is never drained before the last image, and memory holds one chunk and the images
    in flight, however many images there are. Close the iterator to end the simulation early.

    Args:
        network: as read from its file.
        batches: arrays (images, *input shape) of input levels 0 … N.
        chunk: images between two looks at the results.

    Raises:
        SnncError: Lava is missing, the network is not legal, an image is out of range, a state
            overflowed or a process died.
    """
    if missing := LavaEngine().missing():
        raise SnncError(missing)
    require_legal(network)
    timing = timing_of(network)
    memory = Memory.of(network, chunk + -(-timing.end // timing.period))
    with running(_assemble(network, timing, memory)) as run:
        now = taken = 0
        for moment in _feed(network.input, batches, chunk, timing, memory):
            run.advance(moment - now)
            _check_states(memory)
            shown = max(0, (moment - timing.end) // timing.period + 1)
            if shown > taken:
                yield memory.take(taken, shown)
            now, taken = moment, shown


def _feed(
    node: Input,
    batches: Iterable[Pixels],
    chunk: int,
    timing: Timing,
    memory: Memory,
) -> Iterator[int]:
    """Put a chunk of images into memory; yield the time step up to which they last."""
    images = chain.from_iterable(batches)
    while group := list(islice(images, chunk)):
        memory.give(_checked(node, np.stack(group)))
        yield int(memory.sent[0]) * timing.period
    if memory.sent[0]:
        yield timing.duration(int(memory.sent[0]))


def _checked(node: Input, images: Pixels) -> Pixels:
    if images.shape[1:] != node.shape:
        raise refusal(
            node.name,
            f"images of shape {images.shape[1:]}, the network takes {node.shape}",
            "give images of the shape that the model was trained on",
        )
    if images.min() < 0 or images.max() > node.levels:
        raise refusal(
            node.name,
            f"levels {images.min()}..{images.max()}, allowed are 0..{node.levels}",
            f"encode pixels of {node.low:g}..{node.high:g}",
        )
    return images


def _check_states(memory: Memory) -> None:
    problems = [
        Problem(
            name,
            f"{count[0]} values left the signed {LOIHI.state_bits} bits of its states, "
            f"{LOWEST_STATE}..{HIGHEST_STATE}",
            "compile with fewer `weight_bits`",
        )
        for name, count in memory.overflows.items()
        if count[0]
    ]
    if problems:
        raise EngineError(*problems)


def _assemble(network: SpikingNetwork, timing: Timing, memory: Memory) -> AbstractProcess:
    """Connect Lava Processes as the populations are connected; the source leads to them all."""
    from snnc.runtime.engines.lava.processes.source import ImageSource
    from snnc.runtime.engines.lava.processes.synapse import Synapse

    nodes = network.nodes
    source = ImageSource(node=network.input, period=timing.period, memory=memory)
    spikes = {network.input.name: source.s_out}
    for population in network:
        neurons = _neurons(population, timing, memory)
        for each in population.projections:
            kernel = Kernel(each, nodes[each.source].shape, population.shape)
            sent = spikes[each.source]
            synapse = Synapse(kernel=kernel, source_shape=sent.shape, shape=population.shape)
            sent.connect(synapse.s_in)
            synapse.a_out.connect(neurons.a_in)
        spikes[population.name] = neurons.s_out
    return source


def _neurons(population: Population, timing: Timing, memory: Memory) -> AbstractProcess:
    from snnc.runtime.engines.lava.processes import neuron as processes

    row = LAWS[type(population.neuron)]
    law = row.simulates(population, timing.slots[population.name], timing.period)
    kinds = {
        "spikes": processes.SpikeProcess,
        "payloads": processes.PayloadProcess,
        "potentials": processes.PotentialProcess,
    }
    return kinds[row.sends](law=law, population=population, memory=memory)
