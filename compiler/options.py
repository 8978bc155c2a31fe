"""What a user may choose about a compilation: the only spelling of each option.

Problems name an option as Python does, between backticks: `weight_bits`, `code='one-spike'`. The
command line writes them as its flags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import Problem
from snnc.compiler.inputs import BitsInput, GradedInput, Input, Pixels
from snnc.compiler.laws.base import Shape
from snnc.compiler.limits import PLANES, STEPS
from snnc.compiler.spiking import Schedule
from snnc.compiler.target import Target

AnyPixels = TypeVar("AnyPixels", bound=Pixels)
AveragePools: TypeAlias = Literal["auto", "compose", "sum"]
InputCode: TypeAlias = Literal["graded", "bits"]
MOST_STEPS = STEPS.most
"""Time steps of a train, and whatever else is counted in them."""


class Images(Protocol):
    """Images in memory, as `snnc.Data` holds them."""

    @property
    def x(self) -> npt.NDArray[Any]:
        """(images, *shape)."""
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

    target: str = field(default="loihi", metadata=says("The chip."))
    code: str = field(default="bit-serial", metadata=says("How levels become spikes."))
    timesteps: int | None = field(
        default=None, metadata=says("T; of bit-serial fewer than bits: coarser, not error-free.")
    )
    rho: int | None = field(
        default=None, metadata=says("offset-spike: time steps of one calibration (4).")
    )
    iterations: int | None = field(
        default=None, metadata=says("offset-spike: calibrations, each moves one spike (1).")
    )
    light: bool = field(
        default=False, metadata=says("offset-spike: keep the residual potential instead.")
    )
    weight_bits: int = field(
        default=8, metadata=says("Bits of a weight: 2 to 8, or 16 as two synapses.")
    )
    schedule: Schedule = field(default="pipelined", metadata=says("When images enter."))
    average_pool: AveragePools = field(
        default="auto", metadata=says("Part of what follows, a population, or the cheaper.")
    )
    input_bits: int = field(default=8, metadata=says("Bits of a pixel."))
    input_code: InputCode | None = field(
        default=None, metadata=says("A pixel as one graded spike (default), or as bits.")
    )
    input_range: tuple[float, float] = field(
        default=(0.0, 1.0), metadata=says("The least and the greatest pixel value.")
    )
    mean: tuple[float, ...] = field(
        default=(), metadata=says("The model was trained on (x - mean)/std: 0.49,0.48,0.45")
    )
    std: tuple[float, ...] = field(default=(), metadata=says("See `mean`."))
    labels: tuple[str, ...] = field(
        default=(), metadata=says("Names of the classes, kept in the file.")
    )
    calibration: str | Path | Images | None = field(
        default=None, metadata=says("DATA.npz: weights are rounded with error feedback.")
    )
    levels: int | None = field(
        default=None,
        metadata=says("With `calibration`: give plain ReLUs staircases of so many levels."),
    )

    def input_of(self, target: Target) -> InputCode:
        """How pixels are sent: graded, where the target can."""
        return self.input_code or ("bits" if target.stock_only else "graded")


class ModelKeywords(TypedDict, total=False):
    """The fields of `CompileOptions` that say nothing of a code, as keywords."""

    target: str
    weight_bits: int
    schedule: Schedule
    average_pool: AveragePools
    input_bits: int
    input_code: InputCode | None
    input_range: tuple[float, float]
    mean: Sequence[float]
    std: Sequence[float]
    labels: Sequence[str]
    calibration: str | Path | Images | None
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
        return kind(name, shape, levels, self.low, self.step, *normalised, *more)


def encoding_of(options: CompileOptions) -> Encoding:
    """How options want pixels to become levels."""
    low, high = options.input_range
    return Encoding(options.input_bits, low, high, tuple(options.mean), tuple(options.std))


def problems_of_encoding(encoding: Encoding, shape: Shape) -> list[Problem]:
    """What does not fit an input of this shape."""
    found = []
    if not PLANES.holds(encoding.bits):
        found.append(Problem("`input_bits`", f"{encoding.bits} bits; allowed: 1 to 16", "use 8"))
    if not encoding.low < encoding.high or not np.isfinite(encoding.high - encoding.low):
        span = f"the range {encoding.low:g} to {encoding.high:g} is empty or not finite"
        found.append(Problem("`input_range`", span, "give the least and the greatest pixel value"))
    for option, values in (("mean", encoding.mean), ("std", encoding.std)):
        if len(values) not in (0, 1, shape[0]):
            what = f"{len(values)} values for {shape[0]} channels; allowed: 1 or {shape[0]}"
            found.append(Problem(f"`{option}`", what, "give one for each channel, or one for all"))
        if not np.all(np.isfinite(values)) or (
            option == "std" and not np.all(np.array(values) > 0)
        ):
            found.append(
                Problem(f"`{option}`", "its values must be finite, and std above 0", "mend them")
            )
    return found


def counts_in_range(options: dict[str, tuple[int, ...]]) -> Iterator[Problem]:
    """The problems of numbers of time steps, and of what is counted in them, by their options."""
    for name, numbers in options.items():
        for number in numbers:
            if not 1 <= number <= MOST_STEPS:
                yield Problem(f"`{name}`", f"{number}; allowed: 1 to {MOST_STEPS}", "leave it out")
