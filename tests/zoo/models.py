"""The networks of the zoo: the definitions people use, narrow, with random weights that are alive.

What torchvision defines is taken from there and narrowed, layer by layer. Weights are He's, the
statistics of the batch norms and the thresholds of QCFS come from images.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import (
    DenseNet,
    mobilenet_v2,
    resnet18,
    resnet34,
    resnext50_32x4d,
    vgg16_bn,
)
from torchvision.models.googlenet import Inception
from torchvision.models.inception import BasicConv2d, InceptionA
from torchvision.models.resnet import BasicBlock
from torchvision.models.squeezenet import Fire

from snnc.frontends.torch import export_onnx, quantize_activations

CLASSES = 10
MEAN, STD = 0.45, 0.25


@dataclass(frozen=True)
class Specimen:
    """One network: how it is made, and for which images."""

    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    levels: int = 15
    on_lava: bool = True
    """Whether the tests have the time to simulate it."""


def narrowed(build: Callable[[], nn.Module], divisor: int) -> nn.Module:
    """The same network with fewer channels everywhere but in the images and the classes."""
    with torch.device("meta"):
        model = build()
    for name, module in list(model.named_modules()):
        slim = _narrow(module, divisor)
        if slim is not None:
            parent, _, child = name.rpartition(".")
            setattr(model.get_submodule(parent), child, slim)
    return model


def _narrow(module: nn.Module, divisor: int) -> nn.Module | None:
    def fewer(count: int) -> int:
        return count if count in (1, 3, CLASSES) else count // divisor

    if isinstance(module, nn.BatchNorm2d):
        return nn.BatchNorm2d(fewer(module.num_features), module.eps)
    if isinstance(module, nn.Linear):
        return nn.Linear(fewer(module.in_features), fewer(module.out_features))
    if isinstance(module, nn.Conv2d):
        ends = fewer(module.in_channels), fewer(module.out_channels)
        space = module.kernel_size, module.stride, module.padding, module.dilation
        return nn.Conv2d(*ends, *space, fewer(module.groups), bias=module.bias is not None)
    return None


def mlp(inputs: int = 144) -> nn.Module:
    """Three matrices, with and without a norm."""
    first = nn.Linear(inputs, 40), nn.BatchNorm1d(40), nn.ReLU()
    return nn.Sequential(nn.Flatten(), *first, nn.Linear(40, 24), nn.ReLU(), nn.Linear(24, CLASSES))


def lenet() -> nn.Module:
    """A max pool behind the first activation, another before the second."""
    convolutions = (
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU()),
    )
    matrices = nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, CLASSES)
    return nn.Sequential(*convolutions, nn.Flatten(), *matrices)


def vgg16(divisor: int = 8) -> nn.Module:
    """As used on CIFAR: one matrix behind the last pool."""

    def build() -> nn.Module:
        return nn.Sequential(vgg16_bn().features, nn.Flatten(), nn.Linear(512, CLASSES))

    return narrowed(build, divisor)


def slim(build: Callable[..., nn.Module], divisor: int = 8) -> nn.Module:
    """One of torchvision's."""
    return narrowed(lambda: build(num_classes=CLASSES), divisor)


def resnet20(width: int = 16) -> nn.Module:
    """He et al.'s for CIFAR, 1x1 convolutions where shortcuts are strided."""
    layers = [nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    channels = width
    for out in (width, 2 * width, 4 * width):
        for index in range(3):
            stride = 2 if index == 0 and out > width else 1
            layers.append(BasicBlock(channels, out, stride, _shortcut(channels, out, stride)))
            channels = out
    return nn.Sequential(*layers, *_head(channels))


def _shortcut(channels: int, out: int, stride: int) -> nn.Module | None:
    if channels == out:
        return None
    return nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))


def _head(channels: int) -> tuple[nn.Module, ...]:
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)


class PreActivation(nn.Module):
    """Norm and activation before each convolution; the sum itself is never bent."""

    def __init__(self, channels: int, out: int, stride: int = 1) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(out)
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.shortcut = None if channels == out else nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        bent = functional.relu(self.norm1(x))
        skipped = x if self.shortcut is None else self.shortcut(bent)
        return self.conv2(functional.relu(self.norm2(self.conv1(bent)))) + skipped


def preactivation_resnet(width: int = 8) -> nn.Module:
    """Two blocks without a stride, two with one."""
    blocks = (
        *(PreActivation(width, width), PreActivation(width, width)),
        *(PreActivation(width, 2 * width, 2), PreActivation(2 * width, 4 * width, 2)),
    )
    stem, last = nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(4 * width)
    return nn.Sequential(stem, *blocks, last, nn.ReLU(), *_head(4 * width))


MOBILENET = (
    *((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)),
    *(((512, 1),) * 5),
    *((1024, 2), (1024, 1)),
)


def mobilenet_v1(divisor: int = 4) -> nn.Module:
    """Howard et al.'s; the widest depthwise convolutions have 1024/divisor channels."""
    channels = 32 // divisor
    layers = _normed(nn.Conv2d(3, channels, 3, 2, 1, bias=False))
    for out, stride in ((n // divisor, stride) for n, stride in MOBILENET):
        layers += _normed(nn.Conv2d(channels, channels, 3, stride, 1, 1, channels, bias=False))
        layers += _normed(nn.Conv2d(channels, out, 1, bias=False))
        channels = out
    return nn.Sequential(*layers, *_head(channels))


def _normed(conv: nn.Conv2d) -> list[nn.Module]:
    return [conv, nn.BatchNorm2d(conv.out_channels), nn.ReLU6(inplace=True)]


def densenet() -> nn.Module:
    """torchvision's, two blocks and a transition; norms and activations read concatenations."""
    return DenseNet(8, (3, 2), num_init_features=16, bn_size=2, num_classes=CLASSES)


class Growing(nn.Module):
    """A layer whose result stands beside its source: concatenations of concatenations."""

    def __init__(self, channels: int, more: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = nn.Conv2d(channels, more, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self.conv(functional.relu(self.norm(x))), x], 1)


def growing_network(width: int = 8) -> nn.Module:
    """DenseNet as it is written for CIFAR."""
    layers = [Growing(width * n, width) for n in range(1, 4)]
    stem, last = nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(4 * width)
    between = nn.AvgPool2d(2), Growing(4 * width, width)
    norm = nn.BatchNorm2d(5 * width), nn.ReLU()
    return nn.Sequential(stem, *layers, last, nn.ReLU(), *between, *norm, *_head(5 * width))


def squeezenet(divisor: int = 4) -> nn.Module:
    """Two Fire blocks, max pools that round up, an average of the last activation."""

    def build() -> nn.Module:
        stem = nn.Conv2d(3, 64, 3, stride=2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True)
        pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        fires = Fire(64, 16, 64, 64), pool, Fire(128, 32, 128, 128)
        end = nn.Conv2d(256, CLASSES, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        return nn.Sequential(*stem, *fires, *end)

    return narrowed(build, divisor)


def inception(divisor: int = 8) -> nn.Module:
    """Two blocks of four branches, one with a max pool and one with an average pool."""

    def build() -> nn.Module:
        stem = BasicConv2d(3, 64, kernel_size=3, stride=2, padding=1)
        blocks = Inception(64, 64, 48, 64, 16, 32, 32), InceptionA(192, 64)
        return nn.Sequential(stem, *blocks, *_head(288))

    return narrowed(build, divisor)


def googlenet(divisor: int = 8) -> nn.Module:
    """Its first blocks: a max pool reads a concatenation, and is read by another max pool."""

    def build() -> nn.Module:
        stem = BasicConv2d(3, 64, kernel_size=3, stride=2, padding=1)
        first = Inception(64, 64, 48, 64, 16, 32, 32), nn.MaxPool2d(3, 2, ceil_mode=True)
        return nn.Sequential(stem, *first, Inception(192, 64, 48, 64, 16, 32, 32), *_head(192))

    return narrowed(build, divisor)


def line_network() -> nn.Module:
    """Convolutions, norms and pools over one axis."""
    layers = (
        *(nn.Conv1d(2, 8, 7, padding=3), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2)),
        *(nn.Conv1d(8, 16, 5, stride=2), nn.BatchNorm1d(16), nn.ReLU(), nn.AvgPool1d(2)),
        *(nn.Conv1d(16, 16, 3, dilation=2, groups=4), nn.ReLU()),
    )
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(16, CLASSES))


ZOO: Mapping[str, Specimen] = {
    "mlp": Specimen(mlp, (1, 12, 12)),
    "lenet": Specimen(lenet, (1, 16, 16)),
    "vgg16": Specimen(vgg16, (3, 32, 32), 7),
    "resnet18": Specimen(lambda: slim(resnet18), (3, 32, 32), 7),
    "resnet20": Specimen(lambda: resnet20(8), (3, 16, 16), 7),
    "resnet34": Specimen(lambda: slim(resnet34), (3, 32, 32), 7),
    "resnext50": Specimen(lambda: slim(resnext50_32x4d), (3, 32, 32), 7, on_lava=False),
    "preactivation": Specimen(preactivation_resnet, (3, 12, 12), 7),
    "mobilenet_v1": Specimen(mobilenet_v1, (3, 32, 32), 7),
    "mobilenet_v2": Specimen(lambda: slim(mobilenet_v2), (3, 32, 32), 7, on_lava=False),
    "densenet": Specimen(densenet, (3, 32, 32), 7),
    "growing": Specimen(growing_network, (3, 12, 12), 7),
    "squeezenet": Specimen(squeezenet, (3, 32, 32), 7),
    "inception": Specimen(inception, (3, 16, 16), 7),
    "googlenet": Specimen(googlenet, (3, 16, 16), 7, on_lava=False),
    "line": Specimen(line_network, (2, 64), 15),
}


def images(shape: tuple[int, ...], count: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Smooth random images: where all pixels are independent, deep layers see no difference."""
    rng = torch.Generator().manual_seed(seed)
    space = shape[1:]
    coarse = torch.rand((count, shape[0], *(3,) * len(space)), generator=rng)
    mode = "bilinear" if len(space) == 2 else "linear"
    smooth = functional.interpolate(coarse, space, mode=mode, align_corners=True)
    noisy = smooth + 0.1 * torch.randn((count, *shape), generator=rng)
    return (255 * noisy).clamp(0, 255).round().to(torch.uint8).numpy()


def quantized(specimen: Specimen, *, count: int = 32, seed: int = 0) -> nn.Module:
    """The network with norms and thresholds that fit what reaches them on some images."""
    torch.manual_seed(seed)
    model = specimen.build()
    x = torch.from_numpy(images(specimen.shape, count, seed + 1)) / 255
    x = (x - MEAN) / STD
    _initialise(model)
    model.train()(x)
    return quantize_activations(model.eval(), specimen.levels, x)


def _initialise(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.normal_(module.bias, std=0.2)


def export(specimen: Specimen, path: Path, **options: int) -> Path:
    """The network as an ONNX file."""
    example = torch.zeros((1, *specimen.shape))
    export_onnx(quantized(specimen, **options), example, path)
    return path
