"""Why a network cannot be said in NIR; all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from snnc.backends.nir.kernels import evened
from snnc.compiler.errors import Problem
from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
)
from snnc.compiler.rules.bounds import Nodes
from snnc.compiler.spiking import Convolution, Node, Population, SpikingNetwork

PAYLOADS = "its spikes carry payloads, and those of NIR's neurons say 1"
SOFT_RESET = (
    "it takes the threshold off its potential when it fires, and NIR does not say how neurons are "
    "reset: each simulator does it in its own way"
)
REASONS: Mapping[type[Neuron], str | None] = MappingProxyType(
    {
        BitSerial: "a spike counts twice as much as the next one, and those of NIR's neurons alike",
        Graded: PAYLOADS,
        Current: PAYLOADS,
        Rate: SOFT_RESET,
        OffsetSpike: SOFT_RESET,
        Copies: None,
        Delta: PAYLOADS,
        DeltaReadout: "it receives payloads, and spikes of NIR say 1",
        Readout: None,
    }
)
"""What NIR lacks for a law; None where it lacks nothing."""
EXACT = "compile with `code='one-spike'`, which NIR's neurons run exactly"
CHAIN = "export a chain of layers"


def problems_of(network: SpikingNetwork) -> Iterator[Problem]:
    """Whatever NIR cannot say of a network."""
    if not network.firing:
        yield Problem(network.readout.name, "no layer of the network fires", CHAIN)
    before: Node = network.input
    for population in network:
        if reason := REASONS[type(population.neuron)]:
            yield Problem(population.name, reason, EXACT)
        for what, mend in _obstacles(population, before, network.nodes):
            yield Problem(population.name, what, mend)
        before = population


def _obstacles(population: Population, before: Node, nodes: Nodes) -> Iterator[tuple[str, str]]:
    """What is no chain, and what has no place in a layer of NIR."""
    projection, *others = population.projections
    if others:
        yield "it sums several sources; allowed: the layer before it", CHAIN
    elif projection.source != before.name:
        yield f"it reads {projection.source}; allowed: the layer before it, {before.name}", CHAIN
    law = population.neuron
    uneven = isinstance(law, Copies) and law.thresholds.ndim > 2
    if len(population.shape) > 1 and (population.bias.ndim > 1 or uneven):
        what = "the biases of a channel differ; allowed: one for each channel"
        yield what, "choose an `input_range` that begins at 0, or export without the padding"
    for each in population.projections:
        if isinstance(each.connection, Convolution):
            yield from _obstacles_of_convolution(each.connection, nodes[each.source])
        elif len(population.shape) > 1:
            yield "a matrix leads to planes; allowed: to neurons without a place", CHAIN


def _obstacles_of_convolution(convolution: Convolution, source: Node) -> Iterator[tuple[str, str]]:
    top, left, bottom, right = evened(convolution, source.shape).pads
    if (top, left) != (bottom, right):
        pads = ",".join(map(str, convolution.pads))
        yield f"pads {pads}; allowed: as many on both sides", "pad evenly in the model"
    height, width = convolution.weights.shape[2:]
    if (height - width) % 2:
        what = f"a kernel of {height}x{width}; allowed: sides that differ by an even number"
        yield what, "choose another kernel: nir 1.0.8 takes its height for its width"
