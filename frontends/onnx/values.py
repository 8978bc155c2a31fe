"""What flows between ONNX nodes while they are read: constants, and tensors of the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx

from snnc.compiler.errors import SnncError, refusal
from snnc.compiler.network import Builder
from snnc.compiler.operators import Floats, Operator, Shape

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Constant:
    """A value that does not depend on the input."""

    name: str
    value: Array


@dataclass(frozen=True, eq=False)
class Tensor:
    """A node of the network that is being built; its shape is that of one sample."""

    node: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Unknown:
    """What comes after a problem; it makes no problems of its own."""


Value: TypeAlias = Constant | Tensor | Unknown


@dataclass(frozen=True, eq=False)
class Call:
    """One ONNX node with its inputs at hand, and the network that its reader adds to."""

    name: str
    kind: str
    attributes: Mapping[str, Any]
    inputs: tuple[Value | None, ...]
    builder: Builder

    def refuse(self, what: str, mend: str) -> SnncError:
        """The error for this node, ready to be raised."""
        return refusal(self.name, f"{self.kind} {what}", mend)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The inputs that depend on the network's input."""
        return tuple(each for each in self.inputs if isinstance(each, Tensor))

    @property
    def tensor(self) -> Tensor:
        """The first input, which must be a tensor."""
        first = self.inputs[0]
        if not isinstance(first, Tensor):
            raise self.refuse("has a constant as its data", "simplify the model before export")
        return first

    def has(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def constant(self, index: int, role: str) -> Array:
        """An input that must not depend on the network's input."""
        value = self.inputs[index] if self.has(index) else None
        if not isinstance(value, Constant):
            raise self.refuse(f"has {role} that are not constant", "export them as constants")
        return value.value

    def weights(self, index: int, role: str) -> Floats:
        """A constant input as finite float64."""
        values = np.asarray(self.constant(index, role), np.float64)
        bad = int(values.size - np.isfinite(values).sum())
        if bad:
            what = f"has {bad} of {values.size} {role} that are NaN or infinite; allowed: none"
            raise self.refuse(what, "train it again from a sound checkpoint")
        return values

    def option(self, name: str, index: int) -> Array | None:
        """What older operator sets give as an attribute and newer ones as an input."""
        if name in self.attributes:
            return np.asarray(self.attributes[name])
        return self.constant(index, name) if self.has(index) else None

    def then(self, *operators: Operator) -> str:
        """Add operators, one after the other, to the tensor; the name of the last."""
        node = self.tensor.node
        for operator in operators:
            node = self.builder.add(self.name, operator, node)
        return node


def sample_constant(call: Call, value: Array, shape: Shape) -> Floats:
    """A constant as it broadcasts over one sample, by ONNX's rules for (batch, *shape)."""
    values = np.asarray(value, np.float64)
    if values.size == 1:
        return values.reshape(())
    padded = values.reshape((1,) * (len(shape) + 1 - values.ndim) + values.shape)
    fits = padded.ndim == len(shape) + 1 and padded.shape[0] == 1
    if not fits or np.broadcast_shapes(padded.shape[1:], shape) != shape:
        what = f"has a constant of shape {values.shape} for a sample of shape {shape}"
        raise call.refuse(what, "give it one value for each channel, or one for each element")
    return np.asarray(padded[0])


def attributes_of(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes as Python and NumPy values."""
    found = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    return {
        name: onnx.numpy_helper.to_array(value)
        if isinstance(value, onnx.TensorProto)
        else (value.decode() if isinstance(value, bytes) else value)
        for name, value in found.items()
    }


def ints(values: Sequence[int] | Array) -> Shape:
    """A tuple of Python's own integers."""
    return tuple(int(each) for each in np.asarray(values).reshape(-1))
