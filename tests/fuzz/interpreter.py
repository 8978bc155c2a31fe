"""A second reading of the documents: it runs a .h5 file in whole numbers, time step by time step.

Written from docs/arithmetic.md, docs/file-format.md and docs/codes alone, and nothing of snnc is
imported: where both readings differ, one is wrong, or the documents are.

All images make their way through the network at once, in the time steps that one image takes. That
two of them never meet in a neuron is checked on the clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from tests.fuzz.neurons import Ends, Law, States, Whole, Window, changes, law_of, per_neuron


@dataclass(frozen=True, eq=False)
class Result:
    """What a file makes of images; by the names of its populations, in their order."""

    sent: Mapping[str, Whole]
    """The number of each neuron, (images, *shape), that of the read-out included; of neurons that
    integrate and fire the train (time steps, images, *shape)."""
    logits: npt.NDArray[np.float64]
    reached_by_u: Mapping[str, Ends]
    """The least and the greatest u of each neuron (*shape) in any time step and image."""
    reached_by_v: Mapping[str, Ends]
    period: int
    latency: int


@dataclass(frozen=True, eq=False)
class Turn:
    """What the neurons of a layer send for image 0, and the time step in which they begin to."""

    fire: int
    train: Whole
    """(steps, images, *shape); a payload for each neuron."""

    @property
    def end(self) -> int:
        """The time step behind the last."""
        return self.fire + len(self.train)


@dataclass(frozen=True, eq=False)
class Population:
    """A layer of the file that fires; copies of a neuron are neurons."""

    name: str
    law: Law
    synapses: tuple[Mapping[str, Any], ...]
    """The keys of each projection."""


@dataclass(frozen=True, eq=False)
class Flight:
    """How images pass through one population."""

    population: Population
    windows: Sequence[Window]
    states: States
    turn: Turn


def levels_of(path: Path, x: npt.NDArray[np.float64]) -> Whole:
    """The levels of pixels."""
    with h5py.File(path) as file:
        return np.rint((x - file.attrs["inputLow"]) / file.attrs["inputStep"]).astype(np.int64)


def run(path: Path, levels: Whole) -> Result:
    """Run a file on pixels of some levels, (images, *shape of an image)."""
    with h5py.File(path) as file:
        about = _attributes(file)
        layers = [_keys(file["layer"][str(i)]) for i in range(len(file["layer"]))]
    flights = [*_flights(layers, Turn(0, _pixels(about, levels)), about["@schedule"])]
    latency = flights[-1].turn.fire + 1
    longest = max(len(_pixels(about, levels)), *(len(each.turn.train) for each in flights))
    period = max(longest, latency if about["@schedule"] == "sequential" else 0)
    for each in flights:
        _check(each, period)
    return Result(
        {e.population.name: e.population.law.said(e.turn.train) for e in flights},
        _logits(flights[-1]),
        {e.population.name: _ends(e.population.law, e.states.reached_by_u) for e in flights},
        {e.population.name: _ends(e.population.law, e.states.reached_by_v) for e in flights},
        period,
        latency,
    )


def _keys(group: h5py.Group) -> dict[str, Any]:
    """Everything that a layer holds, as numbers."""
    found = {
        key: _keys(each) if isinstance(each, h5py.Group) else _text(each[()])
        for key, each in group.items()
    }
    return {**found, **_attributes(group)}


def _attributes(group: h5py.Group) -> dict[str, Any]:
    return {f"@{key}": _text(value) for key, value in group.attrs.items()}


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _pixels(about: Mapping[str, Any], levels: Whole) -> Whole:
    """What the input sends: (steps, images, *shape)."""
    code = about["@inputCode"]
    if code == "graded":
        return levels[None]
    if code == "changes":
        return changes(levels)[None]
    if code == "current":
        return np.broadcast_to(levels, (int(about["@inputRepeats"]), *levels.shape))
    if code == "bits":
        bits = int(about["@inputLevels"]).bit_length()
        return np.stack([levels >> place & 1 for place in reversed(range(bits))])
    assert code == "planes", code
    planes = range(int(about["@inputPlanes"]))
    apart = np.stack([levels >> place & 1 for place in reversed(planes)], axis=2)
    return apart.reshape(1, len(levels), -1, *levels.shape[2:])


def _flights(layers: Sequence[Mapping[str, Any]], pixels: Turn, schedule: str) -> Iterator[Flight]:
    """Each population, with what its sources sent."""
    populations = {i: _population(keys) for i, keys in enumerate(layers) if "neuron" in keys}
    accumulating = all(each.law.accumulates for each in populations.values())
    in_turn = schedule == "sequential" and accumulating
    turns: dict[int, Turn] = {}
    last = pixels
    for index, keys in enumerate(layers):
        if keys["type"] == "input":
            turns[index] = pixels
        elif keys["type"] == "flatten":
            source = turns[int(keys["source"][0])]
            turns[index] = Turn(source.fire, source.train.reshape(*source.train.shape[:2], -1))
        else:
            population = populations[index]
            law = population.law
            windows = [_window(each, turns, law) for each in population.synapses]
            states = States(pixels.train.shape[1], law.shape)
            train = law.respond(windows, states)
            first, complete = min(w.start for w in windows), max(w.last for w in windows)
            fire = last.end if in_turn else law.fires_at(first, complete)
            turns[index] = last = Turn(fire, train)
            yield Flight(population, windows, states, last)


def _population(keys: Mapping[str, Any]) -> Population:
    shape = tuple(map(int, keys["shape"]))
    law = law_of(keys["neuron"])(keys["neuron"], shape, keys["bias"].astype(np.int64))
    more = keys.get("projection", {})
    further = [more[each] for each in sorted(more, key=int)]
    return Population(keys["@name"], law, (keys, *further))


def _window(synapses: Mapping[str, Any], turns: Mapping[int, Turn], law: Law) -> Window:
    """What arrives from a source: a spike of step k in step k + 1."""
    source = turns[int(synapses["source"][0])]
    train = source.train[: law.window(len(source.train))]
    steps, images = train.shape[:2]
    constant = steps > 1 and not train.strides[0]
    train = train[:1] if constant else train
    sums = _weighted(synapses, train.reshape(-1, *train.shape[2:]), law.shape)
    sums = (sums << int(synapses["wgtExp"])).reshape(-1, images, *law.shape)
    return Window(source.fire + 1, np.broadcast_to(sums, (steps, images, *law.shape)))


def _weighted(synapses: Mapping[str, Any], sent: Whole, shape: tuple[int, ...]) -> Whole:
    """Σ w·s for each neuron, of (images, *neurons)."""
    weights = synapses["weight"].astype(np.int64)
    if synapses["type"] == "dense":
        return (sent.reshape(len(sent), -1) @ weights.T).reshape(-1, *shape)
    pads = [int(each) for each in synapses["padding"]]
    top, left, bottom, right = pads if len(pads) == 4 else pads * 2
    padded = np.pad(sent, ((0, 0), (0, 0), (top, bottom), (left, right)))
    (rows, columns), (down, across) = synapses["stride"], synapses["dilation"]
    height, width = weights.shape[2:]
    span = ((height - 1) * down + 1, (width - 1) * across + 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, span, axis=(2, 3))
    windows = windows[:, :, ::rows, ::columns, ::down, ::across]
    groups = int(synapses["groups"])
    return np.concatenate(
        [
            np.einsum("biyxhw,oihw->boyx", inputs, kernel)
            for inputs, kernel in zip(
                np.split(windows, groups, axis=1), np.split(weights, groups), strict=True
            )
        ],
        axis=1,
    )


def _check(flight: Flight, period: int) -> None:
    """A neuron has one u and one v: the next image arrives when this one has left them."""
    first = min(each.start for each in flight.windows)
    charged = min(each.last for each in flight.windows)
    last = max(each.last for each in flight.windows)
    assert last - first < period, f"{flight.population.name}: two images meet in u"
    assert flight.turn.fire >= last or not flight.population.law.accumulates
    assert flight.turn.end - charged <= period, f"{flight.population.name}: two images meet in v"


def _logits(flight: Flight) -> npt.NDArray[np.float64]:
    law, shown = flight.population.law, flight.turn.train[0]
    return per_neuron(law.keys["unit"], law.shape) * shown


def _ends(law: Law, reached: Ends) -> Ends:
    low, high = (law.gathered(e, how) for e, how in zip(reached, (np.min, np.max), strict=True))
    return low.min(0), high.max(0)
