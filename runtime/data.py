"""The images of DATA.npz: looked through once, then encoded for the chip or for the source model.

Bytes are accepted where everybody agrees on what they mean: for an input of 0..255, and for one of
0..1, where byte/255 is what torchvision's ToTensor makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import Problem, SnncError, refusal
from snnc.compiler.inputs import Input
from snnc.compiler.laws import Integers
from snnc.compiler.laws.base import per_neuron
from snnc.runtime.archive import read_arrays
from snnc.runtime.pixels import Faults, Survey, remarks_on, survey
from snnc.runtime.stored import ImageArray, StoredArray

Array: TypeAlias = npt.NDArray[Any]

BYTE_RANGES = ((0.0, 1.0), (0.0, 255.0))
MOST_LABEL = 1 << 31
FORMAT = "save it with numpy.savez(path, x=images, y=labels)"


@dataclass(frozen=True, eq=False)
class Data:
    """Images, and labels where they are known."""

    x: ImageArray
    """(images, *input.shape), uint8, float32 or float64; (images, channels, length) for a line.
    Those of a file may stay in it: a slice of them is read when it is taken."""
    y: Integers | None = None
    """(images,) labels, or None."""
    remarks: tuple[str, ...] = ()
    """What is worth knowing of the pixels, once an input has accepted them."""

    @property
    def images(self) -> int:
        """The number of images."""
        return len(self.x)

    def part(self, first: int, count: int) -> Data:
        """Some of the images, from the first on; nothing is read."""
        labels = None if self.y is None else self.y[first : first + count]
        return replace(self, x=_rows(self.x, first, first + count), y=labels)

    def is_here(self) -> bool:
        """Whether the file of the images, if they have one, is there as it was."""
        return not isinstance(self.x, StoredArray | StoredImages) or self.x.is_here()

    def carried(self) -> Data:
        """The same with all images in memory."""
        return replace(self, x=self.x[:])


@dataclass(frozen=True, eq=False)
class StoredImages:
    """Images that stay in their file, as an input has them."""

    stored: StoredArray
    source: Input

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, *pixel_shape)."""
        none = np.empty((0, *self.stored.shape[1:]), np.uint8)
        return len(self), *_channels_first(none, self.source).shape[1:]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a pixel."""
        return self.stored.dtype

    @property
    def ndim(self) -> int:
        """The number of its axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self.stored)

    def __array__(self, dtype: npt.DTypeLike = None, copy: bool | None = None) -> Array:
        return np.asarray(self[:], dtype)

    def __getitem__(self, images: slice | int, /) -> Array:
        """Some images, one behind the other, or one.

        Raises:
            SnncError: for a file that is no longer what it was.
        """
        if isinstance(images, slice):
            return _channels_first(self.stored[images], self.source)
        return np.asarray(_channels_first(self.stored[images][None], self.source)[0])

    def is_here(self) -> bool:
        """Whether the file is there as it was."""
        return self.stored.is_here()

    def rows(self, first: int, last: int) -> StoredImages:
        """Some images, which stay where they are."""
        return replace(self, stored=self.stored.rows(first, last))


def load_data(path: Path, limit: int | None = None) -> Data:
    """Read DATA.npz, or DATA.npy without labels; pickled objects are never loaded.

    Args:
        path: the file.
        limit: the images that will be used; None for all, which then are looked at as a whole.

    Raises:
        SnncError: if it is no such file.
    """
    arrays = read_arrays(path, "x", "y", mend=FORMAT, rows=limit)
    labels = arrays.get("y")
    return Data(arrays["x"], None if labels is None else np.asarray(labels))


def accepted(
    data: Data,
    source: Input,
    *,
    name: str,
    classes: int | None = None,
    limit: int | None = None,
    clip: bool = False,
) -> Data:
    """The first limit of the images, once they are known to suit an input; labels below classes.

    Values outside the input's range, by half a level or more, are an error unless clip is true.

    Args:
        data: anything at all.
        source: the input.
        name: what the messages call the data.
        classes: the number of classes; None where no label is out of range.
        limit: None for all.
        clip: whether the encoder may clip values.

    Raises:
        SnncError: with every problem found.
    """
    if limit is not None and limit < 1:
        raise refusal("`limit`", f"{limit} images; allowed: at least 1", "leave it out for all")
    x, y = _arranged(data.x, source), data.y
    problems = [*_problems_of_images(name, x, source)]
    if y is not None:
        problems += _problems_of_labels(name, y, len(x) if x.ndim else 0, classes)
    if problems:
        raise SnncError(*problems)
    x = _rows(x, 0, len(x) if limit is None else limit)
    found = survey(x, source)
    if problems := [*_problems_of_values(name, found, source, clip)]:
        raise SnncError(*problems)
    labels = None if y is None else y[:limit].astype(np.int64)
    return Data(x, labels, remarks_on(name, x, source, found))


def encode(x: Array, source: Input) -> npt.NDArray[np.int32]:
    """What the input sends: n = clip(round((x − low)/step), 0, levels), ties to the even one.

    A byte u is the level u·levels/255, rounded; a tie cannot occur, since 255 is odd.

    Returns:
        (images, *shape of the input): the levels, or where these are neurons of their own the bits.
    """
    highest = source.pixel_levels
    if x.dtype == np.uint8:
        levels = ((2 * highest * np.arange(256, dtype=np.int32) + 255) // 510)[x]
    else:
        levels = np.clip(np.rint((x.astype(np.float64) - source.low) / source.step), 0, highest)
    return np.asarray(source.neurons_of(np.asarray(levels, np.int32)), np.int32)


def as_source(x: Array, source: Input) -> npt.NDArray[np.float32]:
    """What the float source model is given: its channels are where the model has them."""
    real = normalised(x, source)
    return np.moveaxis(real, 1, -1) if source.channels_last else real


def normalised(x: Array, source: Input) -> npt.NDArray[np.float32]:
    """Pixels as real values, (x − mean)/std where the source model was trained on that.

    Where `encode` clips a value the source gets it clipped too, to what has the last level.
    """
    if x.dtype == np.uint8:
        x = source.low + (source.high - source.low) * (x / 255)
    half = source.step / 2
    real: Array = np.clip(x, source.low - half, source.high + half).astype(np.float32)
    if source.mean:
        real = real - _per_channel(source.mean, source)
    if source.std:
        real = real / _per_channel(source.std, source)
    return np.asarray(real, np.float32)


def _arranged(x: ImageArray, source: Input) -> ImageArray:
    """The images with their channels first, wherever they are."""
    if isinstance(x, StoredArray):
        return StoredImages(x, source)
    return _channels_first(np.asarray(x), source)


def _rows(x: ImageArray, first: int, last: int) -> ImageArray:
    """Some of the images, where they are."""
    return x.rows(first, last) if isinstance(x, StoredArray | StoredImages) else x[first:last]


def _channels_first(x: Array, source: Input) -> Array:
    """The images (images, channels, height, width), which may be a line, or have channels last."""
    shape, channels_last = source.pixel_shape, source.channels_last
    if len(shape) == x.ndim == 3 and shape[1] == 1:
        last = channels_last and x.shape[1:] == (shape[2], shape[0])
        x = x[:, None] if last else x[:, :, None]
    return np.moveaxis(x, -1, 1) if channels_last and x.shape[1:] == source.image_shape else x


def _per_channel(values: tuple[float, ...], source: Input) -> Array:
    return per_neuron(np.array(values, np.float32), source.pixel_shape)


def _problems_of_images(path: str, x: ImageArray, source: Input) -> Iterator[Problem]:
    if x.dtype not in (np.uint8, np.float32, np.float64):
        what = f"x holds {x.dtype}; allowed: uint8, float32, float64"
        yield Problem(path, what, "convert it; pixels 0..255 to uint8")
    if x.dtype == np.uint8 and not np.isclose(BYTE_RANGES, (source.low, source.high)).all(1).any():
        what = f"x holds uint8, the input takes {source.low:g}..{source.high:g}"
        yield Problem(path, what, "convert x to float32, in the units of that range")
    if not x.ndim or x.shape[1:] != source.pixel_shape:
        allowed = ", ".join(map(str, source.image_shape))
        what = f"x has shape {x.shape}; allowed: (images, {allowed})"
        yield Problem(path, what, "reshape or transpose x")
    elif not len(x):
        yield Problem(path, "x holds 0 images; at least 1 is needed", FORMAT)


def _problems_of_labels(path: str, y: Array, images: int, classes: int | None) -> Iterator[Problem]:
    highest = MOST_LABEL if classes is None else classes - 1
    if y.shape != (images,):
        yield Problem(
            path, f"y has shape {y.shape}; allowed: ({images},)", "give one label per image"
        )
    elif y.dtype.kind not in "iuf" or not np.array_equal(y, np.rint(y)):
        yield Problem(path, f"y ({y.dtype}) is not whole numbers", "number the classes from 0 on")
    elif (wrong := (y < 0) | (y > highest)).any():
        what = f"{_found(Faults.of(wrong), 'labels')} outside 0..{highest}"
        yield Problem(path, what, "number the classes from 0 on")


def _problems_of_values(path: str, found: Survey, source: Input, clip: bool) -> Iterator[Problem]:
    if found.not_finite:
        what = f"{_found(found.not_finite, 'values')} not finite"
        yield Problem(path, what, "leave out or mend these images")
    if found.outside and not clip:
        what = f"{_found(found.outside, 'values')} outside {source.low:g}..{source.high:g}"
        yield Problem(path, what, "scale x, compile with its `input_range`, or use `clip_input`")


def _found(faults: Faults, things: str) -> str:
    """How many there are, and where the first is."""
    return f"{faults.count} {things}, the first in image {faults.image}, are"
