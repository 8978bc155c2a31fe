"""What a code answers that has one curve, keeps every level and runs on programmable neurons."""

from __future__ import annotations

from dataclasses import fields
from typing import ClassVar

from typing_extensions import Self

from snnc.compiler.options import CompileOptions
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.target import Target


class PlainCode:
    """Answers that most codes share."""

    name: ClassVar[str]
    runs_on_stock: ClassVar[bool] = False
    has_uneven_levels: ClassVar[bool] = False

    @classmethod
    def of(cls, options: CompileOptions) -> Self:
        """The code with its settings as options give them."""
        settings = fields(cls)  # type: ignore[arg-type]
        return cls(**{each.name: getattr(options, each.name) for each in settings})

    @property
    def series(self) -> str:
        """One curve."""
        return self.name

    @property
    def coarsest(self) -> int | None:
        """Every level is kept."""
        return None

    def limits(self, target: Target) -> Target:
        """Those of programmable neurons."""
        return target

    def rewritten(self, network: SpikingNetwork) -> SpikingNetwork:
        """Unchanged."""
        return network
