"""Readers of operators that keep some elements or repeat them: slices, splits, resizing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

import numpy as np

from snnc.compiler.operators import Conv, Pad, Reshape, Select, Tile, Transpose
from snnc.frontends.onnx.arrays import Array
from snnc.frontends.onnx.limits import EXTENT, PIXELS, SIZE
from snnc.frontends.onnx.registry import reads
from snnc.frontends.onnx.values import EXPORT_AGAIN, Call, Tensor

APART = "keep the first axis for the images"
EVENLY = "take a range with a fixed step"
WHOLE = "resize with mode='nearest' by whole factors, or by a transposed convolution"
COORDINATES: Mapping[str, Callable[[Array, float], Array]] = {
    "half_pixel": lambda place, scale: (place + 0.5) / scale - 0.5,
    "pytorch_half_pixel": lambda place, scale: (place + 0.5) / scale - 0.5,
    "tf_half_pixel_for_nn": lambda place, scale: (place + 0.5) / scale,
    "asymmetric": lambda place, scale: place / scale,
}
"""Where a pixel of the result lies in the source."""
NEAREST: Mapping[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda place: np.ceil(place - 0.5),
    "round_prefer_ceil": lambda place: np.floor(place + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


@reads("Slice", inputs=(1, 5), layout="any")
def slices(call: Call) -> str:
    """Ranges of some axes, each with a step of its own."""
    starts, ends = (call.option(name, i, low=-SIZE - 1) for i, name in ((1, "starts"), (2, "ends")))
    axes = call.option("axes", 3) or tuple(range(len(starts or ())))
    steps = (call.wholes(4, "steps") if call.has(4) else ()) or (1,) * len(axes)
    if starts is None or ends is None or {*map(len, (starts, ends, steps))} != {len(axes)}:
        raise call.refuse("has starts, ends, axes and steps of unlike number", EXPORT_AGAIN)
    if 0 in steps:
        raise call.refuse("has a step of 0", EXPORT_AGAIN)
    full, node = (1, *call.tensor.shape), call.tensor.node
    for axis, *ends_and_step in zip(call.axes(axes, len(full)), starts, ends, steps, strict=True):
        node = _taken(call, node, axis, np.arange(full[axis])[slice(*ends_and_step)])
    return node


@reads("Split", inputs=(1, 2), layout="any")
def split(call: Call) -> tuple[str, ...]:
    """Ranges of one axis, side by side."""
    full = (1, *call.tensor.shape)
    axis = call.axis(0, len(full))
    size, parts = full[axis], call.outputs
    sizes = call.option("split", 1, low=0)
    if sizes is None:
        each = -(-size // parts)
        sizes = tuple(min(each, size - each * i) for i in range(parts))
    if sum(sizes) != size or len(sizes) != parts or min(sizes) < 1:
        what = f"makes {parts} parts of sizes {list(sizes)} of {size}"
        raise call.refuse(f"{what}; allowed: parts that are the whole", EXPORT_AGAIN)
    starts = accumulate(sizes, initial=0)
    return tuple(
        _taken(call, call.tensor.node, axis, np.arange(start, start + count))
        for start, count in zip(starts, sizes, strict=False)
    )


@reads("Gather", inputs=(2, 2), layout="any")
def gather(call: Call) -> Tensor:
    """Places of one axis, which is gone if it is only one."""
    full = (1, *call.tensor.shape)
    axis, indices = call.axis(0, len(full)), call.constant(1, "indices")
    if indices.dtype.kind not in "iu" or indices.ndim > 1 or not indices.size:
        what = f"has indices of type {indices.dtype} and shape {indices.shape}"
        raise call.refuse(f"{what}; allowed: a list of whole numbers", EXPORT_AGAIN)
    if np.any(indices < -full[axis]) or np.any(indices >= full[axis]):
        what = f"has indices {indices.min()} to {indices.max()} for {full[axis]} places"
        raise call.refuse(what, EXPORT_AGAIN)
    node = _taken(call, call.tensor.node, axis, indices.reshape(-1) % full[axis])
    shape, order = call.builder.shape(node), call.order or tuple(range(len(full) - 1))
    if indices.ndim:
        return Tensor(node, shape, order)
    if axis == 0:
        raise call.refuse("takes the images apart", APART)
    gone = axis - 1
    left = (*shape[:gone], *shape[gone + 1 :])
    node = call.builder.add(call.name, Reshape(left), node)
    return Tensor(node, left, tuple(each - (each > gone) for each in order if each != gone))


@reads("Tile", inputs=(2, 2), layout="any")
def tile(call: Call) -> str:
    """Copies, side by side along the axes."""
    repeats = call.wholes(1, "repeats", low=1, high=EXTENT)
    rank = len(call.tensor.shape) + 1
    if len(repeats) != rank or repeats[0] != 1:
        what = f"has repeats {list(repeats)} for {rank} axes, the images first"
        raise call.refuse(what, APART)
    placed = dict(zip(call.axes(range(rank), rank), repeats, strict=True))
    return call.then(Tile(tuple(placed[axis] for axis in range(1, rank))))


@reads("Upsample", inputs=(1, 2), layout="any")
def upsample(call: Call) -> str:
    """What resizing was before; it takes the pixel before the place."""
    call.attributes.text("mode", "nearest", ("nearest",), WHOLE)
    if "scales" in call.attributes:
        scales = call.attributes.numbers("scales")
    else:
        scales = tuple(map(float, call.weights(1, "scales").reshape(-1)))
    full = (1, *call.tensor.seen)
    sizes = [int(size * scale) for size, scale in zip(full, scales, strict=False)]
    return _resized(call, sizes, scales, "asymmetric", "floor")


@reads("Resize", inputs=(1, 4), layout="any")
def resize(call: Call) -> str:
    """The nearest pixels, as far as all of them are repeated equally often, or evenly left out."""
    attributes = call.attributes
    attributes.text("mode", "nearest", ("nearest",), WHOLE)
    where = attributes.text("coordinate_transformation_mode", "half_pixel", COORDINATES, WHOLE)
    nearest = attributes.text("nearest_mode", "round_prefer_floor", NEAREST)
    full = (1, *call.tensor.seen)
    axes = attributes.wholes("axes", tuple(range(len(full))), low=-len(full), high=len(full) - 1)
    factors, sizes = [1.0] * len(full), [*full]
    if call.has(3):
        for axis, size in zip(axes, call.wholes(3, "sizes", low=1), strict=False):
            sizes[axis], factors[axis] = size, size / full[axis]
    else:
        index = 2 if call.has(2) else 1
        for axis, factor in zip(axes, call.weights(index, "scales").reshape(-1), strict=False):
            sizes[axis], factors[axis] = int(full[axis] * factor), float(factor)
    return _resized(call, sizes, factors, where, nearest)


@reads("DepthToSpace")
def depth_to_space(call: Call) -> str:
    """Blocks of pixels out of channels."""
    size = call.attributes.whole("blocksize", low=1, high=EXTENT)
    mode = call.attributes.text("mode", "DCR", ("DCR", "CRD"))
    channels, height, width = _plane(call)
    if channels % size**2:
        raise call.refuse(f"makes blocks of {size}x{size} of {channels} channels", EXPORT_AGAIN)
    left = channels // size**2
    before = (size, size, left) if mode == "DCR" else (left, size, size)
    axes = (2, 3, 0, 4, 1) if mode == "DCR" else (0, 3, 1, 4, 2)
    blocks = Reshape((*before, height, width)), Transpose(axes)
    return call.then(*blocks, Reshape((left, height * size, width * size)))


@reads("SpaceToDepth")
def space_to_depth(call: Call) -> str:
    """Channels out of blocks of pixels: a convolution, each of whose kernels picks one."""
    size = call.attributes.whole("blocksize", low=1, high=EXTENT)
    channels, height, width = _plane(call)
    if height % size or width % size or channels * size**4 > PIXELS:
        raise call.refuse(f"cuts {height}x{width} into blocks of {size}x{size}", EXPORT_AGAIN)
    kernels = np.tile(np.eye(size**2), (channels, 1)).reshape(-1, 1, size, size)
    blocks = Conv(kernels, np.zeros(len(kernels)), (size, size), (0,) * 4, (1, 1), channels)
    pixels_first = np.arange(len(kernels)).reshape(channels, -1).T.reshape(-1)
    return call.then(blocks, Select(pixels_first))


def _plane(call: Call) -> tuple[int, int, int]:
    shape = call.tensor.shape
    if len(shape) != 3:
        raise call.refuse(f"reads a sample of shape {shape}", "give it two axes of space")
    channels, height, width = shape
    return channels, height, width


def _resized(
    call: Call, sizes: Sequence[int], factors: Sequence[float], where: str, nearest: str
) -> str:
    """Pixels repeated, or some of them taken, along each of ONNX's axes."""
    node = call.tensor.node
    for number, (before, after) in enumerate(zip((1, *call.tensor.seen), sizes, strict=True)):
        axis = call.placed(number)
        if not 0 < after <= PIXELS:
            raise call.refuse(f"makes {after} of {before} pixels", WHOLE)
        place = COORDINATES[where](np.arange(float(after)), factors[number])
        found = np.clip(NEAREST[nearest](place), 0, before - 1).astype(int)
        if after % before == 0 and np.array_equal(found, np.arange(after) // (after // before)):
            node = _repeated(call, node, axis, after // before)
        elif axis > 1 and after < before and len({*np.diff(found)}) <= 1:
            node = _taken(call, node, axis, found)
        else:
            raise call.refuse(f"makes {after} of {before} pixels", WHOLE)
    return node


def _repeated(call: Call, node: str, axis: int, count: int) -> str:
    """Every place of an axis so many times."""
    if count == 1:
        return node
    if axis == 0:
        raise call.refuse("repeats the images", APART)
    shape = call.builder.shape(node)
    single = (*shape[:axis], 1, *shape[axis:])
    repeats = tuple(count if i == axis else 1 for i in range(len(single)))
    longer = (*shape[: axis - 1], shape[axis - 1] * count, *shape[axis:])
    for move in (Reshape(single), Tile(repeats), Reshape(longer)):
        node = call.builder.add(call.name, move, node)
    return node


def _taken(call: Call, node: str, axis: int, places: Array) -> str:
    """Some places of an axis: channels in any order, pixels in theirs and at even distances."""
    shape = call.builder.shape(node)
    full = (1, *shape)
    if not len(places):
        raise call.refuse(f"leaves nothing of an axis of {full[axis]}", EVENLY)
    if np.array_equal(places, np.arange(full[axis])):
        return node
    if axis == 0:
        raise call.refuse("takes the images apart", APART)
    if axis == 1:
        return call.builder.add(call.name, Select(places), node)
    step = int(places[1] - places[0]) if len(places) > 1 else 1
    if step < 1 or np.any(np.diff(places) != step):
        raise call.refuse("takes pixels in another order, or unevenly", EVENLY)
    space = len(shape) - 1
    befores, afters, steps = [0] * space, [0] * space, [1] * space
    befores[axis - 2], afters[axis - 2] = -int(places[0]), int(places[-1]) + 1 - full[axis]
    steps[axis - 2] = step
    node = call.builder.add(call.name, Pad((*befores, *afters)), node)
    return node if step == 1 else call.builder.add(call.name, _every(shape[0], steps), node)


def _every(channels: int, steps: Sequence[int]) -> Conv:
    """Pixels at even distances, as a depthwise convolution with a single one."""
    single = (1,) * len(steps)
    ones = np.ones((channels, 1, *single))
    pads = (0,) * (2 * len(steps))
    return Conv(ones, np.zeros(channels), tuple(steps), pads, single, channels)
