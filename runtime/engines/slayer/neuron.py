"""The accumulate-then-fire neurons as slayer neurons, for all time steps of a presentation at once.

    dynamics:   u ← 2u + a in each time step; v = u + B
    spike:      v ← min(v, (N + 1)·Δ − 1), then T times: s = [v ≥ θ] ; v ← v − s·θ ; θ ← θ/2

slayer splits a neuron in the same two methods. What it calls the scale of a state is 1 here: states
are whole numbers.
"""

# mypy: disable-error-code="misc"

from __future__ import annotations

from math import prod

import numpy as np
import torch
from torch import Tensor

from snnc.compiler.laws import BitSerial, Integers, Readout
from snnc.compiler.spiking import Population
from snnc.runtime.engines.slayer.library import slayer

EXACT = torch.float64
"""Sums reach 2^23. Rounded, a float64 gives them exactly by whatever algorithm; a float32 would not
by those of a GPU, which may multiply in TF32 or in Winograd's fractions."""


class WholeNumberNeuron(slayer.neuron.base.Neuron):
    """What both neurons share: Horner's rule over the time steps, and the bias B."""

    bias: Tensor
    """(channels,), or the neurons' shape."""

    def __init__(self, population: Population) -> None:
        super().__init__(threshold=0)
        self.shape = torch.Size(population.shape)
        self.num_neurons = prod(population.shape)
        self.register_buffer("bias", torch.as_tensor(population.bias, dtype=EXACT))

    @property
    def device(self) -> torch.device:
        """Where the constants are."""
        return self.bias.device

    def law(self) -> BitSerial | Readout:
        """The law with the numbers as they are now."""
        raise NotImplementedError

    def quantize_8bit(self, weight: Tensor, descale: bool = False) -> Tensor:
        """Leave the weights of a synapse as they are: whole numbers already."""
        return weight

    def forward(self, arrived: Tensor) -> Tensor:
        """Turn weighted spikes (N, *shape, steps), the highest bit first, into what is fired."""
        return self.spike(self.dynamics(arrived))

    def dynamics(self, arrived: Tensor) -> Tensor:
        """The potential v (N, *shape) after the last time step."""
        current, *others = arrived.unbind(-1)
        for each in others:
            current = torch.add(each, current, alpha=2)
        return current + self.spread(self.bias)

    def spike(self, potential: Tensor) -> Tensor:
        """What leaves the neuron (N, *shape, T), given v."""
        raise NotImplementedError

    def spread(self, values: Tensor) -> Tensor:
        """View numbers for each channel, or for each neuron, so that they broadcast over shape."""
        return values if values.ndim > 1 else values.reshape(-1, *[1] * (len(self.shape) - 1))


class AccumulateThenFire(WholeNumberNeuron):
    """The neuron of a bit-serial population: its spikes are the bits of n, the highest first."""

    step: Tensor
    """Δ for each channel."""

    def __init__(self, population: Population) -> None:
        assert isinstance(population.neuron, BitSerial)
        super().__init__(population)
        self.register_buffer("step", torch.as_tensor(population.neuron.step, dtype=EXACT))
        self.levels = population.neuron.levels
        self.lead = population.neuron.lead
        self.turn = population.neuron.turn

    @property
    def threshold(self) -> Tensor:
        """The first and highest threshold of each channel, Δ·2^(bits − 1)."""
        return self.step * 2.0 ** (self.turn - self.lead - 1)

    def law(self) -> BitSerial:
        """The law with Δ as it is now."""
        return BitSerial(_whole(self.step), self.levels, self.lead)

    def spike(self, potential: Tensor) -> Tensor:
        """Fire, halving the threshold: `lead` silent steps, then one for each bit."""
        v = torch.minimum(potential, self.spread((self.levels + 1) * self.step - 1))
        threshold = self.spread(self.threshold)
        spikes = v.new_zeros(self.turn, *v.shape)
        for fired in spikes[self.lead :]:
            fired.copy_(v >= threshold)
            v.addcmul_(fired, threshold, value=-1)
            threshold = threshold / 2
        return spikes.movedim(0, -1)


class ShowPotential(WholeNumberNeuron):
    """The neuron of the read-out."""

    unit: Tensor
    """The real value of one unit of v, for each channel."""

    def __init__(self, population: Population) -> None:
        assert isinstance(population.neuron, Readout)
        super().__init__(population)
        self.register_buffer("unit", torch.as_tensor(population.neuron.unit, dtype=EXACT))

    def law(self) -> Readout:
        """The law with the units as they are now."""
        return Readout(self.unit.cpu().numpy())

    def spike(self, potential: Tensor) -> Tensor:
        """Show v once, as a graded spike."""
        return potential.unsqueeze(-1)


def _whole(numbers: Tensor) -> Integers:
    return np.asarray(numbers.cpu(), np.int64)
