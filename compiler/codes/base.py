"""What every code answers.

A code is a small frozen class. Its fields are its settings, named as the options that give them; an
option that is no field of it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Protocol

from typing_extensions import Self

from snnc.compiler.errors import Problem
from snnc.compiler.inputs import Input
from snnc.compiler.laws.base import Shape
from snnc.compiler.options import AveragePools, CompileOptions, Encoding, InputCode
from snnc.compiler.quantization.layer import Layer
from snnc.compiler.quantization.lowering import Lowered, LoweringContext
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.target import Target


@dataclass(frozen=True)
class SweepGrid:
    """What a sweep is asked for: every code with all settings that it has."""

    codes: Sequence[str]
    timesteps: Sequence[int] = (1, 2, 4, 8, 16, 32)
    rho: int = 4
    iterations: Sequence[int] = (1,)
    """Of offset-spike: a curve for each number of calibrations."""
    light: bool = False
    """Of offset-spike: one more curve, of the variant that keeps the residual potential."""


@dataclass(frozen=True)
class Staircases:
    """What a sweep knows of a network before it is compiled."""

    bits: int
    """Of the activation with the most levels."""
    one_size: bool
    """Whether all activations have as many levels."""


@dataclass(frozen=True)
class SweepPoint:
    """A code with its settings, to be measured."""

    code: Code
    time_steps: int
    """Where it stands on the axis of time."""
    error_free: bool | None
    """Whether levels are the source's, and weights alone are rounded; None of a rate code."""


class Code(Protocol):
    """How levels become spikes."""

    name: ClassVar[str]
    is_exact: ClassVar[bool]
    """Whether every level arrives as it is, where no time steps are saved."""
    runs_on_stock: ClassVar[bool]
    """Whether stock CUBA neurons run it."""
    has_uneven_levels: ClassVar[bool]
    """Whether the thresholds of its levels may lie anywhere."""

    @classmethod
    def of(cls, options: CompileOptions) -> Self:
        """The code with its settings as options give them."""
        ...

    @property
    def series(self) -> str:
        """The curve of a sweep that it is on."""
        ...

    @property
    def coarsest(self) -> int | None:
        """The bits that levels are cut down to; None to keep all."""
        ...

    def problems(self, options: CompileOptions, target: Target) -> Iterator[Problem]:
        """Whatever does not fit the code."""
        ...

    def settled(self, levels: int) -> Self:
        """The same with every setting known, for a network of so many levels at most."""
        ...

    def average_pool(self, wanted: AveragePools) -> AveragePools:
        """What becomes of average pools."""
        ...

    def input(self, encoding: Encoding, code: InputCode, name: str, shape: Shape) -> Input:
        """How the pixels of an image of this shape are sent, once the settings are known."""
        ...

    def limits(self, target: Target) -> Target:
        """What holds states and weights."""
        ...

    def lowered(self, layer: Layer, constant: Sequence[bool], context: LoweringContext) -> Lowered:
        """A layer in whole numbers.

        Args:
            layer: in levels.
            constant: for each projection whether its source is the input.
            context: of populations, and how precise weights may be.
        """
        ...

    def rewritten(self, network: SpikingNetwork) -> SpikingNetwork:
        """What the code makes of the whole network, once all layers are lowered."""
        ...

    @classmethod
    def points(cls, grid: SweepGrid, network: Staircases) -> Iterator[SweepPoint]:
        """The points of a sweep."""
        ...


def with_code(options: CompileOptions, code: Code) -> CompileOptions:
    """The same options for a code with its settings."""
    known = {each.name: getattr(code, each.name) for each in fields(code)}  # type: ignore[arg-type]
    return replace(options, code=code.name, **known)
