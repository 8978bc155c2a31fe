"""Where one chip ends and the next begins: where the fewest spikes cross."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snnc.compiler.mapping.mapping import CoreMapping
from snnc.compiler.mapping.routes import crossings, routes_of


def cut_into_chips(mapping: CoreMapping) -> CoreMapping:
    """The same cores on the fewest chips, with the fewest messages between them.

    Of n cores on chips of size s, k = ⌈n/s⌉ chips leave k·s − n places free, so the first core of
    chip c is c·s less the places left free before it: a number that grows from 0 to all of them.
    """
    size, chips = mapping.core.cores, -(-mapping.cores // mapping.core.cores)
    free = chips * size - mapping.cores
    crossing = crossings(mapping, routes_of(mapping))
    places = np.arange(free + 1)
    costs, earlier = np.where(places == 0, 0.0, np.inf), []
    for chip in range(1, chips):
        best = np.minimum.accumulate(costs)
        # where the least up to each place was met first
        earlier.append(np.maximum.accumulate(np.where(costs == best, places, 0)))
        costs = best + crossing[chip * size - places]
    left = int(costs.argmin())
    firsts = []
    for chip in range(chips - 1, 0, -1):
        firsts.append(chip * size - left)
        left = int(earlier[chip - 1][left])
    return replace(mapping, chips=(0, *reversed(firsts)))
