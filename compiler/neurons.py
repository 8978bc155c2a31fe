"""The laws that neurons obey, one class for each; docs/codes holds a page on every one of them.

A firing neuron sends a number n of 0 … levels by a train of spikes in `time_steps` time steps, its
turn. What a spike of the train counts is the train's kind:

- "bits": time step t carries bit T − 1 − t, the highest first
- "spikes": every spike counts as much as the others, whenever it comes
- "once": all of n in one time step, as a payload or as the spikes of several copies of the neuron
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Train: TypeAlias = Literal["bits", "spikes", "once"]


def bits_for(levels: int) -> int:
    """Bits, and so time steps, that the numbers 0 … levels need: ⌈log2(levels + 1)⌉."""
    return max(1, int(levels).bit_length())


@dataclass(frozen=True, eq=False)
class BitSerial:
    """It sends n = clip(⌊(Σ w·n + B)/Δ⌋, 0, N) as bits, the highest first."""

    step: Integers
    """Δ for each channel (the first axis of the shape), whole and at least 1."""
    levels: int
    """N, the highest level."""
    lead: int = 0
    """Fire steps before the highest bit, always silent: they let unequal sources end together."""

    train: ClassVar[Train] = "bits"

    @property
    def time_steps(self) -> int:
        """T, the number of fire steps."""
        return bits_for(self.levels) + self.lead

    @property
    def planes(self) -> int:
        """Bits that its turn leaves behind, for each neuron."""
        return self.time_steps

    def __str__(self) -> str:
        step = span_of(self.step)
        return f"fires {self.levels} levels in {self.time_steps} steps, threshold {step}"


@dataclass(frozen=True, eq=False)
class Graded:
    """It sends the same n as a bit-serial neuron, all of it as the payload of one spike."""

    step: Integers
    """Δ for each channel."""
    levels: int
    """N, the highest payload."""
    repeats: int = 0
    """Time steps in which the relay of a constant current sends it; 0 for once."""
    delay: int = 0
    """Time steps that such a relay waits before."""

    @property
    def train(self) -> Train:
        """A constant current counts in every step."""
        return "spikes" if self.repeats else "once"

    @property
    def time_steps(self) -> int:
        """The number of fire steps."""
        return max(1, self.repeats)

    @property
    def planes(self) -> int:
        """Bits that its turn leaves behind, for each neuron."""
        return bits_for(self.levels)

    def __str__(self) -> str:
        times = f" {self.repeats} times" if self.repeats else ""
        return f"sends {self.levels} levels graded{times}, threshold {span_of(self.step)}"


@dataclass(frozen=True, eq=False)
class Rate:
    """Integrate and fire with soft reset: v ← v + a + B; s = [v ≥ θ]; v ← v − s·θ, from v(0) on."""

    step: Integers
    """θ for each channel: what one spike takes off."""
    initial: Integers
    """v(0) for each channel: ⌊θ/2⌋."""
    steps: int
    """T."""

    train: ClassVar[Train] = "spikes"

    @property
    def levels(self) -> int:
        """The most spikes it can send."""
        return self.steps

    @property
    def time_steps(self) -> int:
        """T, the number of fire steps."""
        return self.steps

    @property
    def planes(self) -> int:
        """Bits that its turn leaves behind, for each neuron."""
        return self.steps

    def __str__(self) -> str:
        return f"integrates and fires for {self.steps} steps, threshold {span_of(self.step)}"


@dataclass(frozen=True, eq=False)
class OffsetSpike:
    """A rate neuron that first listens for rho steps, and moves v(0) so that it fires as it should.

    Its train goes into a bit register. The turn: the train as it is fired, `span` steps; its first
    rho steps again for every further iteration of who listens; the whole train once more.
    """

    step: Integers
    """θ for each channel."""
    initial: Integers
    """v(0) for each channel before calibration: ⌊θ/2⌋."""
    steps: int
    """T, the time steps that the read-out counts."""
    rho: int
    """Steps of one calibration."""
    iterations: int = 1
    """Calibrations; each mends one spike."""
    light: bool = False
    """Whether the residual potential itself becomes v(0), where it tells of an offset."""

    train: ClassVar[Train] = "spikes"

    @property
    def span(self) -> int:
        """Length of the train."""
        return max(self.steps, self.rho)

    @property
    def levels(self) -> int:
        """The most spikes of the train."""
        return self.span

    @property
    def wait(self) -> int:
        """Time steps from the first spike that arrives to the first that is fired."""
        return self.span + (self.iterations - 1) * self.rho

    @property
    def time_steps(self) -> int:
        """The length of its turn."""
        return self.wait + self.span

    @property
    def planes(self) -> int:
        """Bits that its turn leaves behind, for each neuron."""
        return self.time_steps

    def __str__(self) -> str:
        rounds = "light" if self.light else f"{self.iterations} times"
        return (
            f"calibrates for {self.rho} steps {rounds}, then fires for {self.span}, "
            f"threshold {span_of(self.step)}"
        )


@dataclass(frozen=True, eq=False)
class Thermometer:
    """Stock CUBA neurons: N copies with the same weights; copy j fires if Σ w·n + B > threshold j.

    The number of copies that fire is the level, there at once.
    """

    thresholds: Integers
    """(N, channels), or (N, *shape): they rise with the copies."""

    train: ClassVar[Train] = "once"

    @property
    def levels(self) -> int:
        """N, the number of copies."""
        return len(self.thresholds)

    @property
    def time_steps(self) -> int:
        """One."""
        return 1

    @property
    def planes(self) -> int:
        """Bits that its turn leaves behind, for each neuron: one for each copy."""
        return self.levels

    def __str__(self) -> str:
        return f"fires at once in {self.levels} copies, thresholds {span_of(self.thresholds)}"


@dataclass(frozen=True, eq=False)
class Readout:
    """A neuron without an activation: it shows v = Σ w·n + B once, worth unit·v."""

    unit: Floats
    """Real value of one unit of v, for each channel."""
    listens: int = 0
    """Steps of a train of spikes that it counts; 0 for other trains, which it hears out."""

    @property
    def time_steps(self) -> int:
        """One: the potential leaves as a single graded spike."""
        return 1

    def __str__(self) -> str:
        return f"read out, unit {self.unit.min():.4g}..{self.unit.max():.4g}"


Firing: TypeAlias = BitSerial | Graded | Rate | OffsetSpike | Thermometer
Neuron: TypeAlias = Firing | Readout


def understood(neuron: Neuron) -> tuple[Train, ...]:
    """The kinds of trains that a neuron may listen to."""
    if isinstance(neuron, Thermometer):
        return ("once",)
    counts = isinstance(neuron, Rate | OffsetSpike)
    counts |= isinstance(neuron, Readout) and neuron.listens > 0
    counts |= isinstance(neuron, Graded) and neuron.repeats > 0
    return ("spikes",) if counts else ("bits", "once")


def span_of(values: Integers) -> str:
    """The least and the greatest of some numbers, as text."""
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low}..{high}"
