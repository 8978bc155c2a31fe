"""Activations that are no clips, and the parts that exporters write them in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from math import erf
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from snnc.compiler.operators.base import Floats, Operator
from snnc.compiler.operators.elementwise import Elementwise

Step: TypeAlias = tuple[Operator, tuple[int, ...]]
"""An element-wise operator, and the values it reads: 0 is x, i is the result of step i − 1."""


def _step(values: Floats) -> Floats:
    return np.where(values > 0, 1.0, 0.0)


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))


def _softplus(values: Floats) -> Floats:
    return np.logaddexp(0.0, values)


def _erf(values: Floats) -> Floats:
    return np.asarray(np.frompyfunc(erf, 1, 1)(values), np.float64)


FUNCTIONS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "erf": _erf,
        "exp": np.exp,
        "log": np.log,
        "reciprocal": np.reciprocal,
        "sigmoid": _sigmoid,
        "softplus": _softplus,
        "sqrt": np.sqrt,
        "step": _step,
        "tanh": np.tanh,
    }
)
"""By their names; a step is 1 above 0, and 0 elsewhere."""


@dataclass(frozen=True, eq=False)
class Function(Elementwise):
    """One of `FUNCTIONS`."""

    kind: str

    def apply(self, *sources: Floats) -> Floats:
        """Element by element."""
        with np.errstate(all="ignore"):  # far out, e^x and 1/x are infinite, as ONNX has them
            return FUNCTIONS[self.kind](sources[0])

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True, eq=False)
class Product(Elementwise):
    """The product of several tensors of one shape."""

    def apply(self, *sources: Floats) -> Floats:
        """Element by element."""
        with np.errstate(all="ignore"):  # of large factors it is infinite, as in ONNX
            return np.asarray(reduce(np.multiply, sources))

    def __str__(self) -> str:
        return "product"


@dataclass(frozen=True, eq=False)
class Maximum(Elementwise):
    """The greatest of several tensors of one shape."""

    def apply(self, *sources: Floats) -> Floats:
        """Element by element."""
        return np.asarray(reduce(np.maximum, sources))

    def __str__(self) -> str:
        return "maximum"


@dataclass(frozen=True, eq=False)
class Curve(Elementwise):
    """f(x) for each element, with f written as element-wise operators, whichever they are."""

    steps: tuple[Step, ...]
    """In their order; the last gives the result."""

    def apply(self, *sources: Floats) -> Floats:
        """Step by step."""
        values = [sources[0]]
        with np.errstate(all="ignore"):  # far out a step may be infinite and the result not
            for operator, reads in self.steps:
                values.append(operator.apply(*(values[each] for each in reads)))
        return values[-1]

    def __str__(self) -> str:
        bends = [str(e) for e, _ in self.steps if isinstance(e, Function | Product | Maximum)]
        return f"curve of {', '.join(dict.fromkeys(bends)) or 'clips'}"
