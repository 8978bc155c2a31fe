"""Readers of max pools."""

from __future__ import annotations

from snnc.compiler.operators import MaxPool
from snnc.frontends.onnx.operators.linear import kernel_of, pads_of, sizes_of, space_of
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import Call


@reads("MaxPool")
def max_pool(call: Call) -> str:
    """The greatest element of windows of space; windows that ceil_mode cuts off are whole here.

    What lies outside of the source never counts, so more of it changes nothing.
    """
    shape, kernel = call.tensor.shape, kernel_of(call)
    strides, dilations = (sizes_of(call, each, len(kernel)) for each in ("strides", "dilations"))
    pads = pads_of(call, kernel, strides, dilations)
    if any(p >= (k - 1) * d + 1 for p, k, d in zip(pads, kernel * 2, dilations * 2, strict=True)):
        raise call.refuse("has windows that lie in the padding", "use pads smaller than the kernel")
    if call.attributes.flag("storage_order"):
        raise call.refuse("has its columns first", "export it with storage_order=0")
    pool = MaxPool(kernel, strides, pads, dilations)
    if call.attributes.flag("ceil_mode"):
        pool = _ceiled(pool, shape[1:])
    if min(pool.shape_of(shape)) < 1:
        raise call.refuse(f"has a window larger than its source {shape}", "pad the source")
    return call.then(pool)


@reads("GlobalMaxPool")
def global_max_pool(call: Call) -> str:
    """The greatest element of all of space, which keeps its axes."""
    space = space_of(call)
    single = (1,) * len(space)
    return call.then(MaxPool(space, single, (0,) * (2 * len(space)), single))


def _ceiled(pool: MaxPool, space: tuple[int, ...]) -> MaxPool:
    """Pads that complete the last window, if that begins inside of the source or its pads."""
    half = len(space)
    befores, afters = pool.pads[:half], list(pool.pads[half:])
    for axis, size in enumerate(space):
        span = (pool.kernel[axis] - 1) * pool.dilations[axis] + 1
        stride, before = pool.strides[axis], befores[axis]
        room = size + before + afters[axis] - span
        count = -(-room // stride) + 1
        if (count - 1) * stride >= size + before:
            count -= 1
        afters[axis] = max(afters[axis], (count - 1) * stride + span - size - before)
    return MaxPool(pool.kernel, pool.strides, (*befores, *afters), pool.dilations)
