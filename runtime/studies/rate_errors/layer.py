"""One layer of a rate network: what it should have fired, and what was counted of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.inputs import GradedInput
from snnc.compiler.laws import Floats, Integers, OffsetSpike, Rate, Readout
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.options import MOST_STEPS
from snnc.compiler.spiking import Node, Population, Projection, SpikingNetwork
from snnc.runtime.engines.golden import Golden
from snnc.runtime.studies.rate_errors.result import OFFSETS, PARTS, Errors, LayerErrors

Counts: TypeAlias = npt.NDArray[np.integer[Any]]
"""(images, *shape)."""
FARTHEST = 3
"""Offsets that are farther from 0 count with this one."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over neurons and images."""

    count: int = 0
    squares: Floats = field(default_factory=lambda: np.zeros(len(PARTS)))
    uneven: float = 0.0
    own: Integers = field(default_factory=lambda: np.zeros(len(OFFSETS), np.int64))
    accumulated: Integers = field(default_factory=lambda: np.zeros(len(OFFSETS), np.int64))

    def __add__(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.count + other.count,
            self.squares + other.squares,
            self.uneven + other.uneven,
            self.own + other.own,
            self.accumulated + other.accumulated,
        )

    def means(self, name: str, neurons: int) -> LayerErrors:
        """Each sum for one neuron and image."""
        return LayerErrors(
            name,
            neurons,
            Errors(*(self.squares / self.count).tolist()),
            tuple((self.own / self.count).tolist()),
            tuple((self.accumulated / self.count).tolist()),
            self.uneven / self.count,
        )


class RateLayer:
    """A population's sums over all T steps, its law as a staircase, and what was counted of it."""

    def __init__(self, population: Population, network: SpikingNetwork) -> None:
        neuron = population.neuron
        assert isinstance(neuron, Rate | OffsetSpike)
        self.law = neuron
        self.name, self.neurons = population.name, population.size
        self.time_steps = neuron.time_steps
        self.threshold = per_neuron(neuron.threshold, population.shape)
        self.initial = per_neuron(neuron.initial, population.shape)
        self.tally = Tally()
        self._bias = self.time_steps * per_neuron(population.bias, population.shape)
        self._input = network.input.name
        self._sums = [
            (each.source, _sums_of(each, network.nodes[each.source], population))
            for each in population.projections
        ]

    def total(self, counts: Mapping[str, Counts]) -> Integers:
        """The current of all T steps, the bias included, given the spikes of every source.

        Only one step's share of the constant input is certain to fit 24 bits.
        """
        once = {self._input: self.time_steps}
        sums = (
            once.get(source, 1) * golden.run(counts[source] // once.get(source, 1)).potential
            for source, golden in self._sums
        )
        return np.asarray(sum(sums, self._bias), np.int64)

    def desired(self, total: Integers) -> Integers:
        """The spikes for so much current, if it comes evenly.

        θ is odd or θ/2 whole, so that ⌊θ/2⌋ serves as the half: (2S + θ) and (2S + θ − 1) have the
        same quotient by 2θ.
        """
        return np.clip((total + self.initial) // self.threshold, 0, self.time_steps)

    def add(self, fired: Mapping[str, Counts], even: Mapping[str, Counts]) -> None:
        """Count a batch: what was fired, and what would be if every layer got its input evenly."""
        total, spikes = self.total(fired), fired[self.name]
        desired = self.desired(total)
        offsets = even[self.name] - spikes
        mean = total / (self.time_steps * self.threshold)
        parts = errors_of(mean, desired, spikes, self.time_steps)
        self.tally += Tally(
            spikes.size,
            np.array([np.square(each).sum() for each in parts]),
            float(np.square(offsets).sum()) / self.time_steps**2,
            _histogram(desired - spikes),
            _histogram(offsets),
        )


def errors_of(mean: Floats, desired: Counts, fired: Counts, time_steps: int) -> tuple[Floats, ...]:
    """The three errors of each neuron, in the order of PARTS; their sum is fired/T − relu(x̄).

    Args:
        mean: x̄, the mean current of a step in thresholds.
        desired: T·q(x̄).
        fired: the spikes in T steps.
        time_steps: T.
    """
    clipped, quantised = np.clip(mean, 0.0, 1.0), desired / time_steps
    unclipped = np.maximum(mean, 0.0)
    return clipped - unclipped, quantised - clipped, fired / time_steps - quantised


def _histogram(offsets: Counts) -> Integers:
    near = np.clip(offsets, -FARTHEST, FARTHEST) + FARTHEST
    return np.bincount(near.reshape(-1), minlength=len(OFFSETS))


def _sums_of(projection: Projection, source: Node, population: Population) -> Golden:
    """The golden model cut before and behind one projection: counts in, Σ w·c · 2^e out."""
    given = GradedInput(source.name, source.shape, MOST_STEPS << 16, 0.0, 1.0)
    channels = population.shape[0]
    shown = replace(
        population,
        projections=(projection,),
        bias=np.zeros(channels, np.int64),
        neuron=Readout(np.ones(channels)),
    )
    return Golden(SpikingNetwork(given, (shown,)))
