"""A projection as slayer synapses: whole weights, which deliver Σ w·s·2^e for every time step."""

# mypy: disable-error-code="misc"

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from snnc.compiler.spiking import Convolution, Projection
from snnc.compiler.spiking import Dense as DenseConnection
from snnc.runtime.engines.slayer.library import slayer
from snnc.runtime.engines.slayer.neuron import EXACT


class WholeWeights:
    """What both synapses share. The weights are those of the file, and their scale is 1."""

    weight: torch.nn.Parameter
    pre_hook_fx: Callable[..., Tensor]

    def hold(self, projection: Projection) -> None:
        """Take over the weights of a projection."""
        self.held = projection
        weights = torch.as_tensor(projection.connection.weights, dtype=EXACT)
        self.form = weights.shape
        self.weight = torch.nn.Parameter(weights.reshape(self.weight.shape), requires_grad=False)

    def projection(self) -> Projection:
        """The projection with the weights as they are now."""
        weights = self.pre_hook_fx(self.weight, descale=True).reshape(self.form)
        whole = weights.cpu().numpy().astype(np.int64)
        connection = replace(self.held.connection, weights=whole)
        return replace(self.held, connection=connection)

    def _delivered(self, sums: Tensor) -> Tensor:
        return sums.round_().mul_(2**self.held.exponent)


class Conv(WholeWeights, slayer.synapse.Conv):
    """slayer's convolution in three dimensions, one of them time, with pads on four sides."""

    def __init__(self, projection: Projection) -> None:
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
        self.hold(projection)

    def forward(self, spikes: Tensor) -> Tensor:
        """Weigh the spikes (N, C, H, W, T) of all time steps in one call."""
        top, left, bottom, right = self.pads
        padded = functional.pad(spikes, (0, 0, left, right, top, bottom))
        return self._delivered(super().forward(padded))


class Dense(WholeWeights, slayer.synapse.Dense):
    """slayer's matrix of synapses."""

    def __init__(self, projection: Projection) -> None:
        assert isinstance(projection.connection, DenseConnection)
        outputs, inputs = projection.connection.weights.shape
        super().__init__(inputs, outputs)
        self.hold(projection)

    def forward(self, spikes: Tensor) -> Tensor:
        """Weigh the spikes (N, C, T) of all images and time steps as one matrix."""
        images, _, steps = spikes.shape
        sums = super().forward(spikes.transpose(0, 1).flatten(1).unsqueeze(0)).squeeze(0)
        return self._delivered(sums.unflatten(1, (images, steps)).transpose(0, 1))
