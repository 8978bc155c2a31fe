"""Random models, node by node: every kind of layer, weight, bias, norm, pool and staircase."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from support.onnx_models import Graph


class Axis(NamedTuple):
    """What a convolution does along one axis, and the places that it leaves."""

    kernel: int
    gap: int
    stride: int
    before: int
    after: int
    size: int


class Drawing:
    """A model that grows layer by layer, and knows the shape of what it has."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        axes = int(rng.choice([0, 1, 2, 2, 2, 2]))
        self.pixels = (self.integer(1, 4), *(self.integer(4, 9) for _ in range(axes)))
        self.shape = self.pixels
        self.plain = self.chance(0.08)
        """Whether its activations are ReLUs, for calibration images to make staircases of."""
        self.graph = Graph("batch", *self.shape, seed=self.integer(0, 2**31))

    def model(self) -> Graph:
        """One to four blocks, and logits, which sometimes have places."""
        if self.chance(0.8):
            self.layer()
        for _ in range(self.integer(1, 3)):
            self.block()
        if self.space and self.chance(0.9):
            if self.chance(0.2):
                self.pool_everything()
            self.graph.node("Flatten")
            self.shape = (int(np.prod(self.shape)),)
        self.weigh()
        return self.graph

    def block(self) -> None:
        """A layer, or several with branches; behind a matrix there are matrices alone."""
        blocks: list[Callable[[], None]] = [self.layer]
        if self.space:
            blocks += [self.layer, self.residual, self.residual, self.concatenated]
            blocks += [self.max_pool, self.average_pool]
        else:
            blocks += [self.residual, self.concatenated]
        blocks[self.integer(0, len(blocks) - 1)]()

    def layer(self) -> None:
        """Weights, sometimes a norm, a staircase."""
        self.weigh()
        if self.chance(0.3):
            self.norm()
        self.activate()

    def residual(self) -> None:
        """A sum of what there is, or of a projection of it, and one or two layers."""
        start, shape = self.graph.last, self.shape
        if self.chance(0.5):
            self.layer()
        self.weigh(keeps_space=True, out=shape[0])
        if self.shape != shape:
            changed, self.shape = self.shape, shape
            main, self.graph.last = self.graph.last, start
            self.match(changed)
            ends = (main, self.graph.last)
        else:
            ends = (self.graph.last, start)
        self.graph.node("Add", *ends)
        if self.chance(0.3):
            self.norm()
        self.activate()

    def match(self, shape: tuple[int, ...]) -> None:
        """A convolution to some shape: a wide kernel, or pads, leave so many places."""
        more = [wanted - size for size, wanted in zip(self.space, shape[1:], strict=True)]
        kernel = [1 + max(0, -each) for each in more]
        pads = [0] * len(more) + [max(0, each) for each in more]
        self.linear(shape[0], 1, kernel, {"pads": pads})
        self.shape = shape

    def concatenated(self) -> None:
        """Branches of one source beside each other, and often the source too."""
        start, shape = self.graph.last, self.shape
        ends, channels = [], 0
        for _ in range(self.integer(1, 2)):
            self.graph.last, self.shape = start, shape
            self.weigh(keeps_space=True)
            if self.chance(0.8):
                self.activate()
            ends.append(self.graph.last)
            channels += self.shape[0]
        if self.chance(0.6):
            ends.append(start)
            channels += shape[0]
        self.graph.node("Concat", *ends, axis=1)
        self.shape = (channels, *shape[1:])
        if self.chance(0.5):
            self.norm()
        self.activate()

    def max_pool(self) -> None:
        """Behind an activation, or between the sums and theirs."""
        self.weigh()
        before = self.chance(0.5)
        if before:
            self.activate()
        kernel, stride = self.integer(2, 3), self.integer(1, 2)
        if min(self.space) >= kernel:
            self.pool("MaxPool", kernel, stride, self.integer(0, 1))
        if not before:
            self.activate()

    def average_pool(self) -> None:
        """Behind an activation."""
        self.layer()
        if self.space and min(self.space) >= 3:
            pad = self.integer(0, 1)
            self.pool("AveragePool", 2, self.integer(1, 2), pad, count_include_pad=1)

    def pool(self, kind: str, kernel: int, stride: int, pad: int, **more: int) -> None:
        axes = len(self.space)
        self.graph.node(
            kind,
            kernel_shape=[kernel] * axes,
            strides=[stride] * axes,
            pads=[pad] * axes + [0] * axes,
            **more,
        )
        space = ((size + pad - kernel) // stride + 1 for size in self.space)
        self.shape = (self.shape[0], *space)

    def pool_everything(self) -> None:
        self.graph.node(str(self.rng.choice(["GlobalAveragePool", "GlobalMaxPool"])))
        self.shape = (self.shape[0], *(1 for _ in self.space))

    def weigh(self, *, keeps_space: bool = False, out: int = 0) -> None:
        """A matrix, or a convolution of any kind."""
        if not self.space:
            rows = out or self.integer(1, 6)
            self.linear(rows, 1, [], {})
            self.shape = (rows,)
            return
        groups = self.groups(out)
        channels = out or groups * self.integer(1, 3)
        axes = [self.axis(size, keeps_space) for size in self.space]
        attributes = {
            "pads": [each.before for each in axes] + [each.after for each in axes],
            "strides": [each.stride for each in axes],
            "dilations": [each.gap for each in axes],
            "group": groups,
        }
        self.linear(channels, groups, [each.kernel for each in axes], attributes)
        self.shape = (channels, *(each.size for each in axes))

    def groups(self, out: int) -> int:
        """One, two, or as many as there are channels."""
        groups = self.shape[0] if self.chance(0.25) else 1
        if groups == 1 and self.shape[0] % 2 == 0 and self.chance(0.2):
            groups = 2
        return 1 if out % groups else groups

    def axis(self, size: int, keeps_size: bool) -> Axis:
        """Kernel, pads, stride and dilation along one axis."""
        kernel = self.integer(1, 3)
        gap = self.integer(1, 2) if kernel > 1 and size > 4 else 1
        span = (kernel - 1) * gap + 1
        stride = 1 if keeps_size else self.integer(1, 2)
        before = self.integer(0, span - 1)
        after = span - 1 - before if keeps_size else self.integer(0, span - 1)
        after = max(after, span - size - before)
        return Axis(
            kernel, gap, stride, before, after, (size + before + after - span) // stride + 1
        )

    def linear(self, out: int, groups: int, kernel: list[int], attributes: dict[str, Any]) -> None:
        """The node, with weights and biases of any kind."""
        weights = self.weights((out, self.shape[0] // groups, *kernel))
        values = [weights, self.bias(weights)] if self.chance(0.8) else [weights]
        if self.space:
            self.graph.with_constants("Conv", *values, **attributes)
        else:
            self.graph.with_constants("Gemm", *values, transB=1)

    def weights(self, shape: tuple[int, ...]) -> np.ndarray:
        """Random, whole numbers times a factor, very unequal or with rows of zeros."""
        fan_in = int(np.prod(shape[1:]))
        weights = self.rng.normal(size=shape) / np.sqrt(fan_in)
        rows = (shape[0], *(1,) * (len(shape) - 1))
        kind = self.integer(0, 5)
        if kind == 0:
            most = int(self.rng.choice([1, 3, 7, 127]))
            whole = self.rng.integers(-most, most + 1, shape)
            whole.flat[0] = most
            factor = self.rng.uniform(0.01, 0.2, rows if self.chance(0.5) else 1)
            return whole * factor
        if kind == 1:
            return weights * 10.0 ** self.rng.uniform(-4, 4, rows)
        if kind == 2:
            return weights * (self.rng.random(rows) < 0.7)
        if kind == 3:
            return weights * 10.0 ** self.rng.uniform(-3, 1, shape)
        return weights

    def bias(self, weights: np.ndarray) -> np.ndarray:
        """Small, nothing, or far beyond what could ever arrive."""
        rows = len(weights)
        bias = self.rng.normal(size=rows) / 4
        if self.chance(0.2):
            bias *= 10.0 ** self.rng.uniform(0, 8, rows)
        return np.zeros(rows) if self.chance(0.1) else bias

    def norm(self) -> None:
        """A batch norm; some scales are negative, some nearly or wholly 0."""
        channels = self.shape[0]
        scale = self.rng.normal(size=channels)
        if self.chance(0.2):
            scale[self.integer(0, channels - 1)] = 0.0 if self.chance(0.1) else 1e-8
        numbers = [scale, *self.rng.uniform(0.5, 1.5, (3, channels))]
        self.graph.with_constants("BatchNormalization", *numbers)

    def activate(self) -> None:
        """A staircase in one of the forms in which exporters and people write it."""
        if self.plain:
            self.graph.node("Relu")
            return
        levels = int(self.rng.choice([1, 2, 3, 4, 7, 8, 15, self.integer(1, 31)]))
        threshold = self.threshold()
        form = self.integer(0, 4)
        if form == 0:
            self.rounded(levels, threshold)
        elif form == 1:
            self.clipped_first(levels, threshold)
        elif form == 2:
            self.bytes(levels, np.float32(np.mean(threshold) / levels))
        else:
            self.graph.qcfs(levels, threshold, 0.3 if form == 3 and self.chance(0.5) else 0.0)

    def rounded(self, levels: int, threshold: Any) -> None:
        """A ReLU that is rounded."""
        self.graph.node("Relu")
        self.graph.with_constants("Div", threshold / levels)
        self.graph.node("Round")
        self.graph.with_constants("Clip", 0.0, float(levels))
        self.graph.with_constants("Mul", threshold / levels)

    def clipped_first(self, levels: int, threshold: Any) -> None:
        """QCFS, its clip before the floor."""
        self.graph.with_constants("Div", threshold)
        self.graph.with_constants("Clip", 0.0, 1.0)
        self.graph.with_constants("Mul", float(levels))
        self.graph.with_constants("Add", 0.5)
        self.graph.node("Floor")
        self.graph.with_constants("Mul", threshold / levels)

    def bytes(self, levels: int, scale: np.float32) -> None:
        """Quantised to bytes and back, from a zero point on."""
        zero = np.uint8(self.integer(0, 3))
        if levels < 8:
            self.graph.with_constants("Clip", 0.0, float(scale * levels))
        reads = [self.graph.last, *map(self.graph.constant, (scale, zero))]
        self.graph.node("QuantizeLinear", *reads)
        self.graph.node("DequantizeLinear", self.graph.last, *reads[1:])

    def threshold(self) -> Any:
        """One for all, or one for each channel."""
        if self.chance(0.7):
            return float(self.rng.uniform(0.3, 3))
        return self.rng.uniform(0.3, 3, (self.shape[0], *(1 for _ in self.space)))

    @property
    def space(self) -> tuple[int, ...]:
        return self.shape[1:]

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)
