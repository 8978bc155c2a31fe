"""The limits of a model, in one table; each is checked before memory is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from snnc.compiler.errors import refusal

FILE_BYTES = (1 << 31) - 1
"""Of the model; ONNX's own format carries no more in one file."""
NODES = 1 << 15
"""Of the model once its functions are written out, and of the network that is made of it."""
NUMBERS = 1 << 28
"""Of one constant."""
ALL_NUMBERS = 1 << 29
"""Of all constants together, those that are computed here included."""
PIXELS = 1 << 24
"""Of a sample, wherever in the network."""
ALL_PIXELS = 1 << 28
"""Of a sample, at all nodes of the network together."""
ENTRIES = 64
"""Of a list: of sizes, axes or pads."""
EXTENT = 1 << 16
"""Of a window along one axis, its strides and dilations, and of a border around space."""
SIZE = 1 << 31
"""Of any other whole number that a model names, whatever its sign."""
BITS = 32
"""Of a whole number that a quantiser rounds to."""
NAME = 1000
"""Letters of a name."""


@dataclass
class Budget:
    """What a model may use of something in all."""

    of: str
    most: int
    mend: str
    used: int = 0

    def take(self, count: int, where: str) -> None:
        """Use some of it.

        Raises:
            SnncError: if that is more than is left; nothing is used then.
        """
        if self.used + count > self.most:
            what = f"brings the {self.of} of the model to {self.used + count}"
            raise refusal(where, f"{what}; allowed: {self.most}", self.mend)
        self.used += count
