"""The neurons of docs/codes in whole numbers, time step by time step; nothing of snnc is imported.

Arrays of what is sent have the shape (steps, images, *neurons), those of states (images, *neurons).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Whole: TypeAlias = npt.NDArray[np.int64]
Ends: TypeAlias = tuple[Whole, Whole]
"""The least and the greatest value of each neuron."""
LEAST, MOST = -(1 << 23), (1 << 23) - 1
"""The ends of the 24 bits of a state."""


@dataclass(frozen=True, eq=False)
class Window:
    """What arrives from one source, and the time step in which it begins to."""

    start: int
    sums: Whole

    @property
    def last(self) -> int:
        """The time step of the last arrival."""
        return self.start + len(self.sums) - 1


class States:
    """The two states of neurons, and how far they went."""

    def __init__(self, images: int, shape: tuple[int, ...]) -> None:
        self.u = self.v = np.zeros((images, *shape), np.int64)
        self.reached_by_u = self.reached_by_v = (self.u, self.u)

    def receive(self, u: Whole) -> None:
        self.u, self.reached_by_u = u, _wider(self.reached_by_u, u)

    def charge(self, v: Whole) -> None:
        self.v, self.reached_by_v = v, _wider(self.reached_by_v, v)


def _wider(ends: Ends, values: Whole) -> Ends:
    return np.minimum(ends[0], values), np.maximum(ends[1], values)


class Law:
    """What the neurons of a population do.

    Args:
        keys: of their group `neuron` in the file.
        shape: of the population, copies included.
        bias: B of each neuron.
    """

    accumulates = True
    """Whether its sources may arrive one after the other."""

    def __init__(self, keys: Mapping[str, Any], shape: tuple[int, ...], bias: Whole) -> None:
        self.keys, self.shape, self.bias = keys, shape, per_neuron(bias, shape)

    def __getattr__(self, key: str) -> int:
        return int(self.keys[key])

    def of_neurons(self, key: str) -> Whole:
        return per_neuron(self.keys[key], self.shape)

    @property
    def turn(self) -> int:
        """Its fire steps."""
        return 1

    def window(self, turn: int) -> int:
        """How many steps it listens to a source that sends for so many."""
        return turn

    def fires_at(self, first: int, last: int) -> int:
        """Its first fire step, given those of the first and the last arrival."""
        return last

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        """Its train; a read-out leaves what it shows in v."""
        raise NotImplementedError

    def said(self, train: Whole) -> Whole:
        """The number that a train says, or the train where only all of it says something."""
        return train[0]

    def gathered(self, values: Whole, how: Callable[..., Whole]) -> Whole:
        """What the copies of each neuron have, taken together."""
        return values

    def level(self, v: Whole) -> Whole:
        """n = clip(⌊v/Δ⌋, 0, N)."""
        return np.clip(v // self.of_neurons("vThMant"), 0, self.levels)


class BitSerial(Law):
    """Horner's rule, then successive approximation."""

    @property
    def turn(self) -> int:
        return self.timeSteps

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        accumulate(windows, states)
        step, bits = self.of_neurons("vThMant"), self.levels.bit_length()
        states.charge(states.v + self.bias)
        states.charge(np.minimum(states.v, (self.levels + 1) * step - 1))
        train = np.zeros((self.turn, *states.v.shape), np.int64)
        for place in range(bits):
            threshold = step << (bits - 1 - place)
            train[place - bits] = states.v >= threshold
            states.charge(states.v - train[place - bits] * threshold)
        return train

    def said(self, train: Whole) -> Whole:
        return sum((spikes << place for place, spikes in enumerate(train[::-1])), 0 * train[0])


class Graded(Law):
    """The level as a payload."""

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        accumulate(windows, states)
        states.charge(states.v + self.bias)
        return self.level(states.v)[None]


class Delta(Law):
    """The sum of a frame stays, and the changes of the level are sent."""

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        keep(windows, states)
        states.charge(states.v + self.bias)
        return changes(self.level(states.v))[None]


class DeltaReadout(Law):
    """It shows S + B in every frame."""

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        keep(windows, states)
        states.charge(states.v + self.bias)
        return states.v[None]


class Current(Law):
    """The relay of a current: the number that it received it sends in every step of its turn."""

    accumulates = False

    @property
    def turn(self) -> int:
        return self.timeSteps

    def fires_at(self, first: int, last: int) -> int:
        return first + self.delay

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        states.charge(together(windows)[0] + self.bias)
        return np.broadcast_to(self.level(states.v), (self.turn, *states.v.shape))


class Rate(Law):
    """It integrates and fires, with a soft reset."""

    accumulates = False

    @property
    def turn(self) -> int:
        return self.timeSteps

    def window(self, turn: int) -> int:
        return self.timeSteps

    def fires_at(self, first: int, last: int) -> int:
        return first

    def said(self, train: Whole) -> Whole:
        return train

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        start = self.of_neurons("vInit") + 0 * states.v
        return self.fire(together(windows), start, states)[0]

    def fire(self, arrived: Whole, start: Whole, states: States) -> tuple[Whole, Whole]:
        """The spikes of every step, and the potentials behind their reset."""
        threshold = self.of_neurons("vThMant")
        spikes, left = np.zeros(arrived.shape, np.int64), np.zeros(arrived.shape, np.int64)
        states.charge(start)
        for t, current in enumerate(arrived):
            states.charge(np.clip(states.v + current + self.bias, LEAST, MOST))
            spikes[t] = states.v >= threshold
            states.charge(states.v - spikes[t] * threshold)
            left[t] = states.v
        return spikes, left


class OffsetSpike(Rate):
    """It calibrates v(0) K times over ρ steps, and fires; then its train is sent again."""

    @property
    def kept(self) -> int:
        """M, the bits of its register."""
        return max(self.rho, self.timeSteps)

    @property
    def between(self) -> int:
        """The steps of all calibrations but the first."""
        return (self.iterations - 1) * self.rho

    @property
    def turn(self) -> int:
        return 2 * self.kept + self.between

    def window(self, turn: int) -> int:
        return self.turn

    def fires_at(self, first: int, last: int) -> int:
        return first + self.kept + self.between

    def said(self, train: Whole) -> Whole:
        return train[: self.kept]

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        arrived = together(windows)
        initial = start = self.of_neurons("vInit") + 0 * states.v
        for k in range(self.iterations):
            first = self.kept + (k - 1) * self.rho if k else 0
            start = self.calibrated(arrived[first : first + self.rho], start, initial, states)
        train, _ = self.fire(arrived[self.kept + self.between :], start, states)
        return np.concatenate([train, *[train[: self.rho]] * (self.iterations - 1), train])

    def calibrated(self, arrived: Whole, start: Whole, initial: Whole, states: States) -> Whole:
        """v'(0) by theorems 1 and 2."""
        spikes, left = self.fire(arrived, start, states)
        threshold, fired = self.of_neurons("vThMant"), spikes == 1
        residual = left[-1] - (start - initial)
        too_often = (residual < 0) & fired.any(0)
        too_seldom = (residual >= threshold) & ~fired.all(0)
        if self.light:
            return np.where(too_often | too_seldom, left[-1], start)
        least = np.where(fired, left, left.max()).min(0)
        greatest = np.where(fired, left.min(), left).max(0)
        fewer = start - np.maximum(threshold, least + 1)
        more = start + np.maximum(threshold, threshold - greatest)
        return np.where(too_often, fewer, np.where(too_seldom, more, start))


class Copies(Law):
    """Stock neurons that remember nothing; those of one channel stand for one neuron."""

    accumulates = False

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        states.charge(together(windows)[0] + self.bias)
        thresholds = per_neuron(self.keys["vThMant"].T, self.shape)
        return (states.v > thresholds).astype(np.int64)[None]

    def said(self, train: Whole) -> Whole:
        return self.gathered(train[0], np.sum)

    def gathered(self, values: Whole, how: Callable[..., Whole]) -> Whole:
        images, _, *space = values.shape
        return how(values.reshape(images, -1, self.copies, *space), axis=2)


class Readout(Law):
    """It shows v once; of trains that count spikes the sum of the first `listens` steps."""

    @property
    def steps(self) -> int:
        return int(self.keys.get("listens", 0))

    def window(self, turn: int) -> int:
        return self.steps or turn

    def respond(self, windows: Sequence[Window], states: States) -> Whole:
        if self.steps:
            for arrived in together(windows):
                states.charge(states.v + arrived)
        else:
            accumulate(windows, states)
        states.charge(states.v + self.bias)
        return states.v[None]


LAWS: Mapping[str, type[Law]] = {
    "CUBA_ATF": BitSerial,
    "CUBA_ATF_GRADED": Graded,
    "CUBA_DELTA": Delta,
    "CUBA_DELTA_OUT": DeltaReadout,
    "CUBA_CURRENT": Current,
    "CUBA_SOFT": Rate,
    "CUBA_SOFT_OFFSET": OffsetSpike,
    "CUBA_COPIES": Copies,
    "CUBA_ATF_OUT": Readout,
}


def law_of(keys: Mapping[str, Any]) -> type[Law]:
    """The law of a group `neuron`; stock neurons are copies or a read-out."""
    kind = keys["type"]
    if kind == "CUBA":
        return Readout if "unit" in keys else Copies
    return LAWS[kind]


def per_neuron(values: Whole, shape: tuple[int, ...]) -> Whole:
    """One value for each channel, or for each neuron, so that it broadcasts over (…, *shape)."""
    return values.reshape(values.shape + (1,) * (len(shape) - values.ndim))


def accumulate(windows: Sequence[Window], states: States) -> None:
    """u ← 2u + a in every step of a window, v ← v + u at its end."""
    for now in range(min(each.start for each in windows), max(each.last for each in windows) + 1):
        heard = [each for each in windows if each.start <= now <= each.last]
        if heard:
            assert len({each.last for each in heard}) == 1, "the bits of two sources meet"
            states.receive(2 * states.u + sum(each.sums[now - each.start] for each in heard))
        if heard and now == heard[0].last:
            states.charge(states.v + states.u)
            states.receive(0 * states.u)


def keep(windows: Sequence[Window], states: States) -> None:
    """S of every frame: images are frames, in their order, and what arrives are changes."""
    total = sum(each.sums[0] for each in windows)
    states.receive(total)
    states.charge(np.cumsum(total, axis=0))


def together(windows: Sequence[Window]) -> Whole:
    """What arrives in each step, of sources that have to arrive in the same steps."""
    assert len({(each.start, each.last) for each in windows}) == 1, "two sources do not meet"
    return np.asarray(sum(each.sums for each in windows))


def changes(numbers: Whole) -> Whole:
    """From frame to frame; before the first all are 0."""
    return np.diff(numbers, axis=0, prepend=0 * numbers[:1])
