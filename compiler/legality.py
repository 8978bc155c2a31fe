"""What a spiking network must obey before it is written, and after it is read.

Once the structure is sound, the rules of NUMBERS prove by interval analysis that nothing overflows
on the chip. No weight, bias or level reaches a neuron unproved.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import isfinite

import numpy as np

from snnc.compiler.bounds import sum_bounds, with_bias
from snnc.compiler.errors import Problem, SnncError
from snnc.compiler.neurons import (
    BitSerial,
    Graded,
    OffsetSpike,
    Rate,
    Readout,
    Thermometer,
    bits_for,
    understood,
)
from snnc.compiler.spiking import Population, Projection, SpikingNetwork, is_stock
from snnc.compiler.structure import REBUILD, STRUCTURE, Rule
from snnc.compiler.target import STOCK, Target
from snnc.compiler.timing import Slot, timing_of

SMALLER = "compile with fewer --weight-bits, or fewer levels"


def the_input_is_a_staircase(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """Pixels become whole levels of a positive step, normalised channel by channel."""
    source = network.input
    if not 1 <= source.pixel_levels <= target.state_max:
        what = f"{source.pixel_levels} levels; allowed: 1..{target.state_max}"
        yield Problem(source.name, what, "choose other --input-bits")
    if not (isfinite(source.low) and isfinite(source.step) and source.step > 0):
        what = f"range from {source.low:g} in steps of {source.step:g}; allowed: finite, upwards"
        yield Problem(source.name, what, "choose another --input-range")
    for name, values in (("mean", source.mean), ("std", source.std)):
        channels = source.pixel_shape[0]
        if len(values) not in (0, 1, channels) or not all(map(isfinite, values)):
            what = f"{name} {values}; allowed: 1 or {channels} finite numbers"
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
    """The chip shifts weights to the left, so far and no further; stock netx not at all."""
    most = STOCK.max_weight_exponent if is_stock(network) else target.max_weight_exponent
    for population, each in _projections(network):
        if not 0 <= each.exponent <= most:
            what = f"weight exponent {each.exponent}; allowed: 0..{most}"
            yield Problem(population.name, what, SMALLER)


def thresholds_fit(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """The first threshold, Δ·2^(bits − 1), and the ceiling (N + 1)·Δ − 1 are states too."""
    for population in network:
        neuron = population.neuron
        if isinstance(neuron, Readout | Thermometer):
            continue
        low, high = int(neuron.step.min()), int(neuron.step.max())
        if neuron.levels < 1 or low < 1:
            what = f"{neuron.levels} levels, step {low}; allowed: each at least 1"
            yield Problem(population.name, what, REBUILD)
            continue
        highest = high
        if isinstance(neuron, BitSerial | Graded):
            first = high << (bits_for(neuron.levels) - 1)
            highest = max(first, high * (neuron.levels + 1) - 1)
        if highest > target.state_max:
            what = f"threshold reaches {highest}; allowed: up to {target.state_max}"
            yield Problem(population.name, what, SMALLER)


def stock_parameters_fit(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """Thresholds and biases of CUBA neurons have mantissas of 17 and of signed 13 bits."""
    if not is_stock(network):
        return
    for population in network:
        bias = int(np.abs(population.bias).max())
        if bias > STOCK.bias_max:
            what = f"bias reaches {bias}; allowed: up to {STOCK.bias_max}"
            yield Problem(population.name, what, SMALLER)
        if isinstance(neuron := population.neuron, Thermometer):
            low, high = int(neuron.thresholds.min()), int(neuron.thresholds.max())
            if low < 0 or high > STOCK.threshold_max:
                what = f"thresholds span {low}..{high}; allowed: 0..{STOCK.threshold_max}"
                yield Problem(population.name, what, SMALLER)
            if np.any(np.diff(neuron.thresholds, axis=0) < 0):
                yield Problem(population.name, "thresholds of its copies fall", REBUILD)


def initial_potentials_fit(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """A rate neuron starts between 0 and its threshold."""
    for population in network:
        neuron = population.neuron
        if not isinstance(neuron, Rate | OffsetSpike):
            continue
        if np.any(neuron.initial < 0) or np.any(neuron.initial >= neuron.step):
            low, high = neuron.initial.min(), neuron.initial.max()
            what = f"initial potential {low}..{high}; allowed: from 0 to below the threshold"
            yield Problem(population.name, what, REBUILD)


def sums_fit(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """No u and no v leaves the state, with and without the bias."""
    limits = STOCK if is_stock(network) else target
    allowed = f"allowed: {limits.state_min}..{limits.state_max}"
    nodes = network.nodes
    for population in network:
        sums = sum_bounds(population, nodes)
        for name, each in (("without", sums), ("with", with_bias(sums, population, nodes))):
            if each.low.min() < limits.state_min or each.high.max() > limits.state_max:
                what = f"its sum {name} the bias spans {each}; {allowed}"
                yield Problem(population.name, what, SMALLER)


def bits_arrive_in_order(network: SpikingNetwork, target: Target) -> Iterator[Problem]:
    """One u serves all sources of a neuron, and one v all images: neither may mix them."""
    timing = timing_of(network)
    for population in network:
        slot = timing.slots[population.name]
        together = is_stock(network) or "bits" not in understood(population.neuron)
        # a payload is held apart from v, however often it is sent
        in_v = 1 if isinstance(population.neuron, Graded) else slot.time_steps
        if _mixes(slot, in_v, timing.period) or (
            together and len({w.start for w in slot.windows}) > 1
        ):
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
    stock_parameters_fit,
    initial_potentials_fit,
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


def _mixes(slot: Slot, in_v: int, period: int) -> bool:
    """Whether bits of different weight meet in u, or sums of different images in v.

    An image is in v for `in_v` fire steps.
    """
    meet_in_u = any(
        one.start <= other.last and other.start <= one.last and one.last != other.last
        for one, other in combinations(slot.windows, 2)
    )
    next_in_u = min(each.start for each in slot.windows) + period <= slot.fire
    next_in_v = min(each.last for each in slot.windows) + period < slot.fire + in_v
    return meet_in_u or next_in_u or next_in_v


def _projections(network: SpikingNetwork) -> Iterator[tuple[Population, Projection]]:
    for population in network:
        for each in population.projections:
            yield population, each
