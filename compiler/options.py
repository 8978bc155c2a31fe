"""What a user may choose about a compilation: the only spelling of each option.

Problems name an option as Python does, between backticks: `weight_bits`, `code='one-spike'`. The
command line writes them as its flags.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar, runtime_checkable

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import Problem
from snnc.compiler.inputs import BitsInput, GradedInput, Input, Pixels
from snnc.compiler.laws.base import Shape
from snnc.compiler.limits import PLANES, STEPS
from snnc.compiler.network import Network
from snnc.compiler.operators import Source
from snnc.compiler.spiking import Schedule
from snnc.compiler.target import Target

AnyPixels = TypeVar("AnyPixels", bound=Pixels)
AveragePools: TypeAlias = Literal["auto", "compose", "sum"]
InputCode: TypeAlias = Literal["graded", "bits"]
WeightBits: TypeAlias = int | Literal["auto"]
MOST_STEPS = STEPS.most
"""Time steps of a train, and whatever else is counted in them."""
MOST_REAL = 1e12
"""Of a pixel, a mean, a standard deviation and its inverse: what floats still add up."""


@runtime_checkable
class Images(Protocol):
    """Images in memory, as `snnc.Data` holds them."""

    @property
    def x(self) -> Any:  # noqa: ANN401
        """(images, *shape), an array."""
        ...

    @property
    def y(self) -> npt.NDArray[np.int64] | None:
        """(images,) labels, or None."""
        ...


def says(text: str) -> Mapping[str, str]:
    """What the command line says of a field."""
    return {"help": text}


@dataclass(frozen=True)
class CompileOptions:
    """Every option of a compilation; compile, sweep and errors take them by these names."""

    target: str = field(default="loihi2", metadata=says("The chip."))
    code: str = field(default="bit-serial", metadata=says("How levels become spikes."))
    timesteps: int | None = field(
        default=None,
        metadata=says("Time steps of a level, T; fewer than its bits make bit-serial coarser."),
    )
    rho: int | None = field(
        default=None, metadata=says("offset-spike: time steps of one calibration (4).")
    )
    iterations: int | None = field(
        default=None,
        metadata=says("offset-spike: how many calibrations; each moves one spike (1)."),
    )
    light: bool = field(
        default=False, metadata=says("offset-spike: keep the residual potential instead.")
    )
    weight_bits: WeightBits = field(
        default=8,
        metadata=says("Bits of a weight: 2 to 8; 16 as two synapses; auto: see `budget`."),
    )
    budget: int | None = field(
        default=None,
        metadata=says("With `weight_bits='auto'`: words of 64 bits that all weights may take."),
    )
    schedule: Schedule = field(
        default="pipelined", metadata=says("Images one behind the other, or one at a time.")
    )
    average_pool: AveragePools = field(
        default="auto",
        metadata=says("Average pools: part of what follows, a population, or the cheaper."),
    )
    input_bits: int = field(default=8, metadata=says("Bits of a pixel."))
    input_code: InputCode | None = field(
        default=None,
        metadata=says("A pixel is sent as one graded spike (default), or as its bits."),
    )
    input_range: tuple[float, float] = field(
        default=(0.0, 1.0), metadata=says("The least and the greatest value of a pixel.")
    )
    mean: tuple[float, ...] = field(
        default=(), metadata=says("The model was trained on (x - mean)/std: 0.49,0.48,0.45")
    )
    std: tuple[float, ...] = field(default=(), metadata=says("See `mean`."))
    input_shape: tuple[int, ...] = field(
        default=(),
        metadata=says("Sizes of one sample, where the model leaves them open: 3,224,224"),
    )
    labels: tuple[str, ...] = field(
        default=(), metadata=says("Names of the classes, kept in the file: cat,dog")
    )
    calibration: str | Path | Images | None = field(
        default=None, metadata=says("DATA.npz: its images guide how weights are rounded.")
    )
    levels: int | None = field(
        default=None,
        metadata=says("With `calibration`: activations without levels get staircases of so many."),
    )

    def input_of(self, target: Target) -> InputCode:
        """How pixels are sent: graded, where the target can."""
        return self.input_code or ("bits" if target.stock_only else "graded")


class ModelKeywords(TypedDict, total=False):
    """The fields of `CompileOptions` that say nothing of a code, as keywords."""

    target: str
    weight_bits: WeightBits
    budget: int | None
    schedule: Schedule
    average_pool: AveragePools
    input_bits: int
    input_code: InputCode | None
    input_range: tuple[float, float]
    mean: Sequence[float]
    std: Sequence[float]
    input_shape: Sequence[int]
    labels: Sequence[str]
    calibration: str | Path | Images | Iterable[Any] | None
    levels: int | None


class CompileKeywords(ModelKeywords, total=False):
    """The fields of `CompileOptions` as keywords."""

    code: str
    timesteps: int | None
    rho: int | None
    iterations: int | None
    light: bool


@dataclass(frozen=True)
class Encoding:
    """How pixels become levels: n = round((x − low)/step), 2^bits − 1 at the upper end."""

    bits: int = 8
    low: float = 0.0
    high: float = 1.0
    mean: tuple[float, ...] = ()
    """The source model reads (x − mean)/std, one number for each channel or one for all."""
    std: tuple[float, ...] = ()
    channels_last: bool = False
    """Whether the source model has its channels last."""

    @property
    def levels(self) -> int:
        """The highest level."""
        return int((1 << self.bits) - 1)

    @property
    def step(self) -> float:
        """The real value of one level."""
        return (self.high - self.low) / self.levels

    def input(self, name: str, shape: Shape, code: InputCode = "graded") -> Input:
        """The input that sends the pixels of a model's input, each in one turn."""
        if code == "graded":
            return self.sent_as(GradedInput, name, shape, self.levels)
        return self.sent_as(BitsInput, name, shape, self.levels)

    def sent_as(
        self, kind: type[AnyPixels], name: str, shape: Shape, levels: int, *more: int
    ) -> AnyPixels:
        """An input of some kind, given what its neurons are and what it has besides."""
        mean, std = self.mean or (0.0,), self.std or (1.0,)
        normalised = (mean, std) if self.mean or self.std else ((), ())
        last = self.channels_last
        encoding = (self.low, self.step, *normalised)
        return kind(name, shape, levels, *encoding, *more, channels_last=last)


def encoding_of(options: CompileOptions, network: Network) -> Encoding:
    """How options want the pixels of a model to become levels."""
    low, high = options.input_range
    source = network.input.operator
    last = isinstance(source, Source) and source.channels_last
    return Encoding(options.input_bits, low, high, tuple(options.mean), tuple(options.std), last)


def problems_of_encoding(encoding: Encoding, shape: Shape) -> list[Problem]:
    """What does not fit an input of this shape."""
    found = []
    if not PLANES.holds(encoding.bits):
        found.append(Problem("`input_bits`", f"{encoding.bits} bits; allowed: 1 to 16", "use 8"))
    span = encoding.high - encoding.low
    if not all(map(_is_sound, (encoding.low, encoding.high))) or not span >= 1 / MOST_REAL:
        what = f"the range {encoding.low:g} to {encoding.high:g} is empty or not finite"
        found.append(Problem("`input_range`", what, "give the least and the greatest pixel value"))
    found += _problems_of_norm("mean", encoding.mean, shape, -MOST_REAL)
    found += _problems_of_norm("std", encoding.std, shape, 1 / MOST_REAL)
    return found


def problems_of_labels(labels: Sequence[str]) -> Iterator[Problem]:
    """Names that a file cannot hold."""
    for each in labels:
        if any("\ud800" <= sign <= "\udfff" for sign in each):
            yield Problem("`labels`", f"{each!r} is no UTF-8", "write it in UTF-8")


def _problems_of_norm(
    option: str, values: Sequence[float], shape: Shape, least: float
) -> Iterator[Problem]:
    """What is wrong with a mean or a standard deviation of each channel."""
    if len(values) not in (0, 1, shape[0]):
        allowed = f"1 or {shape[0]}" if shape[0] > 1 else "1"
        what = f"{len(values)} values for {shape[0]} channels; allowed: {allowed}"
        yield Problem(f"`{option}`", what, "give one for each channel, or one for all")
    for each in values:
        if not _is_sound(each) or each < least:
            what = f"{each:g}; allowed: {least:g} to {MOST_REAL:g}"
            yield Problem(f"`{option}`", what, "give that of the pixels as the model was trained")


def _is_sound(number: float) -> bool:
    return abs(number) <= MOST_REAL


def counts_in_range(options: dict[str, tuple[int, ...]]) -> Iterator[Problem]:
    """The problems of numbers of time steps, and of what is counted in them, by their options."""
    for name, numbers in options.items():
        for number in numbers:
            if not 1 <= number <= MOST_STEPS:
                yield Problem(f"`{name}`", f"{number}; allowed: 1 to {MOST_STEPS}", "leave it out")
