"""Readers of convolutions, matrices, norms and pools."""

from __future__ import annotations

import numpy as np

from snnc.compiler.operators import (
    AveragePool,
    BatchNorm,
    Conv,
    Floats,
    MatMul,
    Operator,
    Pad,
    Reshape,
    Select,
    Shape,
    Spread,
)
from snnc.frontends.onnx.limits import EXTENT, SIZE
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import Call, Tensor

AUTO_PADS = ("NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER")
BROKEN = "check the model: it cannot run anywhere"
FLATTEN = "flatten the samples before it, or write it as a 1x1 convolution"


@reads("Conv", inputs=(2, 3))
def conv(call: Call) -> str:
    """Cross-correlation over one or two axes of space."""
    weights = call.weights(1, "weights")
    shape = call.tensor.shape
    space = len(shape) - 1
    if space not in (1, 2) or weights.ndim != space + 2:
        what = f"has a kernel of shape {weights.shape} over a sample of shape {shape}"
        raise call.refuse(what, "use convolutions over one or two axes of space")
    groups, bias = _groups_of(call, weights, shape), _bias_of(call, len(weights))
    kernel = weights.shape[2:]
    if min(kernel) < 1 or call.attributes.wholes("kernel_shape", kernel) != kernel:
        what = f"has weights of shape {weights.shape} that are no kernel of its kernel_shape"
        raise call.refuse(what, BROKEN)
    strides, dilations = (sizes_of(call, each, space) for each in ("strides", "dilations"))
    pads = pads_of(call, kernel, strides, dilations)
    return _with_room(call, Conv(weights, bias, strides, pads, dilations, groups))


@reads("ConvTranspose", inputs=(2, 3))
def conv_transpose(call: Call) -> str:
    """A convolution with its kernels turned round, over pixels that are spread by the strides."""
    weights, shape = call.weights(1, "weights"), call.tensor.shape
    space = len(shape) - 1
    if space not in (1, 2) or weights.ndim != space + 2 or min(weights.shape) < 1:
        what = f"has a kernel of shape {weights.shape} over a sample of shape {shape}"
        raise call.refuse(what, "use convolutions over one or two axes of space")
    groups = call.attributes.whole("group", 1, low=1)
    if len(weights) != shape[0] or shape[0] % groups:
        what = f"reads {len(weights)} channels in {groups} groups, and its source has {shape[0]}"
        raise call.refuse(what, BROKEN)
    bias, kernel = _bias_of(call, weights.shape[1] * groups), weights.shape[2:]
    strides, dilations = (sizes_of(call, each, space) for each in ("strides", "dilations"))
    pads = _transposed_pads(call, kernel, strides, dilations)
    flipped = np.flip(weights, tuple(range(2, space + 2)))
    by_group = flipped.reshape(groups, -1, *weights.shape[1:]).swapaxes(1, 2)
    rows = by_group.reshape(weights.shape[1] * groups, -1, *kernel)
    conv = Conv(rows, bias, (1,) * space, pads, dilations, groups)
    spread = Spread(strides)
    if min(conv.shape_of(spread.shape_of(shape))) < 1:
        raise call.refuse("crops all of its result", "use smaller pads")
    return call.then(*([spread] if max(strides) > 1 else []), conv)


def _transposed_pads(call: Call, kernel: Shape, strides: Shape, dilations: Shape) -> Shape:
    """Zeros around the spread pixels: as far as kernels reach out, less what is cropped after."""
    count, mode = len(kernel), call.attributes.text("auto_pad", "NOTSET", AUTO_PADS)
    more = call.attributes.wholes("output_padding", (0,) * count, count=count, low=0, high=EXTENT)
    spans = [(k - 1) * d for k, d in zip(kernel, dilations, strict=True)]
    sizes = call.tensor.shape[1:]
    if "output_shape" in call.attributes or mode.startswith("SAME"):
        same = tuple(n * s for n, s in zip(sizes, strides, strict=True))
        wanted = call.attributes.wholes("output_shape", same, count=count, low=1, high=SIZE)
        totals = [
            s * (n - 1) + m + span + 1 - w
            for s, n, m, span, w in zip(strides, sizes, more, spans, wanted, strict=True)
        ]
        less, most = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
        befores, afters = (less, most) if mode == "SAME_UPPER" else (most, less)
    else:
        pads = pads_of(call, kernel, strides, dilations)
        befores, afters = pads[:count], pads[count:]
    return (
        *(span - before for span, before in zip(spans, befores, strict=True)),
        *(s - after + m for s, after, m in zip(spans, afters, more, strict=True)),
    )


@reads("Gemm", inputs=(2, 3))
def gemm(call: Call) -> str:
    """alpha·x·W + beta·c, the weights transposed or not."""
    _require_flat(call)
    weights = _matrix(call) * call.attributes.number("alpha", 1.0)
    if call.attributes.flag("transA"):
        raise call.refuse("transposes its data", "export it with transA=0")
    rows = weights if call.attributes.flag("transB") else weights.T
    bias = _bias_of(call, len(rows), broadcasts=True) * call.attributes.number("beta", 1.0)
    return _matched(call, MatMul(rows, bias))


@reads("MatMul", inputs=(2, 2))
def matmul(call: Call) -> str:
    """A sample times a constant matrix."""
    if len(call.tensors) > 1:
        raise call.refuse("multiplies two activations", "attention has no exact spiking form")
    _require_flat(call)
    weights = _matrix(call)
    return _matched(call, MatMul(weights.T, np.zeros(weights.shape[1])))


@reads("BatchNormalization", inputs=(5, 5))
def batch_norm(call: Call) -> str:
    """The norm with the statistics of training."""
    if call.attributes.flag("training_mode"):
        raise call.refuse("is in training mode", "call model.eval() before export")
    roles = ("scales", "offsets", "means", "variances")
    gamma, beta, mean, variance = (call.weights(i, role) for i, role in enumerate(roles, 1))
    channels = call.tensor.shape[:1]
    for role, values in zip(roles, (gamma, beta, mean, variance), strict=True):
        if values.shape != channels:
            what = f"has {role} of shape {values.shape} for {channels[0]} channels"
            raise call.refuse(what, BROKEN)
    epsilon = call.attributes.number("epsilon", 1e-5)
    if np.any(variance + epsilon <= 0):
        raise call.refuse("has a variance below 0", "train it again from a sound checkpoint")
    return call.then(BatchNorm(gamma, beta, mean, variance, epsilon))


@reads("AveragePool")
def average_pool(call: Call) -> str:
    """The mean over windows; zeros around the source count only where it says so."""
    kernel = kernel_of(call)
    if set(sizes_of(call, "dilations", len(kernel))) != {1}:
        raise call.refuse("is dilated", "use a depthwise convolution with equal weights")
    strides = sizes_of(call, "strides", len(kernel))
    pads = pads_of(call, kernel, strides, (1,) * len(kernel))
    if any(p >= k for p, k in zip(pads, kernel * 2, strict=True)):
        raise call.refuse("has windows that lie in the padding", "use pads smaller than the kernel")
    pool = AveragePool(kernel, strides, pads, call.attributes.flag("count_include_pad"))
    if call.attributes.flag("ceil_mode") and not _divides(call.tensor.shape, pool):
        what = "rounds its size up and so reads windows that are cut off"
        raise call.refuse(what, "use ceil_mode=False, or pad the source")
    return _with_room(call, pool)


@reads("GlobalAveragePool")
def global_average_pool(call: Call) -> str:
    """The mean over all of space, which keeps its axes."""
    return call.then(_over_space(space_of(call)))


@reads("ReduceMean", inputs=(1, 2), layout="any")
def reduce_mean(call: Call) -> str:
    """The mean over all of space, with or without its axes."""
    shape = call.tensor.shape
    axes = call.option("axes", 1)
    found = {*call.axes(axes or (), len(shape) + 1)}
    if found != set(range(2, len(shape) + 1)) or len(shape) < 2:
        what = (
            f"is over axes {sorted(found)}; allowed: all of space, {list(range(2, len(shape) + 1))}"
        )
        raise call.refuse(what, "use a global average pool")
    pool = _over_space(space_of(call))
    kept = call.attributes.flag("keepdims", default=True)
    return call.then(pool) if kept else call.then(pool, Reshape(shape[:1]))


@reads("Pad", inputs=(1, 4), layout="any")
def pad(call: Call) -> str:
    """A border of one value around space."""
    call.attributes.text("mode", "constant", ("constant",), "pad with a constant")
    pads = call.option("pads", 1, low=-EXTENT, high=EXTENT) or ()
    rank = len(call.tensor.shape) + 1
    axes = call.axes(call.wholes(3, "axes") if call.has(3) else range(rank), rank)
    half = len(axes)
    if len(pads) != 2 * half:
        what = f"has pads {list(pads)}; allowed: {2 * half} numbers, two for each axis"
        raise call.refuse(what, BROKEN)
    sides = {axis: (pads[i], pads[half + i]) for i, axis in enumerate(axes)}
    if any(sides.pop(0, (0, 0))):
        raise call.refuse("pads the batch", "pad channels and space alone")
    borders = [sides.get(axis, (0, 0)) for axis in range(2, rank)]
    for (before, after), size in zip(borders, call.tensor.shape[1:], strict=True):
        if min(before, after, before + after) <= -size:
            raise call.refuse(f"crops {borders} from {call.tensor.shape}", "crop less")
    amount = call.attributes.number("value", 0.0)
    if call.has(2):
        found = call.weights(2, "values").reshape(-1)
        amount = float(found[0]) if found.size else 0.0
    more = _more_channels(call, sides.get(1, (0, 0)), amount)
    flat = tuple(b for b, _ in borders) + tuple(a for _, a in borders)
    return call.then(*more, Pad(flat, amount)) if borders else call.then(*more)


def _more_channels(call: Call, sides: tuple[int, int], amount: float) -> list[Operator]:
    """Channels of 0 before and after; fewer channels where these are below 0."""
    before, after = sides
    if not before and not after:
        return []
    if amount and max(before, after) > 0:
        raise call.refuse(f"adds channels of {amount:g}; allowed: of 0", "add it as a bias")
    count = call.tensor.shape[0]
    if min(before, after, before + after) <= -count:
        raise call.refuse(f"leaves nothing of {count} channels", "crop less")
    channels = np.arange(-before, count + after)
    return [Select(np.where((channels < 0) | (channels >= count), Select.NONE, channels))]


def space_of(call: Call) -> Shape:
    """The axes of space that a window moves over: one or two."""
    space = call.tensor.shape[1:]
    if not 1 <= len(space) <= 2:
        what = f"reads a sample of shape {call.tensor.shape}"
        raise call.refuse(what, "give it one or two axes of space")
    return space


def kernel_of(call: Call) -> Shape:
    """The window of a pool, one number for each axis of space; bounded before it is filled."""
    space = space_of(call)
    return call.attributes.wholes("kernel_shape", count=len(space), low=1, high=EXTENT)


def sizes_of(call: Call, name: str, count: int) -> Shape:
    """An attribute with one number for each axis of space, 1 where it is missing."""
    return call.attributes.wholes(name, (1,) * count, count=count, low=1, high=EXTENT)


def pads_of(call: Call, kernel: Shape, strides: Shape, dilations: Shape) -> Shape:
    """The explicit pads, or those that auto_pad stands for."""
    mode, none = call.attributes.text("auto_pad", "NOTSET", AUTO_PADS), (0,) * (2 * len(kernel))
    if mode in ("NOTSET", ""):
        return call.attributes.wholes("pads", none, count=len(none), low=0, high=EXTENT)
    if mode == "VALID":
        return none
    totals = [
        max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
        for size, k, s, d in zip(call.tensor.shape[1:], kernel, strides, dilations, strict=True)
    ]
    less, more = tuple(t // 2 for t in totals), tuple(t - t // 2 for t in totals)
    return (*less, *more) if mode == "SAME_UPPER" else (*more, *less)


def _with_room(call: Call, operator: Conv | AveragePool) -> str:
    """Add an operator whose window must fit into its source."""
    shape = call.tensor.shape
    if min(operator.shape_of(shape)) < 1:
        raise call.refuse(f"has a window larger than its source {shape}", "pad the source")
    return call.then(operator)


def _groups_of(call: Call, weights: Floats, shape: Shape) -> int:
    groups = call.attributes.whole("group", 1, low=1)
    if weights.shape[1] * groups != shape[0]:
        what = f"reads {weights.shape[1] * groups} channels, and its source has {shape[0]}"
        raise call.refuse(what, BROKEN)
    if len(weights) % groups or not len(weights):
        what = f"has {len(weights)} kernels for {groups} groups; allowed: as many for each"
        raise call.refuse(what, BROKEN)
    return groups


def _bias_of(call: Call, count: int, *, broadcasts: bool = False) -> Floats:
    """One number for each result; of some operators a single one is for all."""
    bias = call.weights(2, "biases") if call.has(2) else np.zeros(count)
    row = (1,) * (2 - bias.ndim) + bias.shape if broadcasts else (1, *bias.shape)
    if row not in ((1, count), (1, 1) if broadcasts else (1, count)):
        raise call.refuse(f"has biases of shape {bias.shape} for {count} results", BROKEN)
    return np.broadcast_to(bias.reshape(-1), (count,))


def _matrix(call: Call) -> Floats:
    weights = call.weights(1, "weights")
    if weights.ndim != 2 or not weights.size:
        raise call.refuse(f"has weights of shape {weights.shape}; allowed: a matrix", FLATTEN)
    return weights


def _divides(shape: Shape, pool: AveragePool) -> bool:
    borders = zip(pool.pads[: len(shape) - 1], pool.pads[len(shape) - 1 :], strict=True)
    rest = (
        (n + b + a - k) % s
        for n, (b, a), k, s in zip(shape[1:], borders, pool.kernel, pool.strides, strict=True)
    )
    return not any(rest)


def _over_space(space: Shape) -> AveragePool:
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
        raise call.refuse(what, BROKEN)
    return call.then(operator)
