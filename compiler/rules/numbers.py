"""The rules of numbers: interval analysis proves that nothing overflows on the chip.

No weight, bias or level reaches a neuron unproved. Every number is within its range before one is
computed with, so that the proof itself cannot wrap: `RANGES` come before `PROOFS`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from snnc.compiler.errors import Problem
from snnc.compiler.inputs import PlanesInput
from snnc.compiler.laws.base import span_of
from snnc.compiler.limits import MOST_REACH, MOST_REAL, PLANES, STATE, is_size
from snnc.compiler.rules.bounds import reach, sum_bounds, with_bias
from snnc.compiler.rules.structure import REBUILD, SpikingRule
from snnc.compiler.rules.timing import Slot, timing_of
from snnc.compiler.spiking import Population, Projection, SpikingNetwork
from snnc.compiler.target import STOCK

SMALLER = "compile with fewer `weight_bits`, or fewer levels"


def the_input_is_a_staircase(network: SpikingNetwork) -> Iterator[Problem]:
    """Pixels become whole levels of a positive step, normalised channel by channel."""
    source = network.input
    if not 1 <= source.pixel_levels <= network.target.state_max:
        what = f"{source.pixel_levels} levels; allowed: 1..{network.target.state_max}"
        yield Problem(source.name, what, "choose other `input_bits`")
    if not (abs(source.low) <= MOST_REAL and is_size(source.step)):
        what = f"range from {source.low:g} in steps of {source.step:g}; allowed: finite, upwards"
        yield Problem(source.name, what, "choose another `input_range`")
    channels = source.pixel_shape[0]
    for name, values in (("mean", source.mean), ("std", source.std)):
        finite = all(abs(each) <= MOST_REAL for each in values)
        if len(values) not in (0, 1, channels) or not finite:
            what = f"{name} {_few(values)}; allowed: 1 or {channels} finite numbers"
            yield Problem(source.name, what, f"choose another `{name}`")
    if not all(map(is_size, source.std)):
        what = f"std {_few(source.std)} is not above 0"
        yield Problem(source.name, what, "choose another `std`")


def planes_are_bits(network: SpikingNetwork) -> Iterator[Problem]:
    """Where the bits of a pixel are neurons, every pixel has as many of them."""
    source = network.input
    if isinstance(source, PlanesInput):
        fits = PLANES.holds(source.planes) and source.shape[0] % source.planes == 0
        if not fits or source.levels != 1:
            what = f"{source.planes} planes of {source.levels} levels in {source.shape[0]} channels"
            allowed = f"allowed: {PLANES} that divide the channels, of 1 level"
            yield Problem(source.name, f"{what}; {allowed}", REBUILD)


def weights_are_legal(network: SpikingNetwork) -> Iterator[Problem]:
    """A synapse holds weight_bits bits: two's complement, all even with one more, or one sign."""
    top = 1 << network.target.weight_bits
    half = top >> 1
    allowed = f"{-half}..{half - 1}, even {-top}..{top - 2}, 0..{top - 1} or {1 - top}..0"
    for population, each in _projections(network):
        weights = each.connection.weights
        low, high = int(weights.min()), int(weights.max())
        if low == high == 0:
            what = f"all weights from {each.source} are 0; allowed: at least one other"
            mend = "compile with more `weight_bits`, or remove the branch"
            yield Problem(population.name, what, mend)
        fits = (
            (-half <= low and high < half) or (low >= 0 and high < top) or -top < low <= high <= 0
        )
        if not fits and (low < -top or high >= top or np.any(weights & 1)):
            what = f"weights from {each.source} span {low}..{high}; allowed: {allowed}"
            yield Problem(population.name, what, "compile with fewer `weight_bits`")


def roundings_are_known(network: SpikingNetwork) -> Iterator[Problem]:
    """What rounding changed is a share of the sums."""
    for population, each in _projections(network):
        if not each.error >= 0:
            what = f"rounding of {each.source} changed {each.error} of its sums"
            yield Problem(population.name, f"{what}; allowed: 0 or more", REBUILD)


def exponents_are_legal(network: SpikingNetwork) -> Iterator[Problem]:
    """The chip shifts weights to the left, so far and no further; stock netx not at all."""
    most = network.limits.max_weight_exponent
    for population, each in _projections(network):
        if not 0 <= each.exponent <= most:
            what = f"weight exponent {each.exponent}; allowed: 0..{most}"
            yield Problem(population.name, what, SMALLER)


def parameters_are_legal(network: SpikingNetwork) -> Iterator[Problem]:
    """Thresholds, levels, potentials and units are what the law allows."""
    for population in network:
        for fault in population.neuron.faults(network.target.state_max):
            yield Problem(population.name, fault.what, SMALLER if fault.is_size else REBUILD)


def biases_are_legal(network: SpikingNetwork) -> Iterator[Problem]:
    """A bias is a number of the file, so that what it makes of a sum can be said."""
    for population in network:
        if not STATE.holds_all(population.bias):
            what = f"bias spans {span_of(population.bias)}; allowed: {STATE}"
            yield Problem(population.name, what, SMALLER)


def stock_biases_fit(network: SpikingNetwork) -> Iterator[Problem]:
    """Biases of CUBA neurons have mantissas of signed 13 bits."""
    for population in network if network.is_stock else ():
        bias = max(int(population.bias.max()), -int(population.bias.min()))
        if bias > STOCK.bias_max:
            what = f"bias reaches {bias}; allowed: up to {STOCK.bias_max}"
            yield Problem(population.name, what, SMALLER)


def sums_fit(network: SpikingNetwork) -> Iterator[Problem]:
    """No u and no v leaves the state, with and without the bias."""
    limits = network.limits
    allowed = f"allowed: {limits.state_min}..{limits.state_max}"
    nodes = network.nodes
    for population in network:
        if (most := reach(population, nodes)) > MOST_REACH:
            yield Problem(population.name, f"its sum reaches {most}; {allowed}", SMALLER)
            continue
        sums = sum_bounds(population, nodes)
        current, potential = population.neuron.current(sums), with_bias(sums, population, nodes)
        for name, each in (("without", current), ("with", potential)):
            if each.low.min() < limits.state_min or each.high.max() > limits.state_max:
                what = f"its sum {name} the bias spans {each}; {allowed}"
                yield Problem(population.name, what, SMALLER)


def bits_arrive_in_order(network: SpikingNetwork) -> Iterator[Problem]:
    """One u serves all sources of a neuron, and one v all images: neither may mix them."""
    timing = timing_of(network)
    for population in network:
        slot, law = timing.slots[population.name], population.neuron
        starts = {each.start for each in slot.windows}
        together = network.is_stock or not law.accumulates
        if _mixes(slot, law.potential_steps, timing.period) or (together and len(starts) > 1):
            spans = ", ".join(f"{each.start}..{each.last}" for each in slot.windows)
            what = (
                f"its sources arrive in steps {spans} and an image every {timing.period}; allowed: "
                "windows that end together or never meet, before the next image's"
            )
            yield Problem(population.name, what, "compile with the other `schedule`")


RANGES: tuple[SpikingRule, ...] = (
    planes_are_bits,
    the_input_is_a_staircase,
    weights_are_legal,
    exponents_are_legal,
    roundings_are_known,
    parameters_are_legal,
    biases_are_legal,
    stock_biases_fit,
)
"""Of each number on its own."""

PROOFS: tuple[SpikingRule, ...] = (sums_fit, bits_arrive_in_order)
"""Of what numbers within their ranges make together."""


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


def _few(values: tuple[float, ...]) -> str:
    """Some numbers as text, of many the first."""
    return str(values) if len(values) <= 8 else f"({', '.join(map(str, values[:8]))}, …)"


def _projections(network: SpikingNetwork) -> Iterator[tuple[Population, Projection]]:
    for population in network:
        for each in population.projections:
            yield population, each
