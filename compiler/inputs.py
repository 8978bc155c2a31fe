"""The ways in which pixels are sent, one class for each.

A pixel x is the level n = round((x − low)/step), 0 … levels, before any normalisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from types import MappingProxyType
from typing import Any, ClassVar, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from snnc.compiler.laws.base import Integers, Sent, Shape, Train, bits_for, over_images
from snnc.compiler.laws.bit_serial import ones_in
from snnc.compiler.laws.delta import changes_between

Numbers: TypeAlias = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Pixels:
    """What all inputs share. As a source it answers like the law of a population."""

    name: str
    shape: Shape
    """Of the neurons: (channels, height, width), or (neurons,)."""
    levels: int
    """The highest number that a neuron sends."""
    low: float
    step: float
    """Real value of one level."""
    mean: tuple[float, ...] = ()
    """The source model was given (x − mean)/std, for each channel or for all; () means x itself."""
    std: tuple[float, ...] = ()
    channels_last: bool = field(default=False, kw_only=True)
    """Whether the source model, and so an image as it is given, has its channels last."""

    copies: ClassVar[int] = 1

    @property
    def sends(self) -> Self:
        """The input is its own law."""
        return self

    @property
    def pixel_shape(self) -> Shape:
        """The shape of an image."""
        return self.shape

    @property
    def image_shape(self) -> Shape:
        """The shape of an image as it is given, and as the source model reads it."""
        shape = self.pixel_shape
        return (*shape[1:], shape[0]) if self.channels_last else shape

    @property
    def pixel_levels(self) -> int:
        """The highest level of a pixel."""
        return self.levels

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @property
    def high(self) -> float:
        """The real value of the highest level."""
        return self.low + self.step * self.pixel_levels

    def neurons_of(self, pixels: Numbers) -> Numbers:
        """The numbers of the neurons (images, *shape), given levels (images, *pixel_shape)."""
        return pixels

    def stream_of(self, numbers: Numbers, before: Numbers) -> Numbers:
        """What consecutive images send (images, *shape), given the numbers of the one before."""
        return numbers

    def _text(self, how: str) -> str:
        span = f"{self.low:g}..{self.high:g} in {self.pixel_levels} levels"
        return f"{self.name} {'x'.join(map(str, self.shape))} input {span}, {how}"


@dataclass(frozen=True, eq=False)
class GradedInput(Pixels):
    """Each pixel is the payload of one spike."""

    kind: ClassVar[str] = "graded"
    code: ClassVar[str] = "graded"
    train: ClassVar[Train] = "once"
    turn: ClassVar[int] = 1
    is_constant: ClassVar[bool] = False

    def sent_in(self, step: int, numbers: Numbers, before: Numbers) -> Numbers:
        """The numbers."""
        return numbers

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """One for each pixel above 0."""
        return over_images(sent != 0)

    def __str__(self) -> str:
        return self._text("graded")


@dataclass(frozen=True, eq=False)
class BitsInput(Pixels):
    """The bits of each pixel, one after the other, the highest first."""

    kind: ClassVar[str] = "bits"
    code: ClassVar[str] = "bits"
    train: ClassVar[Train] = "bits"
    is_constant: ClassVar[bool] = False

    @property
    def turn(self) -> int:
        """A time step for each bit."""
        return bits_for(self.levels)

    def sent_in(self, step: int, numbers: Numbers, before: Numbers) -> Numbers:
        """The bit whose turn it is."""
        return numbers >> (self.turn - 1 - step) & 1

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """The ones among the bits."""
        return ones_in(sent)

    def __str__(self) -> str:
        return self._text("bits")


@dataclass(frozen=True, eq=False)
class CurrentInput(Pixels):
    """Each pixel is a payload in every step of its turn: the constant current of a rate code."""

    turn: int = 1
    """The time steps in which it is sent."""

    kind: ClassVar[str] = "current"
    code: ClassVar[str] = "graded"
    train: ClassVar[Train] = "spikes"
    is_constant: ClassVar[bool] = True

    def sent_in(self, step: int, numbers: Numbers, before: Numbers) -> Numbers:
        """The numbers, in every step."""
        return numbers

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """One in each step for each pixel above 0."""
        return self.turn * over_images(sent != 0)

    def __str__(self) -> str:
        return self._text(f"graded {self.turn} times")


@dataclass(frozen=True, eq=False)
class PlanesInput(Pixels):
    """The bits of a pixel are neurons of their own, sent at once, the highest first in a channel.

    `levels` is 1, and `shape` counts the bits as channels.
    """

    planes: int = 1
    """Bits of a pixel."""

    kind: ClassVar[str] = "planes"
    code: ClassVar[str] = "bits"
    train: ClassVar[Train] = "once"
    turn: ClassVar[int] = 1
    is_constant: ClassVar[bool] = False

    @property
    def pixel_shape(self) -> Shape:
        """The shape of an image."""
        return (self.shape[0] // self.planes, *self.shape[1:])

    @property
    def pixel_levels(self) -> int:
        """The highest level of a pixel."""
        return (1 << self.planes) - 1

    def neurons_of(self, pixels: Numbers) -> Numbers:
        """The bits, one neuron each."""
        places = np.arange(self.planes)[::-1].reshape(-1, *(1,) * (pixels.ndim - 2))
        return (pixels[:, :, None] >> places & 1).reshape(len(pixels), *self.shape)

    def sent_in(self, step: int, numbers: Numbers, before: Numbers) -> Numbers:
        """All bits."""
        return numbers

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """The ones."""
        return over_images(sent != 0)

    def __str__(self) -> str:
        return self._text("bits at once")


@dataclass(frozen=True, eq=False)
class ChangesInput(Pixels):
    """Of each pixel the change from the frame before, as the signed payload of one spike."""

    kind: ClassVar[str] = "changes"
    code: ClassVar[str] = "changes"
    train: ClassVar[Train] = "changes"
    turn: ClassVar[int] = 1
    is_constant: ClassVar[bool] = False

    def sent_in(self, step: int, numbers: Numbers, before: Numbers) -> Numbers:
        """The changes."""
        return numbers - before

    def stream_of(self, numbers: Numbers, before: Numbers) -> Numbers:
        """What consecutive frames send (frames, *shape), given the numbers of the one before."""
        return changes_between(numbers, before)

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """One for each frame in which a pixel changes."""
        return over_images(sent != 0)

    def __str__(self) -> str:
        return self._text("changes")


Input: TypeAlias = GradedInput | BitsInput | CurrentInput | PlanesInput | ChangesInput
INPUTS: Mapping[str, type[Input]] = MappingProxyType({each.kind: each for each in get_args(Input)})
"""By the kind that a file names."""


def once(source: Input) -> Input:
    """The same pixels, those of a current sent in one step instead of many."""
    if not isinstance(source, CurrentInput):
        return source
    encoding = (source.low, source.step, source.mean, source.std)
    last = source.channels_last
    return GradedInput(source.name, source.shape, source.levels, *encoding, channels_last=last)
