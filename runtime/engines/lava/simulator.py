"""A spiking network on Lava's CPU simulator: one continuous run over any number of images."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from itertools import chain, islice
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from snnc.compiler.errors import EngineError, Problem, SnncError, refusal
from snnc.compiler.inputs import Input
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.rules.timing import Timing, timing_of
from snnc.compiler.spiking import Population, SpikingNetwork
from snnc.compiler.target import LOIHI
from snnc.runtime.engines.base import Chunk, Pixels
from snnc.runtime.engines.lava.engine import LavaEngine, LavaModel
from snnc.runtime.engines.lava.kernels import Kernel
from snnc.runtime.engines.lava.laws import LAWS
from snnc.runtime.engines.lava.lifetime import running
from snnc.runtime.engines.lava.membrane import HIGHEST_STATE, LOWEST_STATE, Membrane
from snnc.runtime.engines.lava.memory import Memory
from snnc.runtime.engines.lava.parts import Layer, Neurons, Source, Synapses, WholeNetwork

if TYPE_CHECKING:
    from lava.magma.core.process.process import AbstractProcess


def simulate(
    network: SpikingNetwork,
    batches: Iterable[Pixels],
    *,
    chunk: int = 32,
    model: LavaModel = "layers",
) -> Generator[Chunk, None, None]:
    """Stream images through the network and yield their results, each image once and in order.

    The pipeline is never drained before the last image, and memory holds one chunk and the images
    in flight, however many images there are. Close the iterator to end the simulation early.

    Args:
        network: as read from its file.
        batches: arrays (images, *input shape) of input levels 0 … N.
        chunk: images between two looks at the results.
        model: a Process for each layer, or one for the whole network; both give the same spikes.

    Raises:
        SnncError: Lava is missing, the network is not legal, an image is out of range, a state
            overflowed or a process died.
    """
    if missing := LavaEngine().missing():
        raise SnncError(missing)
    require_legal(network)
    timing = timing_of(network)
    memory = Memory.of(network, chunk + -(-timing.end // timing.period))
    with running(ASSEMBLIES[model](network, timing, memory)) as run:
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


def _layers(
    network: SpikingNetwork, timing: Timing, memory: Memory
) -> Iterator[tuple[Population, Membrane, Layer]]:
    """What each population is made of."""
    nodes = network.nodes
    for population in network:
        row = LAWS[type(population.neuron)]
        law = row.simulates(population, timing.slots[population.name], timing.period)
        neurons = Neurons(law, population.name, memory, shows=row.sends == "potentials")
        synapses = (
            Synapses(each.source, Kernel(each, nodes[each.source], population.shape))
            for each in population.projections
        )
        yield population, law, Layer(population.name, neurons, tuple(synapses))


def _as_one(network: SpikingNetwork, timing: Timing, memory: Memory) -> AbstractProcess:
    """One Process that steps everything, on all cores."""
    from snnc.runtime.engines.lava.processes.network import NetworkProcess

    source = Source(network.input, timing.period, memory)
    layers = (layer for *_, layer in _layers(network, timing, memory))
    return NetworkProcess(network=WholeNetwork(network.input.name, source, tuple(layers)))


def _as_layers(network: SpikingNetwork, timing: Timing, memory: Memory) -> AbstractProcess:
    """Connect Lava Processes as the populations are connected; the source leads to them all."""
    from snnc.runtime.engines.lava.processes import neuron as processes
    from snnc.runtime.engines.lava.processes.source import ImageSource
    from snnc.runtime.engines.lava.processes.synapse import Synapse

    kinds = {
        "spikes": processes.SpikeProcess,
        "payloads": processes.PayloadProcess,
        "potentials": processes.PotentialProcess,
    }
    node = network.input
    source = ImageSource(source=Source(node, timing.period, memory), shape=node.shape)
    spikes = {node.name: source.s_out}
    for population, law, layer in _layers(network, timing, memory):
        first, *others = layer.synapses
        sent, shape = spikes[first.source], population.shape
        kind = kinds[LAWS[type(population.neuron)].sends]
        neurons = kind(layer=layer, source_shape=sent.shape, shape=shape, sent_shape=law.sent_shape)
        sent.connect(neurons.s_in)
        for each in others:
            sent = spikes[each.source]
            synapse = Synapse(synapses=each, source_shape=sent.shape, shape=shape)
            sent.connect(synapse.s_in)
            synapse.a_out.connect(neurons.a_in)
        spikes[population.name] = neurons.s_out
    return source


ASSEMBLIES: Mapping[LavaModel, Callable[..., AbstractProcess]] = MappingProxyType(
    {"layers": _as_layers, "network": _as_one}
)
