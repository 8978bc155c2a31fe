"""The limits of the chip: one place for each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from snnc.compiler.errors import refusal
from snnc.compiler.limits import EXPONENT


@dataclass(frozen=True)
class Target:
    """What one neuron core can hold and compute, in whole numbers."""

    name: str
    weight_bits: int
    """Synaptic weights: two's complement where signs mix, unsigned where they do not."""
    state_bits: int
    """Signed width of the current u and the membrane potential v."""
    max_weight_exponent: int
    """Weights may be shifted left by 0 to this many bits on their way to the neuron."""
    stock_only: bool = False
    """Whether its neurons can be nothing but CUBA neurons."""

    @property
    def state_max(self) -> int:
        """The largest value that u or v can hold."""
        return int((1 << (self.state_bits - 1)) - 1)

    @property
    def state_min(self) -> int:
        """The smallest value that u or v can hold."""
        return -self.state_max - 1


@dataclass(frozen=True)
class StockNeuron(Target):
    """What Lava's own bit-accurate CUBA neuron takes, as netx sets it up.

    Sums come to the neuron times 2^6 and wrap at 24 bits: 2^17 is the end.
    """

    threshold_max: int = (1 << 17) - 1
    bias_max: int = (1 << 12) - 1


STOCK = StockNeuron("stock", weight_bits=8, state_bits=18, max_weight_exponent=0)
LOIHI = Target("loihi", weight_bits=8, state_bits=24, max_weight_exponent=EXPONENT.most)
LOIHI1 = Target("loihi1", weight_bits=8, state_bits=18, max_weight_exponent=0, stock_only=True)
TARGETS: Mapping[str, Target] = MappingProxyType({each.name: each for each in (LOIHI, LOIHI1)})


def find_target(name: str) -> Target:
    """Look a target up by its name.

    Raises:
        SnncError: for a name that no target carries.
    """
    if name not in TARGETS:
        allowed = ", ".join(sorted(TARGETS))
        raise refusal("`target`", f"{name!r} is not a target; allowed: {allowed}", "leave it out")
    return TARGETS[name]
