"""A compiled network as one slayer module, made from its file and exported to the same file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, cast

import torch
from torch import Tensor

from snnc.backends.netx.reader import read
from snnc.backends.netx.writer import write
from snnc.compiler.errors import SnncError
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import Dense, SpikingNetwork
from snnc.runtime.engines.slayer.block import Block, Flatten, Input
from snnc.runtime.engines.slayer.laws import problems_of_network

Watch: TypeAlias = Callable[[str, Tensor], object]


def ignore(name: str, train: Tensor) -> None:
    """Watch nothing."""


class SlayerNetwork(torch.nn.Module):
    """A bit-serial network that processes one presentation block by block, on any device.

    `blocks` are the layers of the file, each after its sources.
    """

    def __init__(self, network: SpikingNetwork) -> None:
        """Build the blocks.

        Raises:
            SnncError: if a population fires in another code, or the network is not legal.
        """
        super().__init__()
        if problems := tuple(problems_of_network(network)):
            raise SnncError(*problems)
        require_legal(network)
        self.header = replace(network, populations=())
        self.blocks = torch.nn.ModuleList(_blocks(network))
        readers = enumerate(self.blocks)
        self._last_reader = {source: index for index, each in readers for source in _sources(each)}

    @classmethod
    def from_file(cls, path: str | Path) -> SlayerNetwork:
        """Read a netx file.

        Raises:
            SnncError: for an unsound file, or a code other than bit-serial.
        """
        return cls(read(Path(path)))

    def forward(self, levels: Tensor, watch: Watch = ignore) -> Tensor:
        """Give the potentials v (N, *readout shape).

        Args:
            levels: whole numbers 0 … N of shape (N, *input shape), on the device of the network.
            watch: called with the name and the train (N, *shape, T) of each population that fires,
                in their order; `watch=trains.__setitem__` keeps them all. Otherwise no train is
                kept longer than blocks read it.
        """
        source, *others, readout = self.blocks
        trains = {0: source(levels)}
        for index, block in enumerate(others, 1):
            trains[index] = block(*(trains[each] for each in _sources(block)))
            if isinstance(block, Block):
                watch(block.name, trains[index])
            trains = {k: each for k, each in trains.items() if self._last_reader.get(k, 0) > index}
        shown: Tensor = readout(*(trains[each] for each in _sources(readout)))
        return shown.squeeze(-1)

    def export_hdf5(self, path: str | Path) -> None:
        """Write the file that the network came from.

        Raises:
            SnncError: for a path that cannot be written.
        """
        write(self.network(), Path(path))

    def network(self) -> SpikingNetwork:
        """The network with the numbers of all blocks as they are now."""
        populations = (each.population() for each in self.blocks if isinstance(each, Block))
        return self.header.replaced(tuple(populations))


def _blocks(network: SpikingNetwork) -> list[Input | Flatten | Block]:
    """Number the blocks as the layers of the file, flatten layers included."""
    blocks: list[Input | Flatten | Block] = [Input(network.input)]
    places = {network.input.name: 0}
    for population in network:
        sources = []
        for each in population.projections:
            node, source = network.nodes[each.source], places[each.source]
            if isinstance(each.connection, Dense) and len(node.shape) > 1:
                blocks.append(Flatten(source, node.size))
                source = len(blocks) - 1
            sources.append(source)
        places[population.name] = len(blocks)
        blocks.append(Block(population, sources))
    return blocks


def _sources(block: torch.nn.Module) -> tuple[int, ...]:
    """The numbers of the blocks that a block reads."""
    return cast("tuple[int, ...]", block.sources)
