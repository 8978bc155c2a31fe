"""Readers of operators that only give the elements another shape."""

from __future__ import annotations

from math import prod

from snnc.compiler.operators import Reshape, Shape
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import Call, ints

MIXED = "keep the first axis for the images"


@reads("Flatten")
def flatten(call: Call) -> str:
    """All axes behind the batch become one."""
    axis = int(call.attributes.get("axis", 1))
    shape = call.tensor.shape
    if axis % (len(shape) + 1) != 1:
        raise call.refuse(f"is at axis {axis}; allowed: 1", MIXED)
    return call.then(Reshape((prod(shape),)))


@reads("Reshape")
def reshape(call: Call) -> str:
    """Another shape for each image."""
    full = (1, *call.tensor.shape)
    wanted = ints(call.constant(1, "sizes"))
    sizes = [full[i] if n == 0 and i < len(full) else n for i, n in enumerate(wanted)]
    if -1 in sizes:
        known = -prod(sizes)
        sizes[sizes.index(-1)] = prod(full) // known if known else 0
    if not sizes or sizes[0] != 1 or prod(sizes) != prod(full):
        what = f"to {list(wanted)} does not keep images of shape {full[1:]} apart"
        raise call.refuse(what, MIXED)
    return _reshaped(call, tuple(sizes[1:]))


@reads("Squeeze")
def squeeze(call: Call) -> str:
    """Without some axes of size 1."""
    full = (1, *call.tensor.shape)
    found = call.option("axes", 1)
    axes = [i for i, n in enumerate(full) if n == 1 and i] if found is None else ints(found)
    gone = {axis % len(full) for axis in axes}
    if 0 in gone or any(full[axis] != 1 for axis in gone):
        raise call.refuse(f"takes axes {sorted(gone)} from {full}", MIXED)
    return _reshaped(call, tuple(n for i, n in enumerate(full) if i and i not in gone))


@reads("Unsqueeze")
def unsqueeze(call: Call) -> str:
    """With some more axes of size 1."""
    found = call.option("axes", 1)
    axes = ints(found) if found is not None else ()
    rank = len(call.tensor.shape) + 1 + len(axes)
    new = {axis % rank for axis in axes}
    if 0 in new:
        raise call.refuse("puts an axis before the batch", MIXED)
    old = iter(call.tensor.shape)
    return _reshaped(call, tuple(1 if i in new else next(old) for i in range(1, rank)))


@reads("Transpose")
def transpose(call: Call) -> str:
    """Axes in another order, where that moves no element."""
    full = (1, *call.tensor.shape)
    order = ints(call.attributes.get("perm", range(len(full))[::-1]))
    large = [axis for axis in order if full[axis] != 1]
    if order[0] != 0 or large != sorted(large):
        what = f"reorders the elements of samples of shape {full[1:]}"
        raise call.refuse(what, "export the model with channels first")
    return _reshaped(call, tuple(full[axis] for axis in order[1:]))


def _reshaped(call: Call, shape: Shape) -> str:
    return call.tensor.node if shape == call.tensor.shape else call.then(Reshape(shape))
