"""The layers of a file as slayer blocks.

A spike train is a tensor (N, C, H, W, T) or (N, neurons, T), with the T steps of its sender's turn.
A presentation passes from block to block: when a turn begins, and the delay between blocks, play no
role.
"""

# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from snnc.compiler.inputs import Input as InputNode
from snnc.compiler.spiking import Convolution, Population
from snnc.runtime.engines.slayer import neuron
from snnc.runtime.engines.slayer.laws import LAWS
from snnc.runtime.engines.slayer.library import slayer
from snnc.runtime.engines.slayer.neuron import EXACT, WholeNumberNeuron
from snnc.runtime.engines.slayer.synapse import Conv, Dense


class Input(torch.nn.Module):
    """Sends pixels: each as one graded spike, or as its bits."""

    places: Tensor
    """Of the bits, the highest first."""

    def __init__(self, node: InputNode) -> None:
        super().__init__()
        self.node = node
        self.sources: tuple[int, ...] = ()
        self.register_buffer("places", torch.arange(node.turn).flip(0))

    def forward(self, levels: Tensor) -> Tensor:
        """Turn whole levels (N, *shape) into a train (N, *shape, T)."""
        train = levels.unsqueeze(-1)
        return (train >> self.places & 1 if self.node.train == "bits" else train).to(EXACT)


class Flatten(slayer.block.cuba.Flatten):
    """slayer's flatten block, which knows who sends."""

    def __init__(self, source: int, size: int) -> None:
        super().__init__()
        self.sources = (source,)
        self.shape = (size,)


class Block(torch.nn.Module):
    """A population: its neuron, and the synapses from each of its sources."""

    def __init__(self, population: Population, sources: Sequence[int]) -> None:
        super().__init__()
        self.held = population
        self.name = population.name
        self.sources = tuple(sources)
        kind = LAWS[type(population.neuron)]
        assert kind is not None
        self.neuron: WholeNumberNeuron = getattr(neuron, kind)(population)
        self.synapses = torch.nn.ModuleList(
            (Conv if isinstance(each.connection, Convolution) else Dense)(each)
            for each in population.projections
        )
        for each in self.synapses:
            each.pre_hook_fx = self.neuron.quantize_8bit

    @property
    def synapse(self) -> Conv | Dense:
        """The synapses from the first source."""
        return cast(Conv | Dense, self.synapses[0])

    @property
    def shape(self) -> torch.Size:
        """Shape of the population."""
        return self.neuron.shape

    def forward(self, *trains: Tensor) -> Tensor:
        """Turn the trains of all sources into what the neurons fire.

        Trains of unequal length end together, bit by bit of one place: v is a sum over all of them,
        whenever each arrives.
        """
        steps = max(each.shape[-1] for each in trains)
        arrived = self._weighed(self.synapses[0], trains[0], steps)
        for synapse, train in zip(self.synapses[1:], trains[1:], strict=True):
            arrived = arrived + self._weighed(synapse, train, steps)
        return cast(Tensor, self.neuron(arrived))

    def _weighed(self, synapse: torch.nn.Module, train: Tensor, steps: int) -> Tensor:
        weighted = synapse(train).reshape(len(train), *self.shape, train.shape[-1])
        silent = steps - train.shape[-1]
        return functional.pad(weighted, (silent, 0)) if silent else weighted

    def population(self) -> Population:
        """The population with the numbers as they are now."""
        projections = tuple(cast(Conv | Dense, e).projection() for e in self.synapses)
        bias = np.asarray(self.neuron.bias.cpu(), np.int64)
        return replace(self.held, projections=projections, bias=bias, neuron=self.neuron.law())
