"""The rules of a placement: every slice of a network has a core that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from math import prod

from snnc.compiler.errors import Problem
from snnc.compiler.limits import MOST_CORES
from snnc.compiler.mapping.layers import extents_of
from snnc.compiler.mapping.mapping import mapping_of, problems_of_mapping
from snnc.compiler.rules.structure import SpikingRule
from snnc.compiler.spiking import Placement, SpikingNetwork

WHERE = "mapping"
AGAIN = "compile the model again, with `map=True`"


def cores_hold_their_slices(network: SpikingNetwork) -> Iterator[Problem]:
    """Every layer is cut into pieces that are there, and no core holds more than it can."""
    if network.placement is None:
        return
    problems = [*_problems_of_cuts(network, network.placement)]
    if not problems:
        mapping = mapping_of(network, network.placement)
        problems = [*_problems_of_chips(network.placement, mapping.cores, mapping.core.cores)]
        problems += [replace(each, mend=AGAIN) for each in problems_of_mapping(mapping)]
    yield from problems


PLACEMENT: tuple[SpikingRule, ...] = (cores_hold_their_slices,)


def _problems_of_cuts(network: SpikingNetwork, placement: Placement) -> Iterator[Problem]:
    nodes, cuts = (network.input, *network), placement.cuts
    if len(cuts) != len(nodes):
        yield Problem(WHERE, f"cuts of {len(cuts)} layers; allowed: {len(nodes)}", AGAIN)
        return
    for node, pieces in zip(nodes, cuts, strict=True):
        shape = extents_of(node.shape)
        if any(not 1 <= n <= extent for n, extent in zip(pieces, shape, strict=True)):
            yield Problem(node.name, f"cut into {pieces}; allowed: 1..{shape}", AGAIN)
    if (cores := sum(map(prod, cuts))) > MOST_CORES:
        yield Problem(WHERE, f"{cores} cores; allowed: up to {MOST_CORES}", AGAIN)


def _problems_of_chips(placement: Placement, cores: int, most: int) -> Iterator[Problem]:
    ends = (*placement.chips, cores)
    sizes = [last - first for first, last in pairwise(ends)]
    if ends[0] != 0 or any(not 0 < size <= most for size in sizes):
        what = f"chips begin at cores {placement.chips[:8]} of {cores}"
        yield Problem(WHERE, f"{what}; allowed: from 0 on, each with 1..{most} cores", AGAIN)
