"""The staircase that a spiking network reproduces without error."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from snnc.compiler.errors import refusal

SMALLEST_THRESHOLD = 1e-6


class QCFS(nn.Module):
    """Quantised clip-floor-shift activation: y = λ/L · clip(⌊x·L/λ + ½⌋, 0, L).

    The threshold λ is learnt with the weights; ⌊·⌋ lets gradients through unchanged (Bu et al.,
    "Optimal ANN-SNN conversion for high-accuracy and ultra-low-latency spiking neural networks",
    ICLR 2022). One layer belongs to one place in the network, as a spiking population does.

    An optimizer may push λ below zero, where no staircase exists. Training puts it back to
    SMALLEST_THRESHOLD before it is used; this happens outside the graph, so exports never see it.

    Args:
        levels: L, the highest level: the layer takes L + 1 values and spikes in ⌈log2(L + 1)⌉
            time steps, so 3, 7 and 15 waste no bit.
        threshold: the first λ, which is also the highest value of y.

    Raises:
        SnncError: for fewer than one level or a threshold that is not positive and finite.
    """

    numbers: Tensor | None
    """The levels n = y·L/λ of the last forward pass in training, with their gradient."""

    def __init__(self, levels: int, threshold: float = 4.0) -> None:
        if levels < 1:
            raise refusal("QCFS", f"levels is {levels}, the least is 1", "use 3, 7 or 15")
        if not 0 < threshold < inf:
            what = f"threshold is {threshold:g}, it must be positive and finite"
            raise refusal("QCFS", what, "start near the largest pre-activation")
        super().__init__()
        self.levels = levels
        self.threshold = nn.Parameter(torch.tensor(float(threshold)))
        self.numbers = None

    def forward(self, x: Tensor) -> Tensor:
        """Round x to a level; gradients pass where 0 ≤ x ≤ λ, and beyond λ they reach λ alone."""
        if self.training:
            self._keep_threshold_positive()
        step = self.threshold / self.levels
        numbers = _staircase(x / step, self.levels)
        self.numbers = numbers if self.training else None
        return numbers * step

    def train(self, mode: bool = True) -> QCFS:
        """Enter or leave training, where the last step of an optimizer may still need mending."""
        self._keep_threshold_positive()
        self.numbers = None
        return super().train(mode)

    def extra_repr(self) -> str:
        """The staircase in the printed module."""
        return f"levels={self.levels}, threshold={self.threshold.item():.4g}"

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "numbers": None}

    def _keep_threshold_positive(self) -> None:
        self.threshold.data.clamp_(min=SMALLEST_THRESHOLD)


class _Staircase(torch.autograd.Function):
    """⌊clip(x, 0, L) + ½⌋ with the gradient of x where 0 ≤ x ≤ L.

    The ends belong to it, whatever a version of PyTorch makes of its clamp there: a regulariser
    has to reach neurons at the highest level too.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, levels: int) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward((x >= 0) & (x <= levels))
        return (x.clamp(0.0, float(levels)) + 0.5).floor()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401
        (inside,) = ctx.saved_tensors
        return gradient * inside, None


_staircase: Callable[[Tensor, int], Tensor] = _Staircase.apply
