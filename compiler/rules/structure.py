"""The rules of structure: what must hold before a number of a spiking network means anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from snnc.compiler.errors import Problem
from snnc.compiler.laws.base import SETTINGS_AT_LEAST_ONE, Parameter
from snnc.compiler.limits import EXTENT, PAD, STEPS, TURN
from snnc.compiler.spiking import (
    Connection,
    Dense,
    Node,
    Population,
    SpikingNetwork,
)

SpikingRule: TypeAlias = Callable[[SpikingNetwork], Iterator[Problem]]

REBUILD = "compile the source model again; if it stays, report it"
SHORTER = "compile with fewer `timesteps`, `rho` or `iterations`"


def names_tell_nodes_apart(network: SpikingNetwork) -> Iterator[Problem]:
    """A source is found by its name, and a message names what it speaks of."""
    seen: set[str] = set()
    for node in (network.input, *network):
        if not node.name or not node.name.isprintable():
            yield Problem(
                repr(node.name), "the name is not printable", "rename the node in the model"
            )
        if node.name in seen:
            yield Problem(node.name, "two nodes have this name; one is allowed", REBUILD)
        seen.add(node.name)


def sources_come_first(network: SpikingNetwork) -> Iterator[Problem]:
    """Every population listens to the input or to populations before it that fire."""
    seen, firing = {network.input.name}, network.firing
    for population in network:
        if not population.projections:
            yield Problem(population.name, "it has no source; at least 1 is needed", REBUILD)
        for each in population.projections:
            if each.source not in seen:
                what = f"its source {each.source!r} is not a node before it that fires"
                yield Problem(population.name, what, REBUILD)
        if population.name in firing:
            seen.add(population.name)


def the_readout_is_last(network: SpikingNetwork) -> Iterator[Problem]:
    """The logits leave where the last wave of spikes ends."""
    readouts = [each.name not in network.firing for each in network]
    if readouts[-1:] != [True] or sum(readouts) != 1:
        what = f"{sum(readouts)} of {len(readouts)} populations are read-outs"
        yield Problem(network.input.name, f"{what}; allowed: 1, the last", REBUILD)


def shapes_are_known(network: SpikingNetwork) -> Iterator[Problem]:
    """A population is (channels, height, width) or (neurons,), and not empty."""
    for node in (network.input, *network):
        if len(node.shape) not in (1, 3) or min(node.shape) < 1:
            what = f"shape {node.shape}; allowed: 1 or 3 extents, each at least 1"
            yield Problem(node.name, what, "give the model a fixed input size")


def connections_fit(network: SpikingNetwork) -> Iterator[Problem]:
    """The weights of a projection lead from all of its source to all of its population."""
    nodes = network.nodes
    for population in network:
        for each in population.projections:
            if each.source in nodes:
                found = _misfit(each.connection, nodes[each.source], population)
                if found:
                    yield Problem(population.name, f"{each.source} {found}", REBUILD)


def parameters_fit(network: SpikingNetwork) -> Iterator[Problem]:
    """A bias for each channel or neuron; the arrays of the law likewise."""
    for population in network:
        bias = Parameter("bias", population.bias.shape, by_neuron=True)
        for each in (bias, *population.neuron.parameters()):
            shapes = [population.shape[:1]] + [population.shape] * each.by_neuron
            if each.shape not in shapes:
                allowed = " or ".join(map(str, dict.fromkeys(shapes)))
                what = f"{each.name} of shape {each.shape}; allowed: {allowed}"
                yield Problem(population.name, what, REBUILD)


def trains_are_accepted(network: SpikingNetwork) -> Iterator[Problem]:
    """Bits are weighted, spikes of a rate code counted: no neuron does both.

    Stock neurons receive what arrives in one time step.
    """
    nodes = network.nodes
    for population in network:
        allowed = population.neuron.accepts
        for each in population.projections:
            found = nodes[each.source].sends.train if each.source in nodes else allowed[0]
            if found not in allowed:
                what = f"{each.source} sends {found!r}; allowed: {', '.join(map(repr, allowed))}"
                yield Problem(population.name, what, REBUILD)


def the_input_can_be_sent(network: SpikingNetwork) -> Iterator[Problem]:
    """Where no spike is graded, pixels are bits."""
    source = network.input
    if network.target.stock_only and source.code != "bits":
        what = (
            f"{source.code!r} on {network.target.name}, which has no graded spikes; allowed: 'bits'"
        )
        yield Problem(source.name, what, "compile with `input_code='bits'`")


def settings_are_counts(network: SpikingNetwork) -> Iterator[Problem]:
    """Time steps, and whatever else neurons count in them, are within their range."""
    for population in network:
        counts = tuple(population.neuron.settings.values())
        if min(counts, default=1) < 1:
            what = f"time steps {counts}; allowed: {SETTINGS_AT_LEAST_ONE}"
            yield Problem(population.name, what, REBUILD)
        elif not STEPS.holds(*counts):
            what = f"time steps {counts}; allowed: each {STEPS}"
            yield Problem(population.name, what, SHORTER)


def turns_are_short(network: SpikingNetwork) -> Iterator[Problem]:
    """What a node sends has an end, calibrations included."""
    for node in (network.input, *network):
        if not TURN.holds(node.sends.turn):
            what = f"its turn takes {node.sends.turn} time steps; allowed: {TURN}"
            yield Problem(node.name, what, SHORTER)


def settings_agree(network: SpikingNetwork) -> Iterator[Problem]:
    """Neurons that count time steps all count the same ones."""
    laws = {each.name: each.neuron.settings for each in network}
    for key in dict.fromkeys(key for each in laws.values() for key in each):
        found = {name: each[key] for name, each in laws.items() if key in each}
        yield from _differing(found)


def turns_agree(network: SpikingNetwork) -> Iterator[Problem]:
    """All trains of spikes take the same time steps, those of currents too."""
    nodes = {name: node.sends for name, node in network.nodes.items()}
    yield from _differing({name: e.turn for name, e in nodes.items() if e.train == "spikes"})


def currents_last(network: SpikingNetwork) -> Iterator[Problem]:
    """A read-out counts no more steps of a current than there are."""
    current = network.input
    for population in network:
        sources = {each.source for each in population.projections}
        counted = population.neuron.summed_steps
        if current.is_constant and sources == {current.name} and counted > current.turn:
            what = f"counts {counted} time steps of a current; allowed: up to {current.turn}"
            yield Problem(population.name, what, REBUILD)


def circuits_are_of_one_kind(network: SpikingNetwork) -> Iterator[Problem]:
    """Where one population is of stock neurons all are: their limits hold for the whole network."""
    programs = [each.name for each in network if each.neuron.circuit == "programmable"]
    if network.is_stock and programs:
        what = "it is no stock neuron, and others are; allowed: one kind"
        yield Problem(", ".join(programs), what, REBUILD)
    elif network.target.stock_only and programs:
        what = f"it is no stock neuron; {network.target.name} has no others"
        yield Problem(", ".join(programs), what, "compile with `code='one-spike'`")


def _differing(counts: Mapping[str, int]) -> Iterator[Problem]:
    found = sorted(set(counts.values()))
    if len(found) > 1:
        what = f"time steps differ: {', '.join(map(str, found))}; allowed: one number"
        yield Problem(", ".join(counts), what, REBUILD)


STRUCTURE: tuple[SpikingRule, ...] = (
    names_tell_nodes_apart,
    sources_come_first,
    the_readout_is_last,
    shapes_are_known,
    connections_fit,
    parameters_fit,
    trains_are_accepted,
    the_input_can_be_sent,
    settings_are_counts,
    turns_are_short,
    settings_agree,
    turns_agree,
    currents_last,
    circuits_are_of_one_kind,
)


def _misfit(connection: Connection, source: Node, population: Population) -> str | None:
    """What keeps a connection from leading from its source to its population, if anything."""
    if isinstance(connection, Dense):
        found, allowed = connection.weights.shape, (population.size, source.size)
        return None if found == allowed else f"dense weights {found}; allowed: {allowed}"
    if len(source.shape) != 3 or connection.weights.ndim != 4 or connection.weights.size == 0:
        return f"convolves {source.shape} with {connection.weights.shape}; allowed: 3 and 4 axes"
    geometry = (*connection.strides, *connection.dilations, connection.groups)
    if min(geometry) < 1 or min(connection.pads) < 0:
        return "has a stride, dilation or group below 1, or a pad below 0"
    if not (EXTENT.holds(*geometry) and PAD.holds(*connection.pads)):
        return f"has a stride, dilation or group outside {EXTENT}, or a pad outside {PAD}"
    out_channels, in_channels = connection.weights.shape[:2]
    if in_channels * connection.groups != source.shape[0] or out_channels % connection.groups:
        kernels = f"{out_channels} kernels of {in_channels} channels in {connection.groups} groups"
        return f"has {kernels}; allowed: groups that divide {source.shape[0]} channels"
    shape = (out_channels, *connection.places(source.shape))
    return None if shape == population.shape else f"gives {shape}; allowed: {population.shape}"
