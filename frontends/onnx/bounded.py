"""The network in the making, which grows no larger than the limits allow."""

from __future__ import annotations

from dataclasses import fields
from math import prod

import numpy as np

from snnc.compiler.errors import refusal
from snnc.compiler.network import Builder
from snnc.compiler.operators import Clip, Operator
from snnc.frontends.onnx.limits import ALL_PIXELS, NODES, PIXELS, Budget

SMALLER = "use smaller images, or fewer channels"


class BoundedBuilder(Builder):
    """Refuses nodes without elements, with too many, or with constants that are no numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._count = Budget("nodes", NODES, "use a smaller model")
        self._pixels = Budget("values of a sample at all nodes", ALL_PIXELS, SMALLER)

    def add(self, name: str, operator: Operator, *sources: str) -> str:
        """Append a node; returns its name, which is made unique.

        Raises:
            SnncError: if its result is empty or too large, or a constant of it is not finite.
        """
        shape = operator.shape_of(*(self.shape(each) for each in sources))
        if min(shape, default=1) < 1 or prod(shape) > PIXELS:
            what = f"gives samples of shape {shape}; allowed: 1 to {PIXELS} values"
            raise refusal(name, what, SMALLER)
        if not isinstance(operator, Clip) and not _is_finite(operator):
            what = "has constants whose product is no number; allowed: finite numbers"
            raise refusal(name, what, "check the scales that they stand for")
        self._count.take(1, name)
        self._pixels.take(prod(shape), name)
        return super().add(name, operator, *sources)


def _is_finite(operator: Operator) -> bool:
    """Whether all constants of an operator are numbers."""
    values = (getattr(operator, each.name) for each in fields(operator))  # type: ignore[arg-type]
    return all(np.isfinite(v).all() for v in values if isinstance(v, np.ndarray | float))
