"""A network on cores: how its layers are cut, and where the slices stand.

The cores of a network are numbered layer by layer, those of a layer by channels, rows, columns. A
chip takes a run of them, and lays it along a snake through its routers: to the right in the first
row, to the left in the second. Chips stand beside each other in a row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from math import prod

import numpy as np

from snnc.compiler.errors import Problem
from snnc.compiler.laws import Integers
from snnc.compiler.mapping.axes import bounds_of
from snnc.compiler.mapping.demands import (
    Consumer,
    Demands,
    Pieces,
    consumers_among,
    demands_of,
    of_cut,
)
from snnc.compiler.mapping.layers import Layer, layers_of
from snnc.compiler.spiking import Placement, SpikingNetwork
from snnc.compiler.target import CoreModel


@dataclass(frozen=True)
class CoreMapping:
    """Which core holds what."""

    core: CoreModel
    layers: tuple[Layer, ...]
    cuts: tuple[Pieces, ...]
    """Of each layer."""
    chips: tuple[int, ...] = (0,)
    """The number of the first core of each chip."""

    @cached_property
    def first_cores(self) -> tuple[int, ...]:
        """The number of the first core of each layer, and of the first that is free."""
        return (0, *accumulate(map(prod, self.cuts)))

    @property
    def cores(self) -> int:
        """How many are in use."""
        return self.first_cores[-1]

    def slices(self, index: int) -> Iterator[tuple[tuple[int, int], ...]]:
        """What the cores of a layer hold: from where to before where, along each axis."""
        bounds = [
            bounds_of(extent, n).tolist()
            for extent, n in zip(self.layers[index].shape, self.cuts[index], strict=True)
        ]
        channels, rows, columns = (list(pairwise(each)) for each in bounds)
        return ((c, y, x) for c in channels for y in rows for x in columns)

    @cached_property
    def consumers(self) -> Mapping[str, Sequence[Consumer]]:
        """Who reads each layer, by the layer's name."""
        found: dict[str, list[Consumer]] = {each.name: [] for each in self.layers}
        for index, (layer, pieces) in enumerate(zip(self.layers, self.cuts, strict=True)):
            for source, consumer in consumers_among(index, layer, pieces):
                found[source].append(consumer)
        return found

    def demands(self, index: int) -> Demands:
        """What each core of a layer has to hold; arrays of the layer's cut."""
        layer, view = self.layers[index], of_cut(self.cuts[index])
        return demands_of(layer, self.consumers[layer.name], self.core, view)

    @cached_property
    def places(self) -> Integers:
        """(cores, 3): the chip, and the column and the row of the router, counted on its chip."""
        numbers = np.arange(self.cores)
        chip = np.searchsorted(self.chips, numbers, side="right") - 1
        router = (numbers - np.array(self.chips)[chip]) // self.core.cores_a_router
        row, column = np.divmod(router, self.core.routers[0])
        back = self.core.routers[0] - 1 - column
        return np.stack([chip, np.where(row % 2, back, column), row], axis=1)

    def distances(self, senders: Integers, receivers: Integers) -> tuple[Integers, Integers]:
        """Hops east or west, and north or south, between cores; a chip is as wide as its mesh."""
        along = self.places[:, 0] * self.core.routers[0] + self.places[:, 1]
        rows = self.places[:, 2]
        across = np.abs(along[senders] - along[receivers])
        return across, np.abs(rows[senders] - rows[receivers])

    @cached_property
    def routers(self) -> int:
        """How many are in use."""
        return len(np.unique(self.places, axis=0))


def mapping_of(network: SpikingNetwork, placement: Placement) -> CoreMapping:
    """A placement of a network, with all that follows from it."""
    core = network.target.core
    layers = layers_of(network, core, placement.state_words)
    return CoreMapping(core, layers, placement.cuts, placement.chips)


def problems_of_mapping(mapping: CoreMapping) -> Iterator[Problem]:
    """Every core that holds more than it can, named by its layer."""
    for index, layer in enumerate(mapping.layers):
        for name, (found, allowed) in mapping.demands(index).against(mapping.core).items():
            if (most := int(found.max())) > allowed:
                what = f"{most} {name} on one core; allowed: {allowed}"
                yield Problem(layer.name, what, "map the network again")
