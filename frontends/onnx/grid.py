"""How the whole numbers of a quantised tensor stand for real values."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import onnx

from snnc.compiler.operators import Affine, Clip, Floats, Operator, Round, Shape
from snnc.frontends.onnx.arrays import REAL, Array, name_of
from snnc.frontends.onnx.values import Call, Constant, Tensor

ZERO, ONE = np.array(0.0), np.array(1.0)
ONE_SCALE = "quantise by tensor, or with one scale for each channel"


@dataclass(frozen=True, eq=False)
class Grid:
    """Each whole number n stands for scale·(n − zero_point); both broadcast over a sample."""

    scale: Floats
    zero_point: Floats

    @property
    def values(self) -> Affine:
        """From whole numbers to what they stand for."""
        return Affine(self.scale, np.asarray(0.0 - self.scale * self.zero_point))

    def levels(self, low: float, high: float) -> tuple[Operator, ...]:
        """From real values to whole numbers; ONNX rounds before it adds the zero point."""
        shift = Affine(ONE, self.zero_point)
        return Affine(1.0 / self.scale, ZERO), Round(), shift, Clip(np.array(low), np.array(high))


def grid_at(
    call: Call, shape: Shape, *, scale: int | None, zero: int, axis: int, divides: bool = False
) -> Grid:
    """The grid of values of a shape, from two inputs of the call; without a scale it is 1.

    Raises:
        SnncError: if the scales are not one, or one for each index of the axis, or not above 0
            where values are divided by them.
    """
    steps = ONE if scale is None else _spread(call, scale, "scales", shape, axis)
    if divides:
        above_zero(call, steps)
    zeros = _spread(call, zero, "zero points", shape, axis) if call.has(zero) else ZERO
    return Grid(steps, zeros)


def above_zero(call: Call, scale: Floats) -> Floats:
    """The scale, by which values are divided."""
    if np.any(scale <= 0):
        what = f"has a scale of {np.min(scale):g}; allowed: above 0"
        raise call.refuse(what, "calibrate it again, with data that differ")
    return scale


def kind_at(call: Call, zero: int) -> np.dtype[np.generic]:
    """The type that a quantiser writes: that of its zero point, or what it declares, or uint8."""
    if call.has(zero):
        return call.constant(zero, "zero points").dtype
    declared = call.attributes.whole("output_dtype", 0) or onnx.TensorProto.UINT8
    if declared not in REAL:
        what = f"rounds to {name_of(declared)}; allowed: whole numbers"
        raise call.refuse(what, "quantise to uint8")
    return onnx.helper.tensor_dtype_to_np_dtype(declared)


def bounds_of(call: Call, kind: np.dtype[np.generic]) -> tuple[float, float]:
    """The least and the greatest whole number of a type."""
    found = re.fullmatch(r"(u?)int(\d+)", kind.name)
    if not found:
        raise call.refuse(f"rounds to {kind.name}; allowed: whole numbers", "quantise to uint8")
    return bounds(int(found[2]), signed=not found[1])


def bounds(bits: int, *, signed: bool) -> tuple[float, float]:
    """The least and the greatest whole number of so many bits."""
    return (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if signed else (0.0, 2.0**bits - 1)


def operand(
    call: Call, index: int, *, scale: int | None, zero: int, axis: int = 0
) -> Tensor | Constant:
    """An input of whole numbers as the values they stand for."""
    value = call.inputs[index] if call.has(index) else None
    if isinstance(value, Tensor):
        grid = grid_at(call, value.shape, scale=scale, zero=zero, axis=axis)
        node = call.builder.add(f"{call.name}.source", grid.values, value.node)
        return Tensor(node, value.shape)
    array = call.numbers(index, "operands")
    grid = grid_at(call, array.shape, scale=scale, zero=zero, axis=axis)
    return Constant(f"input {index}", values_of(array, grid))


def values_of(array: Array, grid: Grid) -> Floats:
    """What constants stand for, in float64: exact multiples of their scale."""
    return grid.values.scale * (np.asarray(array, np.float64) - grid.zero_point)


def _spread(call: Call, index: int, role: str, shape: Shape, axis: int) -> Floats:
    """One number, or one for each index of an axis, as it broadcasts over the shape."""
    numbers = call.weights(index, role)
    if numbers.size == 1:
        return numbers.reshape(())
    if not 0 <= axis < len(shape) or numbers.size != shape[axis]:
        what = f"has {role} of shape {numbers.shape} for values of shape {shape}"
        raise call.refuse(what, ONE_SCALE)
    return numbers.reshape(-1, *(1,) * (len(shape) - axis - 1))
