"""The rules of structure: what must hold before a number of a spiking network means anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from snnc.compiler.errors import Problem
from snnc.compiler.neurons import (
    Firing,
    Graded,
    OffsetSpike,
    Rate,
    Readout,
    Thermometer,
    understood,
)
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Input,
    Population,
    SpikingNetwork,
    is_stock,
    train_of,
)
from snnc.compiler.target import Target

Rule: TypeAlias = Callable[[SpikingNetwork, Target], Iterator[Problem]]

REBUILD = "compile the source model again; if it stays, report it"


def names_tell_nodes_apart(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
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


def sources_come_first(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """Every population listens to the input or to populations before it that fire."""
    seen = {network.input.name}
    for population in network:
        if not population.projections:
            yield Problem(population.name, "it has no source; at least 1 is needed", REBUILD)
        for each in population.projections:
            if each.source not in seen:
                what = f"its source {each.source!r} is not a node before it that fires"
                yield Problem(population.name, what, REBUILD)
        if isinstance(population.neuron, Firing):
            seen.add(population.name)


def the_readout_is_last(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """The logits leave where the last wave of spikes ends."""
    readouts = [isinstance(each.neuron, Readout) for each in network]
    if readouts[-1:] != [True] or sum(readouts) != 1:
        what = f"{sum(readouts)} of {len(readouts)} populations are read-outs"
        yield Problem(network.input.name, f"{what}; allowed: 1, the last", REBUILD)


def shapes_are_known(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """A population is (channels, height, width) or (neurons,), and not empty."""
    for node in (network.input, *network):
        if len(node.shape) not in (1, 3) or min(node.shape) < 1:
            what = f"shape {node.shape}; allowed: 1 or 3 extents, each at least 1"
            yield Problem(node.name, what, "give the model a fixed input size")


def connections_fit(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """The weights of a projection lead from all of its source to all of its population."""
    nodes = network.nodes
    for population in network:
        for each in population.projections:
            if each.source in nodes:
                found = _misfit(each.connection, nodes[each.source], population)
                if found:
                    yield Problem(population.name, f"{each.source} {found}", REBUILD)


def parameters_fit(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """A bias for each channel or neuron; a threshold or a unit for each channel."""
    for population in network:
        channels = population.shape[:1]
        either: tuple[tuple[int, ...], ...] = (channels, population.shape)
        arrays = [("bias", population.bias.shape, either)]
        neuron = population.neuron
        if isinstance(neuron, Readout):
            arrays.append(("units", neuron.unit.shape, (channels,)))
        elif isinstance(neuron, Thermometer):
            found = neuron.thresholds.shape[1:]
            arrays.append(("thresholds of each copy", found, either))
        else:
            arrays.append(("thresholds", neuron.step.shape, (channels,)))
        if isinstance(neuron, Rate | OffsetSpike):
            arrays.append(("initial potentials", neuron.initial.shape, (channels,)))
        for name, found, shapes in arrays:
            if found not in shapes:
                allowed = " or ".join(map(str, dict.fromkeys(shapes)))
                what = f"{name} of shape {found}; allowed: {allowed}"
                yield Problem(population.name, what, REBUILD)


def trains_are_understood(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """Bits are weighted, spikes of a rate code counted: no neuron does both.

    Stock neurons hear what arrives in one time step.
    """
    nodes = network.nodes
    for population in network:
        allowed = understood(population.neuron)
        for each in population.projections:
            found = train_of(nodes[each.source]) if each.source in nodes else allowed[0]
            if found not in allowed:
                what = f"{each.source} sends {found!r}; allowed: {', '.join(map(repr, allowed))}"
                yield Problem(population.name, what, REBUILD)


def the_input_can_be_sent(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """A current is the same in every step; where no spike is graded, pixels are bits."""
    source = network.input
    if source.repeats and source.code != "graded":
        what = f"a current of {source.code!r}; allowed: 'graded'"
        yield Problem(source.name, what, REBUILD)
    if target.stock_only and source.code == "graded":
        what = f"'graded' on {target.name}, which has no graded spikes; allowed: 'bits'"
        yield Problem(source.name, what, "compile with --input-code bits")


def turns_agree(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """All rate neurons take the same time steps, and so does the constant input."""
    current = network.input.repeats
    turns = {network.input.name: (current,)} if current else {}
    counts: dict[str, tuple[int, ...]] = {}
    for population in network:
        neuron = population.neuron
        if isinstance(neuron, Rate | OffsetSpike):
            turns[population.name] = (neuron.time_steps,)
            settings = (neuron.rho, neuron.iterations) if isinstance(neuron, OffsetSpike) else ()
            counts[population.name] = (neuron.steps, *settings)
            if min(counts[population.name]) < 1:
                what = f"time steps {counts[population.name]}; allowed: each at least 1"
                yield Problem(population.name, what, REBUILD)
        elif isinstance(neuron, Graded) and neuron.repeats:
            turns[population.name] = (neuron.repeats,)
        elif isinstance(neuron, Readout) and neuron.listens and counts:
            counts[population.name] = (neuron.listens, *next(iter(counts.values()))[1:])
        elif isinstance(neuron, Readout) and neuron.listens > current:
            what = f"counts {neuron.listens} time steps of a current; allowed: up to {current}"
            yield Problem(population.name, what, REBUILD)
    for found in (turns, counts):
        if len(set(found.values())) > 1:
            what = f"time steps differ: {sorted(set(found.values()))}; allowed: one number"
            yield Problem(", ".join(found), what, REBUILD)


def stock_neurons_are_among_themselves(
    network: SpikingNetwork, target: Target
) -> Iterator[Problem]:
    """Where one population is of stock neurons all are: their limits hold for the whole network."""
    others = [each.name for each in network if not isinstance(each.neuron, Thermometer | Readout)]
    if is_stock(network) and others:
        what = "it is no stock neuron, and others are; allowed: one kind"
        yield Problem(", ".join(others), what, REBUILD)
    elif target.stock_only and others:
        what = f"it is no stock neuron; {target.name} has no others"
        yield Problem(", ".join(others), what, "compile with --code one-spike")


STRUCTURE: tuple[Rule, ...] = (
    names_tell_nodes_apart,
    sources_come_first,
    the_readout_is_last,
    shapes_are_known,
    connections_fit,
    parameters_fit,
    trains_are_understood,
    the_input_can_be_sent,
    turns_agree,
    stock_neurons_are_among_themselves,
)


def _misfit(
    connection: Connection, source: Input | Population, population: Population
) -> str | None:
    """What keeps a connection from leading from its source to its population, if anything."""
    if isinstance(connection, Dense):
        found, allowed = connection.weights.shape, (population.size, source.size)
        return None if found == allowed else f"dense weights {found}; allowed: {allowed}"
    if len(source.shape) != 3 or connection.weights.ndim != 4 or connection.weights.size == 0:
        return f"convolves {source.shape} with {connection.weights.shape}; allowed: 3 and 4 axes"
    geometry = (*connection.strides, *connection.dilations, connection.groups)
    if min(geometry) < 1 or min(connection.pads) < 0:
        return "has a stride, dilation or group below 1, or a pad below 0"
    out_channels, in_channels = connection.weights.shape[:2]
    if in_channels * connection.groups != source.shape[0] or out_channels % connection.groups:
        kernels = f"{out_channels} kernels of {in_channels} channels in {connection.groups} groups"
        return f"has {kernels}; allowed: groups that divide {source.shape[0]} channels"
    shape = (out_channels, *_extents(connection, source.shape))
    return None if shape == population.shape else f"gives {shape}; allowed: {population.shape}"


def _extents(convolution: Convolution, source: tuple[int, ...]) -> Iterator[int]:
    """Height and width of what a convolution gives: ⌊(padded − span)/stride⌋ + 1."""
    for axis in (0, 1):
        padded = source[1 + axis] + convolution.pads[axis] + convolution.pads[axis + 2]
        span = convolution.dilations[axis] * (convolution.weights.shape[2 + axis] - 1) + 1
        yield (padded - span) // convolution.strides[axis] + 1
