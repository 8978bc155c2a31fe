"""A projection as slayer synapses: whole weights, which deliver Σ w·s·2^e for every time step."""

# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar, TypeAlias

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from snnc.backends.netx import schema
from snnc.backends.netx.arrays import write_array
from snnc.compiler.spiking import Convolution, Projection
from snnc.compiler.spiking import Dense as DenseConnection
from snnc.runtime.slayer.library import slayer
from snnc.runtime.slayer.neuron import EXACT

Geometry: TypeAlias = Iterable[tuple[str, int | tuple[int, ...]]]


class WholeWeights:
    """What both synapses share. The weights are those of the file, and their scale is 1."""

    kind: ClassVar[str]
    """The name of the type in a file."""
    weight: torch.nn.Parameter
    pre_hook_fx: Callable[..., Tensor]

    def hold(self, projection: Projection, source: int) -> None:
        """Take over the weights of a projection from the layer numbered source."""
        self.source = source
        self.exponent = projection.exponent
        self.error = projection.error
        weights = torch.as_tensor(projection.connection.weights, dtype=EXACT)
        self.form = weights.shape
        self.weight = torch.nn.Parameter(weights.reshape(self.weight.shape), requires_grad=False)

    def export_hdf5(self, handle: h5py.Group) -> None:
        """Fill the keys of a projection."""
        handle[schema.SOURCE] = np.array([self.source], schema.COUNT_TYPE)
        weights = self.pre_hook_fx(self.weight, descale=True).reshape(self.form)
        write_array(handle, schema.WEIGHT, weights.cpu().numpy().astype(schema.WEIGHT_TYPE))
        handle[schema.WEIGHT_EXPONENT] = schema.COUNT_TYPE(self.exponent)
        handle[schema.WEIGHT_ERROR] = np.float64(self.error)
        for key, numbers in self.geometry():
            handle[key] = np.array(numbers, schema.COUNT_TYPE)

    def geometry(self) -> Geometry:
        """How the weights lie, by the keys of the file."""
        return ()

    def _delivered(self, sums: Tensor) -> Tensor:
        return sums.round_().mul_(2**self.exponent)


class Conv(WholeWeights, slayer.synapse.Conv):
    """slayer's convolution in three dimensions, one of them time, with pads on four sides."""

    kind = schema.CONVOLUTION

    def __init__(self, projection: Projection, source: int) -> None:
        convolution = projection.connection
        assert isinstance(convolution, Convolution)
        outputs, inputs, *kernel = convolution.weights.shape
        super().__init__(
            inputs * convolution.groups,
            outputs,
            kernel,
            stride=convolution.strides,
            dilation=convolution.dilations,
            groups=convolution.groups,
        )
        self.pads = convolution.pads
        self.hold(projection, source)

    def forward(self, spikes: Tensor) -> Tensor:
        """Weigh the spikes (N, C, H, W, T) of all time steps in one call."""
        top, left, bottom, right = self.pads
        padded = functional.pad(spikes, (0, 0, left, right, top, bottom))
        return self._delivered(super().forward(padded))

    def geometry(self) -> Iterator[tuple[str, int | tuple[int, ...]]]:
        """Strides, pads, dilations, groups and extents; time, the last axis, is slayer's alone."""
        top, left, bottom, right = self.pads
        yield schema.STRIDE, self.stride[:2]
        yield schema.PADDING, (top, left) if (top, left) == (bottom, right) else self.pads
        yield schema.DILATION, self.dilation[:2]
        yield schema.GROUPS, self.groups
        yield schema.IN_CHANNELS, self.in_channels
        yield schema.OUT_CHANNELS, self.out_channels
        yield schema.KERNEL_SIZE, self.kernel_size[:2]


class Dense(WholeWeights, slayer.synapse.Dense):
    """slayer's matrix of synapses."""

    kind = schema.DENSE

    def __init__(self, projection: Projection, source: int) -> None:
        assert isinstance(projection.connection, DenseConnection)
        outputs, inputs = projection.connection.weights.shape
        super().__init__(inputs, outputs)
        self.hold(projection, source)

    def forward(self, spikes: Tensor) -> Tensor:
        """Weigh the spikes (N, C, T) of all images and time steps as one matrix."""
        images, _, steps = spikes.shape
        sums = super().forward(spikes.transpose(0, 1).flatten(1).unsqueeze(0)).squeeze(0)
        return self._delivered(sums.unflatten(1, (images, steps)).transpose(0, 1))
