"""What flows between ONNX nodes while they are read: constants, and tensors of the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.network import Builder
from snnc.compiler.operators import Floats, Operator, Shape
from snnc.frontends.onnx.arrays import Array
from snnc.frontends.onnx.attributes import Attributes
from snnc.frontends.onnx.limits import ENTRIES, SIZE

SOUND = "train it again from a sound checkpoint"
EXPORT_AGAIN = "export it again: no ONNX Runtime takes it like this"


@dataclass(frozen=True, eq=False)
class Constant:
    """A value that does not depend on the input."""

    name: str
    value: Array


@dataclass(frozen=True, eq=False)
class Tensor:
    """A node of the network that is being built, whose channels come first.

    Where ONNX has them last, or its axes in any other order, no element is moved: only the order is
    kept, and the readers that know axes by their numbers look them up there.
    """

    node: str
    shape: Shape
    """Of one sample, as the node has it."""
    order: Shape = ()
    """The node's axis for each of ONNX's, the batch left out; () where they are the same."""

    @property
    def seen(self) -> Shape:
        """The shape of one sample, as ONNX has it."""
        return tuple(self.shape[axis] for axis in self.order or range(len(self.shape)))


@dataclass(frozen=True, eq=False)
class Unknown:
    """What comes after a problem; it makes no problems of its own."""


Value: TypeAlias = Constant | Tensor | Unknown


@dataclass(frozen=True, eq=False)
class Call:
    """One ONNX node with its inputs at hand, and the network that its reader adds to.

    Readers ask it for everything: what is missing, of another kind, or out of range is refused.
    """

    name: str
    kind: str
    attributes: Attributes
    inputs: tuple[Value | None, ...]
    builder: Builder
    order: Shape = ()
    """Of the axes of all tensors, see `Tensor`."""
    outputs: int = 1
    """How many results the node names."""
    batch: int = 1
    """How many images a model of a fixed batch takes; sizes that it stores begin with that."""

    def refuse(self, what: str, mend: str) -> SnncError:
        """The error for this node, ready to be raised."""
        return refusal(self.name, f"{self.kind} {what}", mend)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The inputs that depend on the network's input."""
        return tuple(each for each in self.inputs if isinstance(each, Tensor))

    @property
    def tensor(self) -> Tensor:
        """The first input, which must be a tensor.

        Raises:
            SnncError: if it is a constant.
        """
        first = self.inputs[0]
        if not isinstance(first, Tensor):
            raise self.refuse("has a constant as its data", "simplify the model before export")
        return first

    def has(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def constant(self, index: int, role: str) -> Array:
        """An input that must not depend on the network's input.

        Raises:
            SnncError: if it does, or is missing.
        """
        value = self.inputs[index] if self.has(index) else None
        if not isinstance(value, Constant):
            raise self.refuse(f"has {role} that are not constant", "export them as constants")
        return value.value

    def numbers(self, index: int, role: str) -> Array:
        """A constant input as finite numbers, of the type that the model stores.

        Raises:
            SnncError: if it is no constant, or has others.
        """
        return self.real(self.constant(index, role), role)

    def weights(self, index: int, role: str) -> Floats:
        """A constant input as finite float64.

        Raises:
            SnncError: if it is no constant, or has other numbers.
        """
        return np.asarray(self.numbers(index, role), np.float64)

    def wholes(
        self, index: int, role: str, *, low: int = -SIZE, high: int = SIZE
    ) -> tuple[int, ...]:
        """A constant input as a list of whole numbers: sizes, axes, pads.

        Raises:
            SnncError: if it is no constant, has others, or is no list.
        """
        return self._wholes(self.constant(index, role), role, low, high)

    def option(
        self, name: str, index: int, *, low: int = -SIZE, high: int = SIZE
    ) -> tuple[int, ...] | None:
        """Whole numbers that older operator sets give as an attribute and newer ones as an input.

        Raises:
            SnncError: if they are no list of whole numbers.
        """
        if name in self.attributes:
            return self.attributes.wholes(name, low=low, high=high)
        return self.wholes(index, name, low=low, high=high) if self.has(index) else None

    def real(self, values: Array, role: str) -> Array:
        """These values, if they are finite numbers.

        Raises:
            SnncError: if they are others.
        """
        self.typed(values, role)
        bad = int(values.size - np.isfinite(np.asarray(values, np.float64)).sum())
        if bad:
            what = f"has {bad} of {values.size} {role} that are NaN or infinite; allowed: none"
            raise self.refuse(what, SOUND)
        return values

    def typed(self, values: Array, role: str) -> Array:
        """These values, if they are numbers, finite or not.

        Raises:
            SnncError: if they are truth values.
        """
        if values.dtype == np.bool_:
            raise self.refuse(f"has {role} of type bool; allowed: numbers", EXPORT_AGAIN)
        return values

    def axis(self, default: int, rank: int) -> int:
        """The attribute of this name: the axis of the network, counted from the batch.

        Raises:
            SnncError: if there is no such axis.
        """
        return self.placed(self.attributes.whole("axis", default, low=-rank, high=rank - 1) % rank)

    def placed(self, axis: int) -> int:
        """Where an axis of ONNX stands in the network, both counted from the batch."""
        return 1 + self.order[axis - 1] if self.order and axis else axis

    def axes(self, values: Sequence[int], rank: int) -> tuple[int, ...]:
        """Axes of the network, counted from the batch.

        Raises:
            SnncError: if there is no such axis, or one is named twice.
        """
        found = tuple(self.placed(each % rank) for each in values if -rank <= each < rank)
        if len({*found}) != len(values):
            what = f"has axes {list(values)}; allowed: each once, {-rank} to {rank - 1}"
            raise self.refuse(what, EXPORT_AGAIN)
        return found

    def then(self, *operators: Operator) -> str:
        """Add operators, one after the other, to the tensor; the name of the last."""
        node = self.tensor.node
        for operator in operators:
            node = self.builder.add(self.name, operator, node)
        return node

    def _wholes(self, values: Array, role: str, low: int, high: int) -> tuple[int, ...]:
        if values.ndim > 1 or values.size > ENTRIES or values.dtype.kind not in "iu":
            what = f"has {role} of type {values.dtype} and shape {values.shape}"
            raise self.refuse(f"{what}; allowed: a list of whole numbers", EXPORT_AGAIN)
        found = tuple(int(each) for each in values.reshape(-1))
        if any(not low <= each <= high for each in found):
            raise self.refuse(f"has {role} {list(found)}; allowed: {low} to {high}", EXPORT_AGAIN)
        return found


def sample_constant(call: Call, value: Array, shape: Shape) -> Floats:
    """A constant as it broadcasts over one sample, by ONNX's rules for the axes of the call.

    Raises:
        SnncError: if it does not, or has truth values.
    """
    values = np.asarray(call.typed(value, "constants"), np.float64)
    if values.size == 1:
        return values.reshape(())
    rank = len(shape) + 1
    padded = values.reshape((1,) * (rank - values.ndim) + values.shape)
    if call.order and padded.ndim == rank:
        padded = padded.transpose(0, *(1 + call.order.index(axis) for axis in range(len(shape))))
    sizes = zip(padded.shape, (1, *shape), strict=False)
    if padded.ndim != rank or any(found not in (1, size) for found, size in sizes):
        what = f"has a constant of shape {values.shape} for a sample of shape {shape}"
        raise call.refuse(what, "give it one value for each channel, or one for each element")
    return np.asarray(padded[0])
