"""The limits of the chip: one place for each number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from snnc.compiler.errors import refusal
from snnc.compiler.limits import EXPONENT


@dataclass(frozen=True)
class CoreModel:
    """What one neuron core holds, how many a chip has, and how they are joined.

    Loihi 2: what Intel's compiler reports of published networks (Lava-Loihi 0.5 and later; 0.3 and
    0.4 had 12,000 synaptic words). Loihi 1: Davies et al., IEEE Micro 38 (2018) 82.
    """

    neuron_words: int
    """Words of neuron state; on Loihi 1 neurons, whatever they hold."""
    synaptic_words: int
    """Words of 64 bits for weights."""
    input_axons: int
    output_axons: int | None
    """Pairs of a neuron and a core that it sends to; None where nothing is published."""
    axon_for_each_neuron: bool
    """Whether a convolution takes an input axon for each neuron that it reads, and not for each
    channel: the kernel is stored once, and a message says from which place it comes."""
    states_differ: bool
    """Whether a neuron with a program of its own takes more words than a plain one."""
    cores: int
    """That a chip gives to networks."""
    routers: tuple[int, int]
    """Columns and rows of routers on a chip."""
    cores_a_router: int = 4


LOIHI2_CORE = CoreModel(
    neuron_words=4096,
    synaptic_words=16_000,
    input_axons=16_000,
    output_axons=None,
    axon_for_each_neuron=False,
    states_differ=True,
    cores=120,
    routers=(8, 4),
)
LOIHI1_CORE = CoreModel(
    neuron_words=1024,
    synaptic_words=16_384,
    input_axons=4096,
    output_axons=4096,
    axon_for_each_neuron=True,
    states_differ=False,
    cores=128,
    routers=(8, 4),
)


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
    core: CoreModel
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


STOCK = StockNeuron("stock", 8, state_bits=18, max_weight_exponent=0, core=LOIHI2_CORE)
LOIHI = Target("loihi2", 8, state_bits=24, max_weight_exponent=EXPONENT.most, core=LOIHI2_CORE)
LOIHI1 = Target("loihi1", 8, 18, max_weight_exponent=0, core=LOIHI1_CORE, stock_only=True)
TARGETS: Mapping[str, Target] = MappingProxyType({each.name: each for each in (LOIHI, LOIHI1)})

ALIASES: Mapping[str, str] = MappingProxyType({"loihi": LOIHI.name})
"""Other names of targets, which files may have too."""


def find_target(name: str) -> Target:
    """Look a target up by its name.

    Raises:
        SnncError: for a name that no target carries.
    """
    name = ALIASES.get(name, name)
    if name not in TARGETS:
        allowed = ", ".join(sorted(TARGETS))
        raise refusal("`target`", f"{name!r} is not a target; allowed: {allowed}", "leave it out")
    return TARGETS[name]
