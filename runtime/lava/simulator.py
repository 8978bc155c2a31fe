"""A spiking network on Lava's CPU simulator: one continuous run over any number of images."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator, Mapping
from importlib.util import find_spec
from itertools import chain, islice
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from snnc.compiler.errors import Problem, SnncError, refusal
from snnc.compiler.legality import verify
from snnc.compiler.neurons import BitSerial, Graded, Neuron, OffsetSpike, Rate, Readout, Thermometer
from snnc.compiler.spiking import Input, Population, SpikingNetwork
from snnc.compiler.target import find_target
from snnc.compiler.timing import Timing, timing_of
from snnc.runtime.lava.kernels import Kernel
from snnc.runtime.lava.lifetime import running
from snnc.runtime.lava.memory import Chunk, Levels, Memory
from snnc.runtime.lava.neuron_law import (
    HIGHEST_STATE,
    LOWEST_STATE,
    STATE_BITS,
    BitSerialNeurons,
    Copies,
    GradedNeurons,
    Membrane,
    ReadoutNeurons,
)
from snnc.runtime.lava.rate_law import OffsetSpikeNeurons, RateNeurons

if TYPE_CHECKING:
    from lava.magma.core.process.process import AbstractProcess

LAWS: Mapping[type[Neuron], type[Membrane]] = MappingProxyType(
    {
        BitSerial: BitSerialNeurons,
        Graded: GradedNeurons,
        Rate: RateNeurons,
        OffsetSpike: OffsetSpikeNeurons,
        Thermometer: Copies,
        Readout: ReadoutNeurons,
    }
)
"""What simulates each neuron."""


def require_lava() -> None:
    """Make sure that the simulator can be imported.

    Raises:
        SnncError: Lava is not installed.
    """
    if find_spec("lava") is None:
        raise refusal(
            "Lava",
            f"the simulator is not installed; it needs Python 3.10 and this is "
            f"{sys.version_info.major}.{sys.version_info.minor}",
            "with Python 3.10: pip install 'snnc[lava]'; the golden engine needs no Lava",
        )


def simulate(
    network: SpikingNetwork, batches: Iterable[Levels], *, chunk: int = 32
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
    require_lava()
    verify(network, find_target(network.provenance.target))
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
    batches: Iterable[Levels],
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


def _checked(node: Input, images: Levels) -> Levels:
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
            f"{count[0]} values left the signed {STATE_BITS} bits of its states, "
            f"{LOWEST_STATE}..{HIGHEST_STATE}",
            "compile with fewer weight bits",
        )
        for name, count in memory.overflows.items()
        if count[0]
    ]
    if problems:
        raise SnncError(*problems)


def _assemble(network: SpikingNetwork, timing: Timing, memory: Memory) -> AbstractProcess:
    """Connect Lava Processes as the populations are connected; the source leads to them all."""
    from snnc.runtime.lava.processes.source import ImageSource
    from snnc.runtime.lava.processes.synapse import Synapse

    nodes = network.nodes
    source = ImageSource(node=network.input, period=timing.period, memory=memory)
    spikes = {network.input.name: source.s_out}
    for population in network:
        neurons = _neurons(population, timing, memory)
        for each in population.projections:
            node = nodes[each.source]
            kernel = Kernel(each, node.shape, population.shape)
            synapse = Synapse(kernel=kernel, source_shape=_sent(node), shape=population.shape)
            spikes[each.source].connect(synapse.s_in)
            synapse.a_out.connect(neurons.a_in)
        spikes[population.name] = neurons.s_out
    return source


def _neurons(population: Population, timing: Timing, memory: Memory) -> AbstractProcess:
    from snnc.runtime.lava.processes import neuron as processes

    law = LAWS[type(population.neuron)](population, timing.slots[population.name], timing.period)
    process = processes.SpikingNeurons
    if isinstance(population.neuron, Graded):
        process = processes.GradedNeurons
    elif isinstance(population.neuron, Readout):
        process = processes.Readout
    return process(law=law, population=population, memory=memory, sent=_sent(population))


def _sent(node: Input | Population) -> tuple[int, ...]:
    """The shape of what a node sends in one time step: of copies all spikes."""
    if isinstance(node, Population) and isinstance(node.neuron, Thermometer):
        return (node.neuron.levels, *node.shape)
    return node.shape
