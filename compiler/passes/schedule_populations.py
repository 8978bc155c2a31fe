"""When each population listens and fires, by one of two schedules.

Pipelined, a new image enters every max(T) steps, and all sources of a population must end in the
same step: a population reads the bits of one image in one window. A source that is early, because
its way is shorter, passes through relays: populations with Δ = 1 and weight 1, which send on what
arrives. Sequential, one image is in flight at a time, and neurons that accumulate need no relay.
Where spikes count by the step they come in, or neurons remember nothing, all sources must begin in
the same step, whatever the schedule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from snnc.compiler.laws import Firing
from snnc.compiler.rules.numbers import bits_arrive_in_order
from snnc.compiler.spiking import (
    Convolution,
    Dense,
    Node,
    Population,
    Projection,
    Schedule,
    SpikingNetwork,
)

MANY = 2
"""Time steps that are worth a word."""
FEW = 3
"""At most one layer in so many is an exception."""


def schedule_populations(network: SpikingNetwork, schedule: Schedule) -> SpikingNetwork:
    """Choose the schedule; `snnc.compiler.rules.timing` derives every window from it."""
    if network.schedule != schedule:
        network = replace(network, schedule=schedule)
    origin = network.provenance
    new = [each for each in _slowest(network) if each not in origin.remarks]
    if new:
        network = replace(network, provenance=replace(origin, remarks=(*origin.remarks, *new)))
    return network if not any(bits_arrive_in_order(network)) else align_sources(network)


def _slowest(network: SpikingNetwork) -> Iterator[str]:
    """What sets the period, where a few take many more steps than all others."""
    laws = {name: law for name, law in network.firing.items() if law.train == "bits"}
    turns = {name: law.turn for name, law in laws.items()}
    if network.input.train == "bits":
        turns[network.input.name] = network.input.turn
    most = max(turns.values(), default=0)
    slow = [name for name, turn in turns.items() if turn == most]
    others = max((turn for turn in turns.values() if turn < most), default=most)
    if network.schedule == "pipelined" and most - others >= MANY and FEW * len(slow) <= len(turns):
        yield (
            f"an image every {most} time steps because of {', '.join(slow)}; all other layers take "
            f"up to {others}: {_faster(slow, network)}, or compile with `code='graded'`"
        )


def _faster(slow: Sequence[str], network: SpikingNetwork) -> str:
    """What makes the slowest layers as fast as the others."""
    first = network.input.name
    if first in slow:
        return "send pixels with `input_code='graded'`"
    reads = {each.name: {p.source for p in each.projections} for each in network}
    if any(reads[name] == {first} for name in slow):
        return (
            "a quantiser of the input costs no layer where `input_bits`, `input_range`, `mean` and "
            "`std` put the pixels on its grid"
        )
    return "give them fewer levels, or `average_pool='compose'` where they are sums"


def align_sources(network: SpikingNetwork) -> SpikingNetwork:
    """Let every population take the same number P of fire steps, and lead early sources there.

    Then each hop takes P steps, and whatever is as many hops from the input ends together.
    """
    depth = _depths(network)
    late = {name: n for name, n in _lateness(network, depth).items() if n}
    nodes = network.nodes
    relays = {name: _relay_law(nodes[name], network) for name in late}
    turns = [each.neuron.turn for each in network]
    turns += [each.turn for each in relays.values()]
    period = max(network.input.turn, *turns)
    populations: list[Population] = []
    for node in (network.input, *network):
        if isinstance(node, Population):
            populations.append(_redirected(_stretched(node, period), depth))
        if node.name in late:
            repeated = _relays(node, relays[node.name], late[node.name])
            populations += (_stretched(each, period) for each in repeated)
    return network.replaced(tuple(populations))


def _depths(network: SpikingNetwork) -> Mapping[str, int]:
    """Hops on the longest way from the input."""
    depth = {network.input.name: 0}
    for population in network:
        depth[population.name] = 1 + max(depth[each.source] for each in population.projections)
    return depth


def _lateness(network: SpikingNetwork, depth: Mapping[str, int]) -> Mapping[str, int]:
    """Relays that each node needs for the consumer that is farthest away."""
    relays = dict.fromkeys(depth, 0)
    for population in network:
        for each in population.projections:
            missing = depth[population.name] - depth[each.source] - 1
            relays[each.source] = max(relays[each.source], missing)
    return relays


def _relay_law(node: Node, network: SpikingNetwork) -> Firing:
    """A neuron of the network's code that sends on what a node sends."""
    law = next(iter(network.firing.values()))
    sent = node.sends
    return law.relay(node.shape[0], sent.levels, constant=sent.is_constant)


def _relays(node: Node, neuron: Firing, count: int) -> Iterator[Population]:
    """A chain of populations that repeat a node, each one hop later."""
    channels = node.shape[0]
    ones = np.ones((channels, 1, 1, 1), np.int64)
    for index in range(count):
        repeat = (
            Convolution(ones, groups=channels)
            if len(node.shape) == 3
            else Dense(np.eye(channels, dtype=np.int64))
        )
        yield Population(
            _relay(node.name, index + 1),
            node.shape,
            (Projection(_relay(node.name, index), repeat),),
            np.zeros(channels, np.int64),
            neuron,
            is_relay=True,
        )


def _relay(source: str, count: int) -> str:
    """The name of the count-th relay of a source; the source itself for 0."""
    return f"{source}.relay{count}" if count else source


def _stretched(population: Population, period: int) -> Population:
    """The same population with P fire steps, if its law can be silent in the first of them."""
    return replace(population, neuron=population.neuron.stretched(period))


def _redirected(population: Population, depth: Mapping[str, int]) -> Population:
    """The same population, listening to the relays that are as deep as its deepest source."""
    hops = depth[population.name] - 1
    projections = tuple(
        replace(each, source=_relay(each.source, hops - depth[each.source]))
        for each in population.projections
    )
    return replace(population, projections=projections)
