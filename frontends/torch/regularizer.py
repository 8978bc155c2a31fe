"""Fewer spikes: the bits of every activation, as a loss and as a count."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from snnc.compiler.errors import refusal
from snnc.compiler.laws import bits_for
from snnc.frontends.torch.evaluation import evaluating
from snnc.frontends.torch.qcfs import QCFS


def bit_l1(model: nn.Module) -> Tensor:
    """Spikes per image of the last forward pass in training, a scalar that can be minimised.

    Add it to the loss with a weight near 0.2 divided by the spikes per image of the network trained
    without it: 1e-4 for a thousand or two, 1e-5 for tens of thousands. That halves them at next to
    no loss (docs/questions.md); ten times as much costs accuracy. Each bit is one spike of the
    converted network, so its value is the exact count; its gradient is a surrogate, because a count
    has none.

    Raises:
        SnncError: when no QCFS layer has seen a forward pass in training mode.
    """
    layers = [each for each in model.modules() if isinstance(each, QCFS)]
    counts = [_spikes(layer.numbers, layer.levels) for layer in layers if layer.numbers is not None]
    if not counts:
        what = f"none of its {len(layers)} QCFS layers has seen a forward pass in training mode"
        raise refusal(type(model).__name__, what, "call model.train() and model(images) before")
    return torch.stack(counts).sum()


def spikes_per_image(model: nn.Module, images: Tensor) -> float:
    """Spikes that the converted network sends for one image of these, on average.

    Args:
        model: is left in the mode it is in.
        images: (N, …), as the model takes them.
    """
    total = 0.0

    def count(layer: QCFS, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        numbers = (output * (layer.levels / layer.threshold)).round()
        total += _spikes(numbers, layer.levels).item()

    layers = [each for each in model.modules() if isinstance(each, QCFS)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with evaluating(model):
            model(images)
    finally:
        for hook in hooks:
            hook.remove()
    return total


def _spikes(numbers: Tensor, levels: int) -> Tensor:
    """Ones in the binary digits of whole numbers (N, …) from 0 to levels, a mean over N."""
    return torch.stack([bits.sum() for bits in _bits(numbers, levels)]).sum() / len(numbers)


def _bits(numbers: Tensor, levels: int) -> Iterator[Tensor]:
    """Binary digits, the highest first, found as the neuron finds them: compare, then subtract.

    The derivative of [rest ≥ θ] is a triangle around θ, 2θ wide and 1/θ high. It multiplies a
    difference that is zero, so that the digits stay exact.
    """
    rest = numbers
    for position in reversed(range(bits_for(levels))):
        threshold = 1 << position
        fixed = rest.detach()
        slope = (1 - (fixed / threshold - 1).abs()).clamp(min=0) / threshold
        bits = (fixed >= threshold) + slope * (rest - fixed)
        rest = rest - bits * threshold
        yield bits
