"""A small convolutional network with QCFS activations."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from snnc.frontends.torch import QCFS


def digits_network(levels: int) -> nn.Sequential:
    """Images (N, 1, 8, 8) from 0 to 1 to logits (N, 10)."""
    return network_of(lambda channels: QCFS(levels, threshold=2.0))


def network_of(activation: Callable[[int], nn.Module]) -> nn.Sequential:
    """The same with any activation, which is made for a number of channels."""
    return nn.Sequential(
        *_stage(1, 16, 1, activation),
        *_stage(16, 32, 2, activation),
        *_stage(32, 32, 1, activation),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 10),
    )


def _stage(
    channels_in: int, channels_out: int, stride: int, activation: Callable[[int], nn.Module]
) -> list[nn.Module]:
    """The batch norm carries the bias and keeps pre-activations near the threshold's scale."""
    convolution = nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(channels_out), activation(channels_out)]
