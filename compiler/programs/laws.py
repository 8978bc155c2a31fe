"""The neuron program of each law: one row a law, and the text of what its neurons do.

The schedule says in which time step of the period each part runs, so no neuron keeps count of time.
What a law says in one formula, as n = clip(⌊v/Δ⌋, 0, N), is done by shifts, comparisons and
subtractions here: nothing is multiplied or divided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Integers,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
    bits_for,
)
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.laws.integrate_and_fire import IntegrateAndFire
from snnc.compiler.laws.on_staircase import OnStaircase
from snnc.compiler.programs.instructions import parsed
from snnc.compiler.programs.program import Block, Constant, Program, State
from snnc.compiler.rules.bounds import Nodes, is_steady, potential_bounds, sum_bounds
from snnc.compiler.rules.timing import Timing, Window, timing_of
from snnc.compiler.spiking import Population, SpikingNetwork
from snnc.compiler.target import LOIHI

STATE_BITS = LOIHI.state_bits
MOST, LEAST = LOIHI.state_max, LOIHI.state_min


@dataclass(frozen=True, eq=False)
class Scheduled:
    """A population and its time: what a description is made from."""

    population: Population
    nodes: Nodes
    windows: tuple[Window, ...]
    """With t = 0 at the first arrival."""
    fire: int
    period: int

    def saturates(self, steps: int) -> bool:
        """Whether a constant current may carry v beyond its bits in so many steps."""
        if not is_steady(self.population, self.nodes):
            return False
        once = potential_bounds(self.population, self.nodes)
        return steps * int(once.high.max()) > MOST or steps * int(once.low.min()) < LEAST

    def steps(self, first: int, count: int) -> tuple[int, ...]:
        """Steps one after the other, in the period."""
        return tuple((first + k) % self.period for k in range(count))

    def block(
        self, when: str, first: int, code: str, count: int = 1, counts: Iterable[int] = ()
    ) -> Block:
        """What is done in some steps one after the other."""
        return Block(when, self.steps(first, count), parsed(code), tuple(counts))

    def potential(self, *, biased: bool = True) -> State:
        """V, with the bits that its bounds need."""
        sums = sum_bounds(self.population, self.nodes)
        found = [sums.low, sums.high]
        if biased:
            with_bias = potential_bounds(self.population, self.nodes)
            found += [with_bias.low, with_bias.high]
        return State("v", signed_bits(*found), "the membrane potential")

    def constant(self, name: str, values: Integers, meaning: str) -> Constant:
        """Numbers for each channel or neuron."""
        return Constant(name, per_neuron(values, self.population.shape), meaning)

    @property
    def bias(self) -> Constant:
        """B."""
        return self.constant("B", self.population.bias, "the bias")


@dataclass(frozen=True, eq=False)
class Described:
    """What a law says of its program."""

    states: tuple[State, ...]
    constants: tuple[Constant, ...]
    blocks: tuple[Block, ...]


Describe: TypeAlias = Callable[[Any, Scheduled], Described]


def program_of(population: Population, nodes: Nodes, timing: Timing) -> Program:
    """The program of the neurons of one population."""
    law, slot = population.neuron, timing.slots[population.name]
    first = min(each.start for each in slot.windows)
    windows = tuple(
        Window(each.start - first, each.length, each.train, each.constant) for each in slot.windows
    )
    scheduled = Scheduled(population, nodes, windows, slot.fire - first, timing.period)
    described = LAWS[type(law)](law, scheduled)
    shape = (law.copies, *population.shape) if law.circuit == "stock" else population.shape
    return Program(
        population.name,
        str(law),
        shape,
        first,
        timing.period,
        described.states,
        described.constants,
        described.blocks,
    )


def programs_of(network: SpikingNetwork) -> Mapping[str, Program]:
    """The programs of all populations, by their names."""
    nodes, timing = network.nodes, timing_of(network)
    return {each.name: program_of(each, nodes, timing) for each in network}


def signed_bits(*values: Integers) -> int:
    """The width of two's complement that holds all of some numbers."""
    low, high = min(int(v.min()) for v in values), max(int(v.max()) for v in values)
    return 1 + max(max(0, high).bit_length(), (-low - 1).bit_length() if low < 0 else 0)


LISTEN_TO_BITS = """
u <- u << 1
u <- u + a
"""
LISTEN = "v <- v + a"
END_OF_WINDOW = """
v <- v + u
u <- 0
"""


def listening(at: Scheduled) -> tuple[tuple[State, ...], tuple[Block, ...]]:
    """What arrives is summed in v; bits in u first, each worth twice the one after it."""
    trains = [each for each in at.windows if each.train == "bits" and each.length > 1]
    bits = {t for each in trains for t in at.steps(each.start, each.length)}
    others = {t for each in at.windows for t in at.steps(each.start, each.length)} - bits
    ends = {t for each in trains for t in at.steps(each.last, 1)}
    parts = (
        ("bits arrive", bits, LISTEN_TO_BITS),
        ("the last bits have arrived", ends, END_OF_WINDOW),
        ("numbers arrive", others, LISTEN),
    )
    blocks = tuple(
        Block(when, tuple(sorted(steps)), parsed(code)) for when, steps, code in parts if steps
    )
    if not trains:
        return (), blocks
    sums = sum_bounds(at.population, at.nodes)
    current = at.population.neuron.current(sums)
    width = signed_bits(current.low, current.high)
    return (State("u", width, "what has arrived of the bits of an image"),), blocks


CAPPED = """
v <- v + B
if v > C:
    v <- C
"""
NEXT_BIT = """
h <- Δ << k
if v >= h:
    v <- v - h
    spike
"""
CLEARED = "v <- 0"


def staircase_constants(law: OnStaircase, at: Scheduled) -> tuple[Constant, ...]:
    """B, Δ and the ceiling."""
    return (
        at.bias,
        at.constant("Δ", law.step, "what one level takes of v"),
        at.constant("C", (law.levels + 1) * law.step - 1, f"(N + 1)·Δ − 1, N = {law.levels}"),
    )


def bit_serial(law: BitSerial, at: Scheduled) -> Described:
    """Accumulate, then fire bit by bit: a successive approximation, a bit in each time step."""
    states, blocks = listening(at)
    bits = bits_for(law.levels)
    first = at.fire + law.lead
    return Described(
        (*states, at.potential()),
        staircase_constants(law, at),
        (
            *blocks,
            at.block("the sum is whole", at.fire, CAPPED),
            at.block("a bit of n, the highest first", first, NEXT_BIT, bits, reversed(range(bits))),
            at.block("after the last bit", first + bits - 1, CLEARED),
        ),
    )


ALL_BITS = """
n <- 0
repeat k = {last}..0:
    n <- n << 1
    h <- Δ << k
    if v >= h:
        v <- v - h
        n <- n + 1
"""
PAYLOAD = """
if n > 0:
    spike n
"""


def graded(law: Graded, at: Scheduled) -> Described:
    """Accumulate, then find all bits of n at once."""
    states, blocks = listening(at)
    number = CAPPED + ALL_BITS.format(last=bits_for(law.levels) - 1) + CLEARED + PAYLOAD
    return Described(
        (*states, at.potential()),
        staircase_constants(law, at),
        (*blocks, at.block("the sum is whole", at.fire, number)),
    )


def current(law: Current, at: Scheduled) -> Described:
    """The same n, kept and sent in every step of a turn."""
    states, blocks = listening(at)
    number = CAPPED + ALL_BITS.format(last=bits_for(law.levels) - 1) + CLEARED
    kept = State("n", 1 + bits_for(law.levels), "the level that is sent")
    return Described(
        (*states, at.potential(), kept),
        staircase_constants(law, at),
        (
            *blocks,
            at.block("the sum is whole", at.fire, number),
            at.block("the turn", at.fire, PAYLOAD, law.turn),
        ),
    )


CHANGE = """
w <- v + B
if w > C:
    w <- C
m <- 0
repeat k = {last}..0:
    m <- m << 1
    h <- Δ << k
    if w >= h:
        w <- w - h
        m <- m + 1
d <- m - n
n <- m
if d != 0:
    spike d
"""


def delta(law: Delta, at: Scheduled) -> Described:
    """Keep the sum, and send what the level changes by."""
    _, blocks = listening(at)
    change = CHANGE.format(last=bits_for(law.levels) - 1)
    kept = State("n", 1 + bits_for(law.levels), "the level of the frame before")
    return Described(
        (at.potential(), kept),
        staircase_constants(law, at),
        (*blocks, at.block("the frame is whole", at.fire, change)),
    )


ADDED = """
c <- a + B
v <- v + c
"""
SATURATED = """
c <- a + B
if c > 0:
    h <- MAX - c
    if v > h:
        v <- h
if c < 0:
    h <- MIN - c
    if v < h:
        v <- h
v <- v + c
"""
FIRE = """
if v >= θ:
    v <- v - θ
    spike
"""


def integrated(law: Rate | OffsetSpike, at: Scheduled) -> str:
    """How c joins v: under a constant current v may reach the ends of its bits, and stays there."""
    return SATURATED if at.saturates(law.summed_steps) else ADDED


def firing_constants(law: IntegrateAndFire, at: Scheduled, *, ends: bool) -> tuple[Constant, ...]:
    """B, θ, v(0), and the ends of a state where they are asked for."""
    own = (
        at.bias,
        at.constant("θ", law.threshold, "what a spike takes of v"),
        at.constant("v0", law.initial, "v(0)"),
    )
    most = Constant("MAX", np.array(MOST), "the greatest number of a state")
    least = Constant("MIN", np.array(LEAST), "the least number of a state")
    return (*own, most, least) if ends else own


def rate(law: Rate, at: Scheduled) -> Described:
    """Integrate and fire from v(0) on."""
    saturates, steady = at.saturates(law.turn), is_steady(at.population, at.nodes)
    return Described(
        (_whole("v", "the membrane potential") if steady else at.potential(),),
        firing_constants(law, at, ends=saturates),
        (
            at.block("an image begins", at.fire, "v <- v0"),
            at.block("a time step of the image", at.fire, integrated(law, at) + FIRE, law.turn),
        ),
    )


BEGIN_CALIBRATION = """
v <- start
least <- MAX
most <- MIN
"""
CALIBRATE = """
if v >= θ:
    v <- v - θ
    if v < least:
        least <- v
else:
    if v > most:
        most <- v
"""
MOVE = """
e <- start - v0
if v < e:
    if least < MAX:
        if least >= θ:
            start <- start - least
            start <- start - 1
        else:
            start <- start - θ
else:
    e <- e + θ
    if v >= e:
        if most > MIN:
            start <- start + θ
            if most < 0:
                start <- start - most
"""
KEEP_RESIDUAL = """
e <- start - v0
if v < e:
    if least < MAX:
        start <- v
else:
    e <- e + θ
    if v >= e:
        if most > MIN:
            start <- v
"""
FIRE_AND_STORE = """
if v >= θ:
    v <- v - θ
    r[k] <- 1
    spike
else:
    r[k] <- 0
"""
SEND_AGAIN = """
if r[k] > 0:
    spike
"""


def offset_spike(law: OffsetSpike, at: Scheduled) -> Described:
    """Calibrate, as often as asked for; then integrate, fire, and send the train again."""
    begins = [0, *(law.span + k * law.rho for k in range(law.iterations - 1))]
    within = tuple(t + k for t in begins for k in range(law.rho))
    first, again = at.steps(law.wait, law.span), [*range(law.rho)] * (law.iterations - 1)
    order = [*again, *range(law.span)]
    ends = tuple(t + law.rho - 1 for t in begins)
    each, move = integrated(law, at), KEEP_RESIDUAL if law.light else MOVE
    return Described(
        (
            _whole("v", "the membrane potential"),
            _whole("start", "v(0) as calibrated so far"),
            _whole("least", "the least v after a spike"),
            _whole("most", "the greatest v of a step without a spike"),
            State("r", 1, "the train, to be sent again", law.span),
        ),
        firing_constants(law, at, ends=True),
        (
            at.block("an image begins", 0, "start <- v0"),
            Block("a calibration begins", tuple(begins), parsed(BEGIN_CALIBRATION)),
            Block("a calibration", within, parsed(each + CALIBRATE)),
            Block("a calibration ends", ends, parsed(move)),
            at.block("the train begins", law.wait, "v <- start"),
            Block("the train", first, parsed(each + FIRE_AND_STORE), tuple(range(law.span))),
            at.block("it is sent again", law.wait + law.span, SEND_AGAIN, len(order), order),
        ),
    )


def _whole(name: str, meaning: str) -> State:
    """A state that may take every value of its bits."""
    return State(name, STATE_BITS, meaning)


COMPARE = """
v <- a + B
if v > θ:
    spike
"""


def copies(law: Copies, at: Scheduled) -> Described:
    """A stock neuron that forgets: each copy is one, with a threshold of its own."""
    shape = at.population.shape
    thresholds = np.stack([per_neuron(each, shape) for each in law.thresholds])
    return Described(
        (at.potential(),),
        (at.bias, Constant("θ", thresholds, "the threshold, of each copy its own")),
        (at.block("the image is there", at.fire, COMPARE),),
    )


SHOWN = """
v <- v + B
spike v
v <- 0
"""
KEPT = """
w <- v + B
spike w
"""


def readout(law: Readout, at: Scheduled) -> Described:
    """Sum, and show the sum."""
    states, blocks = listening(at)
    shown = at.block("the sum is whole", at.fire, SHOWN)
    return Described((*states, at.potential()), (at.bias,), (*blocks, shown))


def delta_readout(law: DeltaReadout, at: Scheduled) -> Described:
    """Sum for good, and show the sum of every frame."""
    _, blocks = listening(at)
    shown = at.block("the frame is whole", at.fire, KEPT)
    return Described((at.potential(biased=False),), (at.bias,), (*blocks, shown))


LAWS: Mapping[type[Neuron], Describe] = MappingProxyType(
    {
        BitSerial: bit_serial,
        Graded: graded,
        Current: current,
        Rate: rate,
        OffsetSpike: offset_spike,
        Copies: copies,
        Delta: delta,
        Readout: readout,
        DeltaReadout: delta_readout,
    }
)
