"""The layers of a file as slayer blocks, each of which exports itself.

A spike train is a tensor (N, C, H, W, T) or (N, neurons, T), with the T steps of its sender's turn.
A presentation passes from block to block: when a turn begins, and the delay between blocks, play no
role.
"""

# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import write_array
from snnc.backends.netx.writer import begin_layer
from snnc.compiler.neurons import Readout
from snnc.compiler.spiking import Convolution, Population
from snnc.compiler.spiking import Input as InputNode
from snnc.runtime.slayer.library import slayer
from snnc.runtime.slayer.neuron import EXACT, AccumulateThenFire, Membrane, ShowPotential
from snnc.runtime.slayer.synapse import Conv, Dense


class Input(torch.nn.Module):
    """Sends pixels: each as one graded spike, or as its bits."""

    places: Tensor
    """Of the bits, the highest first."""

    def __init__(self, node: InputNode) -> None:
        super().__init__()
        self.name, self.shape, self.code = node.name, node.shape, node.code
        self.sources: tuple[int, ...] = ()
        self.register_buffer("places", torch.arange(node.time_steps).flip(0))

    def forward(self, levels: Tensor) -> Tensor:
        """Turn whole levels (N, *shape) into a train (N, *shape, T)."""
        train = levels.unsqueeze(-1)
        return (train if self.code == "graded" else train >> self.places & 1).to(EXACT)

    def export_hdf5(self, handle: h5py.Group) -> None:
        """Fill the layer's group; the code stands in the attributes of the file."""
        begin_layer(handle, self.name, schema.INPUT, self.shape)


class Flatten(slayer.block.cuba.Flatten):
    """slayer's flatten block, which knows who sends."""

    def __init__(self, source: int, size: int) -> None:
        super().__init__()
        self.sources = (source,)
        self.shape = (size,)

    def export_hdf5(self, handle: h5py.Group) -> None:
        """Fill the layer's group."""
        (source,) = self.sources
        begin_layer(handle, f"{schema.FLATTEN} {source}", schema.FLATTEN, self.shape)
        handle[schema.SOURCE] = np.array([source], schema.COUNT_TYPE)


class Block(torch.nn.Module):
    """A population: its neuron, and the synapses from each of its sources."""

    def __init__(self, population: Population, sources: Sequence[int]) -> None:
        super().__init__()
        self.name = population.name
        self.sources = tuple(sources)
        readout = isinstance(population.neuron, Readout)
        self.neuron: Membrane = (ShowPotential if readout else AccumulateThenFire)(population)
        self.synapses = torch.nn.ModuleList(
            (Conv if isinstance(each.connection, Convolution) else Dense)(each, source)
            for each, source in zip(population.projections, sources, strict=True)
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

    def export_hdf5(self, handle: h5py.Group) -> None:
        """Fill the layer's group."""
        begin_layer(handle, self.name, self.synapse.kind, self.shape)
        self.synapse.export_hdf5(handle)
        for index, synapse in enumerate(self.synapses[1:]):
            further = handle.create_group(f"{schema.PROJECTION}/{index}")
            further[schema.TYPE] = np.bytes_(synapse.kind)
            synapse.export_hdf5(further)
        bias = self.neuron.bias.cpu().numpy().astype(schema.STATE_TYPE)
        write_array(handle, schema.BIAS, bias)
        self._export_neuron(handle.create_group(schema.NEURON))

    def _export_neuron(self, handle: h5py.Group) -> None:
        for key, value in self.neuron.device_params.items():
            if isinstance(value, np.ndarray):
                write_array(handle, key, value)
            else:
                handle[key] = value
