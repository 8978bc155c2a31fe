"""Floats become integers: the step Δ of each channel, its weights and its bias.

One unit of the membrane is 1/Δ of a level, so w = round(W·Δ/2^e) and B = round(b·Δ), where W and b
are in levels: the half step of QCFS is already part of b. Only weights lose anything; weights that
are whole numbers times one factor do not (compiler/quantization/whole_numbers.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from math import inf
from operator import itemgetter
from types import MappingProxyType

import numpy as np

from snnc.compiler.codes import Code
from snnc.compiler.codes.bit_serial import BitSerialCode
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.inputs import Input
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Source, Staircase
from snnc.compiler.quantization.layer import Layer, Precision, layer_of
from snnc.compiler.quantization.lowering import Lowered, LoweringContext
from snnc.compiler.quantization.observer import Observer
from snnc.compiler.quantization.whole_numbers import NotKept, WholeNumbers
from snnc.compiler.quantization.widths import (
    MEASURED,
    Offer,
    Widths,
    extrapolated,
    shared_out,
    words_of,
)
from snnc.compiler.spiking import Population, Provenance, SpikingNetwork

BIT_SERIAL = BitSerialCode()


def quantize_weights(
    network: Network,
    spiking_input: Input,
    precision: Precision,
    observer: Observer | None = None,
    code: Code = BIT_SERIAL,
    widths: Mapping[str, int] = MappingProxyType({}),
) -> SpikingNetwork:
    """Lower a composed network to integers; with error feedback where images are observed.

    Of the codes that count spikes the result is the rate network. Widths are the bits of some
    layers' weights, by the nodes that end them.

    Raises:
        SnncError: for every layer whose weights or sums cannot be held by the target.
    """
    context = LoweringContext(_population_names(network), precision, observer)
    found = dict[str, Lowered]()
    problems: list[Problem] = []
    for layer, constant in _layers(network, spiking_input, observer):
        end, became = layer.node, None
        try:
            found[end.name] = code.lowered(layer, constant, context.at(widths.get(end.name)))
            became = found[end.name].rounded
        except SnncError as error:
            problems.extend(error.problems)
        if observer is not None:
            observer.advance(end, became)
    if problems:
        raise SnncError(*problems)
    lowered = [*found.values()]
    populations = tuple(each.population for each in lowered)
    precisions = [context.at(widths.get(name)).precision for name in found]
    coarse = _coarse(populations, precisions)
    taken_over = _taken_over(lowered, calibrated=observer is not None)
    remarks = (*network.remarks, *_recoded(lowered), *taken_over, *coarse)
    nodes = network.by_name
    serves = {each.population.name: _serves(nodes[name]) for name, each in found.items()}
    provenance = Provenance(remarks=remarks, serves={k: v for k, v in serves.items() if v})
    return SpikingNetwork(spiking_input, populations, code=code.name, provenance=provenance)


def choose_widths(
    network: Network,
    spiking_input: Input,
    precision: Precision,
    observer: Observer,
    code: Code,
    budget: int,
) -> Widths:
    """Share out so many words of synaptic memory among the layers, by what each of them loses.

    Raises:
        SnncError: for a budget that is too small.
    """
    context = LoweringContext(_population_names(network), precision, observer)
    every = range(MEASURED[0], precision.target.weight_bits + 1)
    offers: list[Offer] = []
    for layer, constant in _layers(network, spiking_input, observer):
        end, losses = layer.node, dict.fromkeys(MEASURED, inf)
        for bits in MEASURED:
            # what cannot be held stays at infinity; whole numbers that are kept lose nothing
            with suppress(SnncError):
                became = code.lowered(layer, constant, context.at(bits)).rounded
                losses[bits] = 0.0 if became is None else observer.loss(end, became)
        words = {bits: words_of(layer, context.at(bits).precision) for bits in every}
        offers.append(Offer(end.name, words, extrapolated(losses, every)))
        observer.advance(end, None)
    return shared_out(offers, budget)


def _layers(
    network: Network, spiking_input: Input, observer: Observer | None
) -> Iterator[tuple[Layer, list[bool]]]:
    """Every layer in order, and which of its sources are the input.

    The observer is asked about a layer once it has advanced behind the one before.
    """
    nodes = network.by_name
    levels = {node.name: _levels(node, spiking_input) for node in network}
    for end in network:
        if isinstance(end.operator, Staircase) or end is network.output:
            layer = layer_of(end, nodes, levels, observer)
            yield layer, [_is_constant(each, nodes) for each in layer.projections]


def _is_constant(projection: Node, nodes: Mapping[str, Node]) -> bool:
    return isinstance(nodes[projection.sources[0]].operator, Source)


def _population_names(network: Network) -> Mapping[str, str]:
    """A population is called by its sums, which have the name of the layer the user wrote."""
    names = {node.name: node.name for node in network if isinstance(node.operator, Source)}
    taken = set(names)
    for node in network:
        if isinstance(node.operator, Staircase):
            sums = node.sources[0]
            names[node.name] = sums if sums not in taken else node.name
            taken.add(names[node.name])
    output = network.output.name
    return {**names, output: output if output not in taken else f"{output}.output"}


def _levels(node: Node, spiking_input: Input) -> int:
    if isinstance(node.operator, Staircase):
        return node.operator.levels
    return spiking_input.levels


def _serves(node: Node) -> str:
    return node.operator.serves if isinstance(node.operator, Staircase) else ""


def _recoded(lowered: Sequence[Lowered]) -> Iterator[str]:
    """What the owner of a network wants to know whose levels the code does not have."""
    found = [each for each in lowered if each.recoded is not None]
    if found:
        names = ", ".join(each.population.name for each in found)
        levels = ", ".join(map(str, sorted({each.recoded or 0 for each in found})))
        yield (
            f"{names}: staircases of {levels} levels become coarser or finer, for every neuron "
            f"sends up to {found[0].population.neuron.levels} spikes; the network is not error-free"
        )


def _taken_over(lowered: Sequence[Lowered], *, calibrated: bool) -> Iterator[str]:
    """What the owner of a quantised model wants to know: whether every threshold is met."""
    whole = {
        each.population.name: each.whole
        for each in lowered
        if isinstance(each.whole, WholeNumbers) and each.whole.moved
    }
    if whole:
        moved, thresholds = (
            sum(getattr(each, of) for each in whole.values()) for of in ("moved", "thresholds")
        )
        worst = max(whole, key=lambda name: whole[name].share)
        farthest = max(each.farthest for each in whole.values())
        yield (
            f"{', '.join(whole)}: the weights are whole numbers already and stay unchanged; "
            f"{moved} of {thresholds} thresholds are met too early or too late, by {farthest:.2g} "
            "of a level at most, for want of more than 24 bits: of the sums on the staircase "
            f"{100 * whole[worst].share:.2g} % get another level in {worst}, fewer in the others; "
            f"{'' if calibrated else '`calibration` counts levels and decisions; '}"
            "`weight_bits=16`, or fewer `input_bits`, may leave fewer"
        )
    reasons: dict[NotKept, list[str]] = {}
    for each in lowered:
        if isinstance(each.whole, NotKept):
            reasons.setdefault(each.whole, []).append(each.population.name)
    for reason, names in reasons.items():
        yield (
            f"{', '.join(names)}: the weights are whole numbers already and were rounded all the "
            f"same: {reason.what}; {reason.mend}"
        )


def _coarse(populations: Sequence[Population], precisions: Sequence[Precision]) -> Iterator[str]:
    """What the owner wants to know of layers whose sums leave their weights few bits."""
    # an eighth of the range: two bits and more of every weight lie idle, besides its sign
    least = [(1 << each.synapse_bits) >> 3 for each in precisions]
    largest = [(each.name, _largest_weight(each)) for each in populations]
    coarse = {
        name: weight for (name, weight), few in zip(largest, least, strict=True) if 0 < weight < few
    }
    if coarse:
        name, weight = min(coarse.items(), key=itemgetter(1))
        yield (
            f"{len(coarse)} layers cannot use the bits of their weights, {name} with weights up to "
            f"{weight} least of all: all that they receive must fit "
            f"{precisions[0].target.state_bits} bits; fewer `timesteps` or `input_bits` leave more"
        )


def _largest_weight(population: Population) -> int:
    """Of the projections that were rounded; 0 if none was."""
    rounded_ones = [each for each in population.projections if each.error]
    return max((int(np.abs(e.connection.weights).max()) for e in rounded_ones), default=0)
