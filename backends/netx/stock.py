"""Whether unmodified netx of lava-dl builds a spiking network as it is, and why not.

`hdf5.Network` of lava-dl 0.6 connects each layer to the one before it, whatever else a file says,
and builds Lava's Conv, Dense and LIF from it. Nothing here is asked of snnc's own engines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snnc.compiler.inputs import PlanesInput
from snnc.compiler.spiking import Convolution, Dense, Node, Population, SpikingNetwork

MOST_GEOMETRY = 127
"""Lava's Conv holds its kernel, strides, pads, dilations and groups in signed bytes."""
GRADED_BITS = 8
"""What its readers are told of payloads: Lava asks only whether there are any."""


@dataclass(frozen=True)
class Obstacle:
    """One reason why netx would not build a network as it is."""

    layer: str
    """The population; "" where it is the network."""
    why: str


def runs_in_stock_netx(network: SpikingNetwork) -> bool:
    """Whether unmodified netx would build this very network."""
    return not any(_obstacles(network))


def obstacles_to_stock_netx(network: SpikingNetwork) -> tuple[Obstacle, ...]:
    """Why unmodified netx would not build this very network; none if it would."""
    return tuple(_obstacles(network))


def message_bits(network: SpikingNetwork) -> int:
    """What netx must be told of the input: 0 for spikes without a payload."""
    return 0 if isinstance(network.input, PlanesInput) else GRADED_BITS


def _obstacles(network: SpikingNetwork) -> Iterator[Obstacle]:
    if not network.firing:
        yield Obstacle("", "no layer of it fires")
        return
    if not network.is_stock:
        yield Obstacle("", "its neurons are no stock neurons; those of `code='one-spike'` are")
        return
    before: Node = network.input
    for population in network:
        for why in _obstacles_of(population, before):
            yield Obstacle(population.name, why)
        before = population


def _obstacles_of(population: Population, before: Node) -> Iterator[str]:
    projection, *others = population.projections
    if others:
        yield "it sums several sources"
    elif projection.source != before.name:
        yield "it does not read the layer before it"
    if population.bias.ndim > 1:
        yield "the biases of a channel differ"
    for each in population.projections:
        if isinstance(each.connection, Dense):
            yield from _obstacles_of_dense(each.connection, population)
        else:
            yield from _obstacles_of_convolution(each.connection)


def _obstacles_of_dense(dense: Dense, population: Population) -> Iterator[str]:
    if len(population.shape) > 1:
        yield "a matrix leads to planes"
    if dense.weights.max() <= 0:
        # netx chooses an exponent for it that shifts the weights out of their 8 bits
        yield "no weight of the matrix is above 0"


def _obstacles_of_convolution(convolution: Convolution) -> Iterator[str]:
    top, left, bottom, right = convolution.pads
    if (top, left) != (bottom, right):
        yield f"pads {top},{left},{bottom},{right} are uneven"
    geometry = {
        "kernel": max(convolution.weights.shape[2:]),
        "stride": max(convolution.strides),
        "pad": max(convolution.pads),
        "dilation": max(convolution.dilations),
        "groups": convolution.groups,
    }
    for name, found in geometry.items():
        if found > MOST_GEOMETRY:
            yield f"{name} {found} is above {MOST_GEOMETRY}"
