"""A small residual network and a small VGG, with ReLU or with staircases."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from examples.glyphs.data import CLASSES
from snnc.frontends.torch import QCFS

RESNET_STAGES = (16, 32, 48, 64)
VGG_STAGES = (16, 32, 64, 96)


def glyphs_resnet(levels: int | None = None) -> nn.Sequential:
    """Images (N, 1, 32, 32) from 0 to 1 to logits (N, 62), by 13 convolutions and 3 shortcuts.

    Args:
        levels: the highest level of every activation; None for ReLU.
    """
    stages = [
        block
        for before, after in pairwise(RESNET_STAGES)
        for block in (Residual(before, after, levels), Residual(after, after, levels))
    ]
    return nn.Sequential(
        *_convolution(1, RESNET_STAGES[0], 1, levels),
        *stages,
        nn.AvgPool2d(4),
        nn.Flatten(),
        nn.Linear(RESNET_STAGES[-1], CLASSES),
    )


def glyphs_vgg(levels: int | None = None) -> nn.Sequential:
    """Images (N, 1, 32, 32) from 0 to 1 to logits (N, 62), by 7 convolutions and 2 dense layers.

    Args:
        levels: the highest level of every activation; None for ReLU.
    """
    first, *later = VGG_STAGES
    layers = [*_convolution(1, first, 1, levels), nn.AvgPool2d(2)]
    for before, after in pairwise((first, *later)):
        layers += _convolution(before, after, 1, levels)
        layers += [*_convolution(after, after, 1, levels), nn.AvgPool2d(2)]
    features = 4 * later[-1]
    hidden = [nn.Linear(features, 128, bias=False), nn.BatchNorm1d(128), _activation(levels)]
    return nn.Sequential(*layers, nn.Flatten(), *hidden, nn.Linear(128, CLASSES))


class Residual(nn.Module):
    """Two convolutions beside a shortcut, activated after the sum.

    The shortcut is a 1×1 convolution where the number of channels changes, and the image halves.
    """

    def __init__(self, before: int, after: int, levels: int | None) -> None:
        super().__init__()
        stride = 1 if before == after else 2
        self.first = nn.Sequential(*_convolution(before, after, stride, levels))
        self.second = nn.Sequential(*_convolution(after, after, 1, levels)[:-1])
        projection = nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
        self.shortcut = nn.Identity() if before == after else nn.Sequential(*projection)
        self.activation = _activation(levels)

    def forward(self, x: Tensor) -> Tensor:
        """The activation of what the convolutions add to the shortcut."""
        total: Tensor = self.activation(self.second(self.first(x)) + self.shortcut(x))
        return total


def _convolution(before: int, after: int, stride: int, levels: int | None) -> list[nn.Module]:
    """The batch norm carries the bias and keeps pre-activations near the threshold's scale."""
    convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(after), _activation(levels)]


def _activation(levels: int | None) -> nn.Module:
    return nn.ReLU() if levels is None else QCFS(levels, threshold=2.0)
