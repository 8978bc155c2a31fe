"""Readers of convolutions, matrices, norms and pools."""

from __future__ import annotations

import numpy as np

from snnc.compiler.operators import AveragePool, BatchNorm, Conv, MatMul, Pad, Reshape, Shape
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import Call, Tensor, ints

FLATTEN = "flatten the samples before it, or write it as a 1x1 convolution"


@reads("Conv")
def conv(call: Call) -> str:
    """Cross-correlation over one or two axes of space."""
    weights = call.weights(1, "weights")
    shape = call.tensor.shape
    space = len(shape) - 1
    if space not in (1, 2) or weights.ndim != space + 2:
        what = f"has a kernel of shape {weights.shape} over a sample of shape {shape}"
        raise call.refuse(what, "use convolutions over one or two axes of space")
    groups = int(call.attributes.get("group", 1))
    if weights.shape[1] * groups != shape[0]:
        what = f"reads {weights.shape[1] * groups} channels, and its source has {shape[0]}"
        raise call.refuse(what, "check the model: it cannot run anywhere")
    bias = call.weights(2, "biases") if call.has(2) else np.zeros(weights.shape[0])
    strides, dilations = (sizes_of(call, each, space) for each in ("strides", "dilations"))
    pads = pads_of(call, weights.shape[2:], strides, dilations)
    return _with_room(call, Conv(weights, bias, strides, pads, dilations, groups))


@reads("Gemm")
def gemm(call: Call) -> str:
    """alpha·x·W + beta·c, the weights transposed or not."""
    _require_flat(call)
    weights = call.weights(1, "weights") * call.attributes.get("alpha", 1.0)
    if call.attributes.get("transA", 0):
        raise call.refuse("transposes its data", "export it with transA=0")
    rows = weights if call.attributes.get("transB", 0) else weights.T
    bias = np.zeros(len(rows))
    if call.has(2):
        bias = bias + call.weights(2, "biases").reshape(-1) * call.attributes.get("beta", 1.0)
    return _matched(call, MatMul(rows, bias))


@reads("MatMul")
def matmul(call: Call) -> str:
    """A sample times a constant matrix."""
    if len(call.tensors) > 1:
        raise call.refuse("multiplies two activations", "attention has no exact spiking form")
    _require_flat(call)
    weights = call.weights(1, "weights")
    if weights.ndim != 2:
        raise call.refuse(f"has weights of shape {weights.shape}; allowed: a matrix", FLATTEN)
    return _matched(call, MatMul(weights.T, np.zeros(weights.shape[1])))


@reads("BatchNormalization")
def batch_norm(call: Call) -> str:
    """The norm with the statistics of training."""
    if call.attributes.get("training_mode", 0):
        raise call.refuse("is in training mode", "call model.eval() before export")
    roles = ("scales", "offsets", "means", "variances")
    gamma, beta, mean, variance = (call.weights(i, role) for i, role in enumerate(roles, 1))
    epsilon = float(call.attributes.get("epsilon", 1e-5))
    if np.any(variance + epsilon <= 0):
        raise call.refuse("has a variance below 0", "train it again from a sound checkpoint")
    return call.then(BatchNorm(gamma, beta, mean, variance, epsilon))


@reads("AveragePool")
def average_pool(call: Call) -> str:
    """The mean over windows; zeros around the source count only where it says so."""
    kernel = ints(call.attributes["kernel_shape"])
    if set(sizes_of(call, "dilations", len(kernel))) != {1}:
        raise call.refuse("is dilated", "use a depthwise convolution with equal weights")
    strides = sizes_of(call, "strides", len(kernel))
    pads = pads_of(call, kernel, strides, (1,) * len(kernel))
    if any(p >= k for p, k in zip(pads, kernel * 2, strict=True)):
        raise call.refuse("has windows that lie in the padding", "use pads smaller than the kernel")
    pool = AveragePool(kernel, strides, pads, bool(call.attributes.get("count_include_pad", 0)))
    if call.attributes.get("ceil_mode", 0) and not _divides(call.tensor.shape, pool):
        what = "rounds its size up and so reads windows that are cut off"
        raise call.refuse(what, "use ceil_mode=False, or pad the source")
    return _with_room(call, pool)


@reads("GlobalAveragePool")
def global_average_pool(call: Call) -> str:
    """The mean over all of space, which keeps its axes."""
    return call.then(_over_space(call.tensor.shape))


@reads("ReduceMean")
def reduce_mean(call: Call) -> str:
    """The mean over all of space, with or without its axes."""
    shape = call.tensor.shape
    axes = call.option("axes", 1)
    found = {int(a) % (len(shape) + 1) for a in axes} if axes is not None else set()
    if found != set(range(2, len(shape) + 1)) or len(shape) < 2:
        what = (
            f"is over axes {sorted(found)}; allowed: all of space, {list(range(2, len(shape) + 1))}"
        )
        raise call.refuse(what, "use a global average pool")
    pool = _over_space(shape)
    kept = call.attributes.get("keepdims", 1)
    return call.then(pool) if kept else call.then(pool, Reshape(shape[:1]))


@reads("Pad")
def pad(call: Call) -> str:
    """A border of one value around space."""
    mode = call.attributes.get("mode", "constant")
    if mode != "constant":
        raise call.refuse(f"has mode {mode!r}; allowed: constant", "pad with a constant")
    found = call.option("pads", 1)
    rank = len(call.tensor.shape) + 1
    axes = ints(call.constant(3, "axes")) if call.has(3) else tuple(range(rank))
    pads = ints(found) if found is not None else ()
    half = len(pads) // 2
    sides = {a % rank: (pads[i], pads[half + i]) for i, a in enumerate(axes)}
    if any(any(sides.pop(axis, (0, 0))) for axis in (0, 1)):
        raise call.refuse("pads the batch or the channels", "pad space alone")
    borders = [sides.get(axis, (0, 0)) for axis in range(2, rank)]
    value = call.option("value", 2)
    amount = float(value.reshape(-1)[0]) if value is not None and value.size else 0.0
    flat = tuple(b for b, _ in borders) + tuple(a for _, a in borders)
    return call.then(Pad(flat, amount))


def sizes_of(call: Call, name: str, count: int) -> Shape:
    """An attribute with one number for each axis of space, 1 where it is missing."""
    return ints(call.attributes.get(name, [1] * count))


def pads_of(call: Call, kernel: Shape, strides: Shape, dilations: Shape) -> Shape:
    """The explicit pads, or those that auto_pad stands for."""
    mode = call.attributes.get("auto_pad", "NOTSET")
    if mode in ("NOTSET", ""):
        return ints(call.attributes.get("pads", [0] * (2 * len(kernel))))
    if mode == "VALID":
        return (0,) * (2 * len(kernel))
    totals = [
        max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        for size, k, s, d in zip(call.tensor.shape[1:], kernel, strides, dilations, strict=True)
    ]
    less, more = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
    return (*less, *more) if mode == "SAME_UPPER" else (*more, *less)


def _with_room(call: Call, operator: Conv | AveragePool) -> str:
    """Add an operator whose window must fit into its source."""
    shape = call.tensor.shape
    if len(operator.pads) != 2 * (len(shape) - 1):
        raise call.refuse(f"reads a sample of shape {shape}", "give it one or two axes of space")
    if min(operator.shape_of(shape)) < 1:
        raise call.refuse(f"has a window larger than its source {shape}", "pad the source")
    return call.then(operator)


def _divides(shape: Shape, pool: AveragePool) -> bool:
    borders = zip(pool.pads[: len(shape) - 1], pool.pads[len(shape) - 1 :], strict=True)
    rest = (
        (n + b + a - k) % s
        for n, (b, a), k, s in zip(shape[1:], borders, pool.kernel, pool.strides, strict=True)
    )
    return not any(rest)


def _over_space(shape: Shape) -> AveragePool:
    space = shape[1:]
    return AveragePool(space, (1,) * len(space), (0,) * (2 * len(space)))


def _require_flat(call: Call) -> None:
    if not isinstance(call.inputs[0], Tensor) or isinstance(call.inputs[1], Tensor):
        raise call.refuse("multiplies from the left", "write it as data times weights")
    if len(call.tensor.shape) != 1:
        raise call.refuse(f"reads samples of shape {call.tensor.shape}; allowed: flat", FLATTEN)


def _matched(call: Call, operator: MatMul) -> str:
    (features,) = call.tensor.shape
    if operator.weights.shape[1] != features:
        what = f"reads {operator.weights.shape[1]} features, and its source has {features}"
        raise call.refuse(what, "check the model: it cannot run anywhere")
    return call.then(operator)
