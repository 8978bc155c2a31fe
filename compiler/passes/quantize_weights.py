"""Floats become integers: the step Δ of each channel, its weights and its bias.

One unit of the membrane is 1/Δ of a level, so w = round(W·Δ/2^e) and B = round(b·Δ), where W and b
are in levels: the half step of QCFS is already part of b. Only weights lose anything; weights that
are whole numbers times one factor do not (compiler/quantization/whole_numbers.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter

import numpy as np

from snnc.compiler.codes import Code
from snnc.compiler.codes.bit_serial import BitSerialCode
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.inputs import Input
from snnc.compiler.network import Network, Node
from snnc.compiler.operators import Source, Staircase
from snnc.compiler.quantization.layer import Precision, layer_of
from snnc.compiler.quantization.lowering import Lowered, LoweringContext
from snnc.compiler.quantization.observer import Observer, RoundedLayer
from snnc.compiler.spiking import Population, Provenance, SpikingNetwork

BIT_SERIAL = BitSerialCode()


def quantize_weights(
    network: Network,
    spiking_input: Input,
    precision: Precision,
    observer: Observer | None = None,
    code: Code = BIT_SERIAL,
) -> SpikingNetwork:
    """Lower a composed network to integers; with error feedback where images are observed.

    Of the codes that count spikes the result is the rate network.

    Raises:
        SnncError: for every layer whose weights or sums cannot be held by the target.
    """
    nodes = network.by_name
    context = LoweringContext(_population_names(network), precision, observer)
    levels = {node.name: _levels(node, spiking_input) for node in network}
    found: list[Lowered] = []
    problems: list[Problem] = []
    for end in network:
        if isinstance(end.operator, Staircase) or end is network.output:
            layer = layer_of(end, nodes, levels, observer)
            constant = [_is_constant(each, nodes) for each in layer.projections]
            became: RoundedLayer | None = None
            try:
                found.append(code.lowered(layer, constant, context))
                became = found[-1].rounded
            except SnncError as error:
                problems.extend(error.problems)
            if observer is not None:
                observer.advance(end, became)
    if problems:
        raise SnncError(*problems)
    populations = tuple(each.population for each in found)
    remarks = (*network.remarks, *_taken_over(found), *_coarse(populations, precision))
    provenance = Provenance(remarks=remarks)
    return SpikingNetwork(spiking_input, populations, code=code.name, provenance=provenance)


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


def _taken_over(lowered: Sequence[Lowered]) -> Iterator[str]:
    """What the owner of a quantised model wants to know: whether every threshold is met."""
    whole = [each.taken_over for each in lowered if each.taken_over is not None]
    moved, thresholds = sum(each.moved for each in whole), sum(each.thresholds for each in whole)
    if moved:
        yield (
            f"the weights of {len(whole)} layers are whole numbers already and stay unchanged; "
            f"{moved} of their {thresholds} thresholds are met one unit of the sum too early or "
            "too late, for want of more than 24 bits"
        )


def _coarse(populations: Sequence[Population], precision: Precision) -> Iterator[str]:
    """What the owner wants to know of layers whose sums leave their weights few bits."""
    largest = {each.name: _largest_weight(each) for each in populations}
    # an eighth of the range: two bits and more of every weight lie idle, besides its sign
    least = (1 << precision.synapse_bits) >> 3
    coarse = {name: weight for name, weight in largest.items() if 0 < weight < least}
    if coarse:
        name, weight = min(coarse.items(), key=itemgetter(1))
        yield (
            f"{len(coarse)} layers cannot use the bits of their weights, {name} with weights up to "
            f"{weight} least of all: all that they receive must fit {precision.target.state_bits} "
            "bits; fewer `timesteps` or `input_bits` leave more"
        )


def _largest_weight(population: Population) -> int:
    """Of the projections that were rounded; 0 if none was."""
    rounded_ones = [each for each in population.projections if each.error]
    return max((int(np.abs(e.connection.weights).max()) for e in rounded_ones), default=0)
