"""Readers of operators that only give the elements another shape."""

from __future__ import annotations

from math import prod

from snnc.compiler.operators import Reshape, Shape
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import EXPORT_AGAIN, Call, Tensor

MIXED = "keep the first axis for the images"


@reads("Flatten")
def flatten(call: Call) -> str:
    """All axes behind the batch become one."""
    shape = call.tensor.shape
    axis = call.axis(1, len(shape) + 1)
    if axis != 1:
        raise call.refuse(f"is at axis {axis}; allowed: 1", MIXED)
    return call.then(Reshape((prod(shape),)))


@reads("Reshape", inputs=(1, 2))
def reshape(call: Call) -> str:
    """Another shape for each image."""
    full = (1, *call.tensor.shape)
    wanted = call.option("shape", 1, low=-1) or ()
    if wanted[:1] == (call.batch,):
        wanted = (1, *wanted[1:])
    if wanted.count(-1) > 1 or (0 in wanted and call.attributes.flag("allowzero")):
        raise call.refuse(f"has sizes {list(wanted)}; allowed: one of -1", MIXED)
    sizes = [full[i] if n == 0 and i < len(full) else n for i, n in enumerate(wanted)]
    if -1 in sizes:
        known = -prod(sizes)
        sizes[sizes.index(-1)] = prod(full) // known if known else 0
    if not sizes or sizes[0] != 1 or prod(sizes) != prod(full):
        what = f"to {list(wanted)} does not keep images of shape {full[1:]} apart"
        raise call.refuse(what, MIXED)
    return _reshaped(call, tuple(sizes[1:]))


@reads("Squeeze", inputs=(1, 2))
def squeeze(call: Call) -> str:
    """Without some axes of size 1."""
    full = (1, *call.tensor.shape)
    found = call.option("axes", 1)
    every = tuple(i for i, n in enumerate(full) if n == 1 and i)
    gone = {*(every if found is None else call.axes(found, len(full)))}
    if 0 in gone or any(full[axis] != 1 for axis in gone):
        raise call.refuse(f"takes axes {sorted(gone)} from {full}", MIXED)
    return _reshaped(call, tuple(n for i, n in enumerate(full) if i and i not in gone))


@reads("Unsqueeze", inputs=(1, 2))
def unsqueeze(call: Call) -> str:
    """With some more axes of size 1."""
    found = call.option("axes", 1)
    axes = found or ()
    rank = len(call.tensor.shape) + 1 + len(axes)
    new = {*call.axes(axes, rank)}
    if 0 in new:
        raise call.refuse("puts an axis before the batch", MIXED)
    old = iter(call.tensor.shape)
    return _reshaped(call, tuple(1 if i in new else next(old) for i in range(1, rank)))


@reads("Transpose", layout="any")
def transpose(call: Call) -> Tensor:
    """Axes in another order: nothing moves before something needs them so."""
    shape = call.tensor.shape
    full = (1, *call.tensor.seen)
    order = call.attributes.wholes("perm", tuple(range(len(full)))[::-1], low=0)
    if sorted(order) != list(range(len(full))):
        what = f"has perm {list(order)}; allowed: each axis of {full} once"
        raise call.refuse(what, EXPORT_AGAIN)
    if order[0] != 0:
        raise call.refuse(f"has perm {list(order)}, which moves the batch", MIXED)
    before = call.order or tuple(range(len(shape)))
    after = tuple(before[axis - 1] for axis in order[1:])
    return Tensor(call.tensor.node, shape, after)


def _reshaped(call: Call, shape: Shape) -> str:
    return call.tensor.node if shape == call.tensor.shape else call.then(Reshape(shape))
