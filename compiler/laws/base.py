"""What every law of a neuron answers.

No law inherits an answer: the protocols below have no defaults, so that a law which forgets a fact
is refused by the type checker. Facts need NumPy alone; how a law is written to a file or simulated
is the affair of each backend, in one table with one row a law.

A firing neuron sends a number n of 0 … levels by a train of spikes in its turn. What a spike of the
train counts is the train's kind:

- "bits": fire step t of T carries bit T − 1 − t, the highest first
- "spikes": every spike counts as much as the others, whenever it comes
- "once": all of n in one time step, as a payload or as the spikes of several copies of the neuron
- "changes": n less the n of the image before, as a signed payload
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from typing_extensions import Self

from snnc.compiler.limits import Range

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Sent: TypeAlias = npt.NDArray[Any]
"""Numbers (images, *shape); of neurons that integrate and fire trains (steps, images, *shape)."""
Planes: TypeAlias = npt.NDArray[np.uint8]
"""(images, planes, ⌈neurons/8⌉): eight neurons a byte, the first in its highest bit."""
Shape: TypeAlias = tuple[int, ...]
Train: TypeAlias = Literal["bits", "spikes", "once", "changes"]
Circuit: TypeAlias = Literal["programmable", "stock", "any"]
Scalar = TypeVar("Scalar", bound=np.generic)

SETTINGS_AT_LEAST_ONE = "each at least 1"


@dataclass(frozen=True, eq=False)
class Bounds:
    """The smallest and the largest value that a sum or a potential can take, exactly.

    One of each for every channel (channels,), or for every neuron (shape).
    """

    low: Integers
    high: Integers

    def __str__(self) -> str:
        return f"{self.low.min()}..{self.high.max()}"


@dataclass(frozen=True)
class Parameter:
    """An array that a law holds."""

    name: str
    shape: Shape
    """As found; without the axis of copies."""
    by_neuron: bool = False
    """Whether each neuron may have a value of its own, and not each channel alone."""


@dataclass(frozen=True)
class Fault:
    """A number of a law that no chip can hold, or that means nothing."""

    what: str
    is_size: bool = False
    """Whether smaller weights or fewer levels would mend it; otherwise the network is damaged."""


class WholeStaircase(NamedTuple):
    """n = clip(⌊(Σ w·n + bias)/step⌋, 0, levels)."""

    bias: Integers
    """(channels,), or the shape of the population."""
    step: Integers
    """Δ of each channel (channels,)."""
    levels: int


class Law(Protocol):
    """What a neuron of any kind answers."""

    def __str__(self) -> str:
        """The law in a few words."""
        ...

    @property
    def accepts(self) -> tuple[Train, ...]:
        """The kinds of trains that it may receive."""
        ...

    @property
    def train(self) -> Train:
        """What the spikes that it sends count."""
        ...

    @property
    def levels(self) -> int:
        """The highest number that it sends; 0 of a read-out, which sends none."""
        ...

    @property
    def turn(self) -> int:
        """The number of its fire steps."""
        ...

    @property
    def summed_steps(self) -> int:
        """The time steps of a train of spikes that it sums; 1 where a train says one number."""
        ...

    @property
    def potential_steps(self) -> int:
        """The fire steps in which v still holds the image."""
        ...

    @property
    def is_constant(self) -> bool:
        """Whether it sends the same in every step of its turn: a current."""
        ...

    @property
    def accumulates(self) -> bool:
        """Whether the numbers of its sources may arrive one after the other."""
        ...

    @property
    def integrates(self) -> bool:
        """Whether it integrates and fires: the bias is added, and v compared, in every step."""
        ...

    @property
    def circuit(self) -> Circuit:
        """What it runs on: neurons with a program of their own, stock CUBA neurons, or any."""
        ...

    @property
    def copies(self) -> int:
        """The number of stock neurons that stand for one neuron."""
        ...

    @property
    def settings(self) -> Mapping[str, int]:
        """Numbers of time steps on which all neurons of a network must agree, by their names."""
        ...

    @property
    def step_of_level(self) -> Integers | None:
        """What one level takes of the potential, for each channel; None without one number."""
        ...

    @property
    def first_threshold(self) -> Integers | None:
        """What v meets first; None of a read-out."""
        ...

    def window(self, train: Train, turn: int) -> int:
        """For how many time steps it listens to a source of so many fire steps."""
        ...

    def fires_at(self, arrive: int, complete: int) -> int:
        """Its first fire step, if the first spike arrives in one step and the last in another."""
        ...

    def stretched(self: Self, turn: int) -> Self:
        """The same neuron with so many fire steps, the first of them silent, if it sends bits."""
        ...

    def current(self, sums: Bounds) -> Bounds:
        """The bounds of u, and of every partial sum in it, given those of Σ w·n."""
        ...

    def potential(self, sums: Bounds, bias: Integers, shape: Shape, *, steady: bool) -> Bounds:
        """The bounds of v in any time step, bias included.

        Args:
            sums: the bounds of Σ w·n over `summed_steps`, broadcasting over shape.
            bias: in the same form.
            shape: of the population.
            steady: whether the same current arrives in every step; the sums are those of one.
        """
        ...

    def parameters(self) -> Iterator[Parameter]:
        """Its arrays, with the shapes that they have."""
        ...

    def faults(self, state_max: int) -> Iterator[Fault]:
        """Whatever is wrong with its numbers, given the largest value of a state."""
        ...


class FiringLaw(Law, Protocol):
    """What a neuron that sends spikes answers besides."""

    @property
    def planes(self) -> int:
        """Bits that its turn leaves behind, for each neuron."""
        ...

    def relay(self, channels: int, levels: int, *, constant: bool) -> FiringLaw:
        """A neuron for its network that sends on what it receives.

        Args:
            channels: of what it receives.
            levels: the highest number that it receives.
            constant: whether it receives a current.
        """
        ...

    def staircase(self, bias: Integers, shape: Shape) -> WholeStaircase | None:
        """The staircase that gives the same numbers; None if none does."""
        ...

    def bit_planes(self, sent: Sent) -> Planes:
        """The planes that its turn must leave behind, given what it sends."""
        ...

    def spikes_in(self, planes: Planes) -> int:
        """The number of spikes in planes."""
        ...

    def spikes_by_neuron(self, sent: Sent) -> Integers:
        """The spikes of each neuron in its turn, summed over the images; (*shape)."""
        ...


def bits_for(levels: int) -> int:
    """Bits, and so time steps, that the numbers 0 … levels need: ⌈log2(levels + 1)⌉."""
    return max(1, int(levels).bit_length())


def span_of(values: Integers) -> str:
    """The least and the greatest of some numbers, as text."""
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low}..{high}"


def per_neuron(values: npt.NDArray[Scalar], shape: Shape) -> npt.NDArray[Scalar]:
    """View values given for each channel, or for each neuron, so that they broadcast over shape."""
    if values.shape == shape:
        return values
    return values.reshape(values.shape + (1,) * (len(shape) - 1))


def over_images(numbers: Sent) -> Integers:
    """The sum over the first axis."""
    return np.asarray(numbers.sum(axis=0, dtype=np.int64))


def too_few(levels: int, step: Integers) -> Iterator[Fault]:
    """The fault of a law without a level, or with a threshold below 1."""
    if levels < 1 or step.min() < 1:
        yield Fault(f"{levels} levels, step {step.min()}; allowed: {SETTINGS_AT_LEAST_ONE}")


def too_high(threshold: int, state_max: int) -> Iterator[Fault]:
    """The fault of a threshold that no state reaches."""
    if threshold > state_max:
        yield Fault(f"threshold reaches {threshold}; allowed: up to {state_max}", is_size=True)


def too_long(name: str, found: int, allowed: Range) -> Iterator[Fault]:
    """The fault of a number of time steps that is outside its range."""
    if not allowed.holds(found):
        yield Fault(f"{found} {name}; allowed: {allowed}")


def levels_fit(levels: int, step: Integers, state_max: int) -> Iterator[Fault]:
    """The ceiling (N + 1)·Δ − 1 must be a state; no threshold Δ·2^k of a bit is above it."""
    faults = [*too_few(levels, step)]
    if not faults:
        faults += too_high(int(step.max()) * (levels + 1) - 1, state_max)
    yield from faults
