"""What a spiking network must obey before it is written, and after it is read.

Once the structure is sound, the rules of NUMBERS prove by interval analysis that nothing overflows
on the chip. No weight, bias or level reaches a neuron unproved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import isfinite
from typing import TypeAlias

import numpy as np

from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.spiking import (
    Connection,
    Dense,
    Firing,
    Input,
    Integers,
    Population,
    Projection,
    Readout,
    SpikingNetwork,
    bits_for,
    levels_of,
    per_neuron,
)
from snnc.compiler.structure import REBUILD, STRUCTURE, Rule
from snnc.compiler.target import Target
from snnc.compiler.timing import Slot, timing_of

Nodes: TypeAlias = Mapping[str, Input | Population]

SMALLER = "compile with fewer --weight-bits, or fewer levels"


@dataclass(frozen=True, eq=False)
class Bounds:
    """The smallest and the largest value that a sum can take, exactly.

    One of each for every channel (channels,), or for every neuron (shape).
    """

    low: Integers
    high: Integers

    def __str__(self) -> str:
        return f"{self.low.min()}..{self.high.max()}"


def connection_bounds(connection: Connection, levels: int) -> Bounds:
    """Bounds of Σ w·n with every n free in 0 … levels, for each row of the weights.

    All negative weights meet the highest level, or all positive ones do. The border of a
    convolution leaves terms out, and 0 is in every interval: the bounds hold there too, and so they
    do for every partial sum, in any order, as for the sums of the upper bits alone. Exact in int64
    for legal weights and fan-in · levels below 2^48.
    """
    weights, axes = connection.weights, tuple(range(1, connection.weights.ndim))
    low = levels * np.sum(weights, axis=axes, where=weights < 0)
    return Bounds(low, levels * np.sum(weights, axis=axes, where=weights > 0))


def sum_bounds(population: Population, nodes: Nodes) -> Bounds:
    """Bounds of a population's Σ_k 2^e_k Σ w·n_k, the bias not included.

    Per channel (channels,), unless a dense projection tells the neurons of a channel apart.
    """
    low = high = np.zeros(1, np.int64)
    for each in population.projections:
        bounds = connection_bounds(each.connection, levels_of(nodes[each.source]))
        shape = population.shape if isinstance(each.connection, Dense) else population.shape[:1]
        low = low + _spread(bounds.low.reshape(shape) << each.exponent, population)
        high = high + _spread(bounds.high.reshape(shape) << each.exponent, population)
    shape = population.shape if low.size == population.size else population.shape[:1]
    return Bounds(low.reshape(shape), high.reshape(shape))


def the_input_is_a_staircase(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """Pixels become whole levels of a positive step, normalised channel by channel."""
    source = network.input
    if not 1 <= source.levels <= target.state_max:
        what = f"{source.levels} levels; allowed: 1..{target.state_max}"
        yield Problem(source.name, what, "choose other --input-bits")
    if not (isfinite(source.low) and isfinite(source.step) and source.step > 0):
        what = f"range from {source.low:g} in steps of {source.step:g}; allowed: finite, upwards"
        yield Problem(source.name, what, "choose another --input-range")
    for name, values in (("mean", source.mean), ("std", source.std)):
        if len(values) not in (0, 1, source.shape[0]) or not all(map(isfinite, values)):
            what = f"{name} {values}; allowed: 1 or {source.shape[0]} finite numbers"
            yield Problem(source.name, what, f"choose another --{name}")
    if any(value <= 0 for value in source.std):
        yield Problem(source.name, f"std {source.std} is not above 0", "choose another --std")


def units_are_positive(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """A logit is unit·v: the order of the classes must survive."""
    for population in network:
        if isinstance(population.neuron, Readout):
            unit = population.neuron.unit
            if not (np.isfinite(unit).all() and (unit > 0).all()):
                yield Problem(population.name, "a unit is not finite and above 0", REBUILD)


def weights_are_legal(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """A synapse holds weight_bits bits: two's complement, all even with one more, or one sign."""
    top = 1 << target.weight_bits
    half = top >> 1
    allowed = f"{-half}..{half - 1}, even {-top}..{top - 2}, 0..{top - 1} or {1 - top}..0"
    for population, each in _projections(network):
        weights = each.connection.weights
        low, high = int(weights.min()), int(weights.max())
        if low == high == 0:
            what = f"all weights from {each.source} are 0; allowed: at least one other"
            yield Problem(population.name, what, "remove the branch from the model")
        fits = (
            (-half <= low and high < half) or (low >= 0 and high < top) or -top < low <= high <= 0
        )
        if not fits and (low < -top or high >= top or np.any(weights & 1)):
            what = f"weights from {each.source} span {low}..{high}; allowed: {allowed}"
            yield Problem(population.name, what, "compile with fewer --weight-bits")


def exponents_are_legal(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """The chip shifts weights to the left, so far and no further."""
    for population, each in _projections(network):
        if not 0 <= each.exponent <= target.max_weight_exponent:
            what = f"weight exponent {each.exponent}; allowed: 0..{target.max_weight_exponent}"
            yield Problem(population.name, what, SMALLER)


def thresholds_fit(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """The first threshold, Δ·2^(bits − 1), and the ceiling (N + 1)·Δ − 1 are states too."""
    for population in network:
        if not isinstance(neuron := population.neuron, Firing):
            continue
        low, high = int(neuron.step.min()), int(neuron.step.max())
        if neuron.levels < 1 or low < 1:
            what = f"{neuron.levels} levels, step {low}; allowed: each at least 1"
            yield Problem(population.name, what, REBUILD)
            continue
        highest = max(high << (bits_for(neuron.levels) - 1), high * (neuron.levels + 1) - 1)
        if highest > target.state_max:
            what = f"threshold reaches {highest}; allowed: up to {target.state_max}"
            yield Problem(population.name, what, SMALLER)


def sums_fit(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """No u and no v leaves the state, with and without the bias."""
    allowed = f"allowed: {target.state_min}..{target.state_max}"
    for population in network:
        bounds = sum_bounds(population, network.nodes)
        for name, each in (("without", bounds), ("with", _shifted(bounds, population))):
            if each.low.min() < target.state_min or each.high.max() > target.state_max:
                what = f"its sum {name} the bias spans {each}; {allowed}"
                yield Problem(population.name, what, SMALLER)


def bits_arrive_in_order(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """One u serves all sources of a neuron, and one v all images: neither may mix them."""
    timing = timing_of(network)
    for population in network:
        slot = timing.slots[population.name]
        if _mixes(slot, timing.period):
            spans = ", ".join(f"{each.start}..{each.last}" for each in slot.windows)
            what = (
                f"its sources arrive in steps {spans} and an image every {timing.period}; allowed: "
                "windows that end together or never meet, before the next image's"
            )
            yield Problem(population.name, what, "compile with the other --schedule")


NUMBERS: tuple[Rule, ...] = (
    the_input_is_a_staircase,
    units_are_positive,
    weights_are_legal,
    exponents_are_legal,
    thresholds_fit,
    sums_fit,
    bits_arrive_in_order,
)


def verify(network: SpikingNetwork, target: Target) -> None:
    """Hold a network against every rule; its numbers only once its structure is sound.

    Raises:
        SnncError: with all problems found.
    """
    for rules in (STRUCTURE, NUMBERS):
        problems = [problem for rule in rules for problem in rule(network, target)]
        if problems:
            raise SnncError(*problems)


def _mixes(slot: Slot, period: int) -> bool:
    """Whether bits of different weight meet in u, or sums of different images in v."""
    meet_in_u = any(
        one.start <= other.last and other.start <= one.last and one.last != other.last
        for one, other in combinations(slot.windows, 2)
    )
    next_in_u = min(each.start for each in slot.windows) + period <= slot.fire
    next_in_v = min(each.last for each in slot.windows) + period < slot.fire + slot.time_steps
    return meet_in_u or next_in_u or next_in_v


def _projections(network: SpikingNetwork) -> Iterator[tuple[Population, Projection]]:
    for population in network:
        for each in population.projections:
            yield population, each


def _shifted(bounds: Bounds, population: Population) -> Bounds:
    bias = _spread(population.bias, population)
    low, high = (_spread(each, population) for each in (bounds.low, bounds.high))
    return Bounds(low + bias, high + bias)


def _spread(values: Integers, population: Population) -> Integers:
    return per_neuron(values, population.shape).astype(np.int64, copy=False)
