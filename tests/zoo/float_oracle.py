"""A second opinion in real numbers: a compiled network as a float64 network of PyTorch.

Weights are w·2^e/Δ levels, the bias (B + ½)/Δ: half a unit keeps every sum clear of the steps, so
that no rounding of a float64 crosses one. Shares no code with the engines of snnc.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from snnc.compiler.laws import Firing
from snnc.compiler.spiking import Convolution, Population, Projection, SpikingNetwork


def evaluate(network: SpikingNetwork, pixels: Tensor) -> dict[str, Tensor]:
    """Levels of every population, and the logits, for level numbers (images, *shape) of pixels."""
    values = {network.input.name: pixels.double()}
    for population in network:
        sums = sum(_real(each, values[each.source], population) for each in population.projections)
        values[population.name] = _respond(population, sums)
    return values


def _real(projection: Projection, levels: Tensor, population: Population) -> Tensor:
    connection = projection.connection
    whole = torch.from_numpy(connection.weights.copy()).double() * 2.0**projection.exponent
    if not isinstance(connection, Convolution):
        each = whole.reshape(*population.shape, -1) * _unit(population)[..., None]
        flat = each.reshape(len(whole), -1)
        return (levels.flatten(1) @ flat.T).reshape(-1, *population.shape)
    top, left, bottom, right = connection.pads
    padded = functional.pad(levels, (left, right, top, bottom))
    return functional.conv2d(
        padded,
        whole * _unit(population).reshape(-1, 1, 1, 1),
        stride=connection.strides,
        dilation=connection.dilations,
        groups=connection.groups,
    )


def _unit(population: Population) -> Tensor:
    """What one unit of the membrane is worth: 1/Δ of a level, or a share of the logit."""
    neuron = population.neuron
    unit = 1 / neuron.step if isinstance(neuron, Firing) else neuron.unit
    return torch.from_numpy(unit).reshape(-1, *(1,) * (len(population.shape) - 1))


def _respond(population: Population, sums: Tensor) -> Tensor:
    fires = isinstance(population.neuron, Firing)
    bias = torch.from_numpy(population.bias.copy()).double() + (0.5 if fires else 0.0)
    spread = (1,) * (len(population.shape) - bias.ndim)
    total = sums + bias.reshape(*bias.shape, *spread) * _unit(population)
    return total.floor().clamp(0, population.neuron.levels) if fires else total
