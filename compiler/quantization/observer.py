"""What calibration images show of a network while its layers are rounded, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from snnc.compiler.network import Node
from snnc.compiler.operators import Floats
from snnc.compiler.quantization.feedback import Statistics


@dataclass(frozen=True, eq=False)
class RoundedLayer:
    """What rounding took away from a layer, and what its bias gained; in levels of its result."""

    lost: tuple[Floats, ...]
    """For each projection (channels, neurons that differ, fan-in)."""
    shift: Floats
    """(channels,), or one number for each neuron."""


class Observer(Protocol):
    """Images on their way through the network, in the source's floats and as they are rounded."""

    def statistics(self, end: Node) -> tuple[Statistics, ...]:
        """Of what the layers before, rounded as they are, send to each projection of a layer."""
        ...

    def shift(self, end: Node, lost: tuple[Floats, ...]) -> Floats:
        """What its bias must gain to keep the mean of each channel: (channels,), in levels.

        Args:
            end: the staircase whose levels keep their mean, or the output, whose sums do.
            lost: see `RoundedLayer`.
        """
        ...

    def loss(self, end: Node, rounded: RoundedLayer) -> float:
        """What the outputs lose if this layer alone is rounded: the variance of their error.

        It is relative to theirs, and asks that all layers before have advanced unrounded.
        """
        ...

    def advance(self, end: Node, rounded: RoundedLayer | None) -> None:
        """Carry what the layer sends to those behind it; None where nothing was rounded."""
        ...
