"""Small random spiking networks that obey every rule, for the tests of whatever reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from hypothesis import strategies as st

from snnc.compiler.codes import CODES
from snnc.compiler.inputs import (
    BitsInput,
    ChangesInput,
    CurrentInput,
    GradedInput,
    Input,
    once,
)
from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Delta,
    DeltaReadout,
    Firing,
    Graded,
    Integers,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
)
from snnc.compiler.passes.schedule_populations import schedule_populations
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Population,
    Projection,
    Provenance,
    Schedule,
    SpikingNetwork,
)

SCHEDULES: tuple[Schedule, ...] = ("pipelined", "sequential")
SEEDS = st.integers(0, 2**32 - 1)


def networks() -> st.SearchStrategy[SpikingNetwork]:
    """Networks with strides, groups, dilations, uneven pads, joins, exponents and bias maps."""
    return SEEDS.map(random_network)


def networks_of(codes: Sequence[str] = tuple(CODES)) -> st.SearchStrategy[SpikingNetwork]:
    """The same in other codes too."""
    return st.builds(random_network, SEEDS, st.sampled_from(codes))


def random_network(seed: int, code: str = "bit-serial") -> SpikingNetwork:
    """One to three convolutions, a join of the last with any node before it, and a read-out."""
    network = unscheduled(seed, code)
    return schedule_populations(network, network.schedule)


def unscheduled(seed: int, code: str) -> SpikingNetwork:
    """The same without relays, which its schedule may need."""
    draw = DRAWS[code](np.random.default_rng(seed))
    source = draw.input()
    populations: list[Population] = []
    for index in range(draw.integer(1, 3)):
        node = populations[-1] if populations else source
        populations.append(draw.firing(f"conv{index}", (node, draw.convolution(node.shape))))
    first = (source, *populations)[draw.integer(0, len(populations))]
    populations.append(draw.joined(first, populations[-1]))
    populations.append(draw.readout(populations[-1]))
    schedule = SCHEDULES[draw.integer(0, 1)]
    return SpikingNetwork(source, tuple(populations), schedule, code=code, provenance=PROVENANCE)


PROVENANCE = Provenance(source_sha256="ab" * 32, labels=("kat", "čáp"), remarks=("one\ntwo",))


def chain(*, levels: int = 7, weight: int = 3, bias: int = 0, step: int = 5) -> SpikingNetwork:
    """Two pixels, one firing neuron `fc` and one read-out neuron `out`: the least there is."""
    weights = np.full((1, 2), weight)
    fc = BitSerial(np.array([step]), levels)
    populations = (
        Population("fc", (1,), (Projection("x", Dense(weights)),), np.array([bias]), fc),
        Population(
            "out",
            (1,),
            (Projection("fc", Dense(np.ones((1, 1), np.int64))),),
            np.array([0]),
            Readout(np.array([0.5])),
        ),
    )
    return SpikingNetwork(GradedInput("x", (2,), 255, 0.0, 1 / 255), populations)


def chain_of(neuron: Firing, *, bias: int = 0, schedule: Schedule = "pipelined") -> SpikingNetwork:
    """The same of any other neuron; Copies make it one of stock neurons."""
    network = replace(chain(bias=bias), schedule=schedule)
    fc, out = network.populations
    if isinstance(neuron, Rate | OffsetSpike):
        network = replace(network, input=as_current(network.input, neuron.turn))
        out = replace(out, neuron=replace(out.neuron, time_steps=neuron.time_steps))
    return replace(network, populations=(replace(fc, neuron=neuron), out))


def stream() -> SpikingNetwork:
    """The chain for frames, of which only the changes are sent."""
    network = chain(bias=-40)
    fc, out = network.populations
    encoding = (network.input.low, network.input.step)
    source = ChangesInput(network.input.name, network.input.shape, 255, *encoding)
    fc = replace(fc, neuron=Delta(np.array([100]), 9))
    out = replace(out, neuron=DeltaReadout(out.neuron.unit))
    return replace(network, input=source, populations=(fc, out), code="delta")


def behind_a_relay(neuron: Rate | OffsetSpike) -> SpikingNetwork:
    """The same, its pixels a current that comes through a relay."""
    network = chain_of(neuron)
    fc, out = network.populations
    later = Projection("x", Dense(np.eye(2, dtype=np.int64)))
    law = neuron.relay(2, network.input.levels, constant=True)
    relay = Population("x.relay1", (2,), (later,), np.zeros(2, np.int64), law, is_relay=True)
    heard = (replace(fc.projections[0], source=relay.name),)
    return network.replaced((relay, replace(fc, projections=heard), out))


def as_current(source: Input, turn: int) -> CurrentInput:
    """The same pixels, sent in every step of a turn."""
    encoding = (source.low, source.step, source.mean, source.std)
    return CurrentInput(source.name, source.shape, source.levels, *encoding, turn)


def calibrating(seed: int) -> SpikingNetwork:
    """Many neurons that are excited and inhibited by much more than their thresholds."""
    rng = np.random.default_rng(seed)
    steps, rho, rounds = (int(n) for n in rng.integers(2, 9, 3))
    sizes, names = (2, 20, 100, 1), ("x", "source", "fc", "out")
    populations = []
    for k in (1, 2, 3):
        weights = rng.integers(-120, 121, (sizes[k], sizes[k - 1]))
        projections = (Projection(names[k - 1], Dense(weights)),)
        threshold = rng.integers(20, 400, sizes[k]) << (6 if k == 1 else 0)
        neuron: Neuron = OffsetSpike(threshold, threshold // 2, steps, rho, rounds)
        if k == 3:
            neuron = Readout(np.ones(1), steps)
        bias = rng.integers(-40, 80, sizes[k])
        populations.append(Population(names[k], sizes[k : k + 1], projections, bias, neuron))
    source = CurrentInput("x", (2,), 255, 0.0, 1.0, turn=populations[0].neuron.turn)
    return SpikingNetwork(source, tuple(populations))


class _Draw:
    """Of bit-serial networks."""

    most_exponent = 2
    counted = 0

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def input(self) -> Input:
        shape = (2, self.integer(3, 6), self.integer(3, 6))
        mean, std = (tuple(self.rng.uniform(0.2, 0.6, shape[0]).tolist()) for _ in range(2))
        kind = GradedInput if self.integer(0, 1) else BitsInput
        return kind("image", shape, self.integer(1, 255), -1.0, 1 / 64, mean, std)

    def weights(self, *shape: int) -> Integers:
        weights = self.rng.integers(-20, 21, shape)
        weights.flat[0] = 7
        return weights

    def convolution(self, source: tuple[int, ...]) -> Convolution:
        groups = (1, 2, source[0])[self.integer(0, 2)]
        kernel = (self.integer(1, 3), self.integer(1, 3))
        return Convolution(
            self.weights(4, source[0] // groups, *kernel),
            strides=(self.integer(1, 2), self.integer(1, 2)),
            pads=(self.integer(1, 2), self.integer(1, 2), self.integer(1, 2), self.integer(1, 2)),
            dilations=(self.integer(1, 2) if source[1] > 2 else 1, 1),
            groups=groups,
        )

    def firing(
        self,
        name: str,
        *sources: tuple[Input | Population, Connection],
        shape: tuple[int, ...] = (),
    ) -> Population:
        shape = shape or output_shape(*sources[0])
        return self.population(name, shape, sources, self.neuron(shape))

    def neuron(self, shape: tuple[int, ...]) -> Firing:
        step = self.rng.integers(1, 200, shape[0]) | self.integer(0, 1)
        return BitSerial(step, self.integer(1, 20))

    def joined(self, first: Input | Population, second: Population) -> Population:
        channels = second.shape[0]
        return self.firing(
            "join",
            (second, Convolution(self.weights(channels, 1, 1, 1), groups=channels)),
            (first, Dense(self.weights(second.size, first.size))),
            shape=second.shape,
        )

    def readout(self, source: Population) -> Population:
        dense = Dense(self.weights(3, source.size))
        neuron = Readout(np.full(3, 0.25), self.counted)
        return self.population("logits", (3,), ((source, dense),), neuron)

    def population(
        self,
        name: str,
        shape: tuple[int, ...],
        sources: tuple[tuple[Input | Population, Connection], ...],
        neuron: Neuron,
    ) -> Population:
        bias = self.rng.integers(-300, 300, shape[:1] if self.integer(0, 2) else shape)
        projections = tuple(
            Projection(node.name, connection, max(0, self.integer(-2, self.most_exponent)))
            for node, connection in sources
        )
        return Population(name, shape, projections, bias, neuron)


class _DrawGraded(_Draw):
    def neuron(self, shape: tuple[int, ...]) -> Firing:
        return Graded(self.rng.integers(1, 200, shape[0]), self.integer(1, 20))


class _DrawRate(_Draw):
    """Thresholds of all sizes beside what arrives in one time step."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(rng)
        self.first = self.law()
        self.counted = self.first.time_steps

    def law(self) -> Rate | OffsetSpike:
        return Rate(np.ones(1, np.int64), np.zeros(1, np.int64), self.integer(1, 6))

    def input(self) -> Input:
        return as_current(replace(super().input(), levels=self.integer(1, 31)), self.first.turn)

    def neuron(self, shape: tuple[int, ...]) -> Firing:
        threshold = self.rng.integers(1, 200, shape[0]) << self.integer(0, 4)
        initial = threshold // 2 if self.integer(0, 1) else self.rng.integers(0, threshold)
        return replace(self.first, threshold=threshold, initial=initial)


class _DrawOffsetSpike(_DrawRate):
    def law(self) -> Rate | OffsetSpike:
        light = not self.integer(0, 3)
        return OffsetSpike(
            np.ones(1, np.int64),
            np.zeros(1, np.int64),
            time_steps=self.integer(1, 5),
            rho=self.integer(1, 5),
            iterations=1 if light else self.integer(1, 3),
            light=light,
        )


class _DrawOneSpike(_Draw):
    most_exponent = 0

    def input(self) -> Input:
        return once(as_current(replace(super().input(), levels=self.integer(1, 31)), 1))

    def neuron(self, shape: tuple[int, ...]) -> Firing:
        first = shape[:1] if self.integer(0, 2) else shape
        rises = self.rng.integers(0, 1 << self.integer(1, 9), (self.integer(1, 6), *first))
        return Copies(np.cumsum(rises, axis=0))


class _DrawDelta(_DrawGraded):
    def input(self) -> Input:
        drawn = super().input()
        encoding = (drawn.low, drawn.step, drawn.mean, drawn.std)
        return ChangesInput(drawn.name, drawn.shape, drawn.levels, *encoding)

    def neuron(self, shape: tuple[int, ...]) -> Firing:
        return Delta(self.rng.integers(1, 200, shape[0]), self.integer(1, 20))

    def readout(self, source: Population) -> Population:
        drawn = super().readout(source)
        return replace(drawn, neuron=DeltaReadout(drawn.neuron.unit))


DRAWS: dict[str, type[_Draw]] = {
    "bit-serial": _Draw,
    "rate": _DrawRate,
    "offset-spike": _DrawOffsetSpike,
    "one-spike": _DrawOneSpike,
    "graded": _DrawGraded,
    "delta": _DrawDelta,
}


def output_shape(source: Input | Population, connection: Connection) -> tuple[int, ...]:
    """What a connection gives from a source of its own."""
    if isinstance(connection, Dense):
        return connection.weights.shape[:1]
    top, left, bottom, right = connection.pads
    _, height, width = source.shape
    kernel = connection.weights.shape[2:]
    extents = (
        (padded - dilation * (size - 1) - 1) // stride + 1
        for padded, size, stride, dilation in zip(
            (height + top + bottom, width + left + right),
            kernel,
            connection.strides,
            connection.dilations,
            strict=True,
        )
    )
    return (len(connection.weights), *extents)


def copies_of_a_plane(
    shape: tuple[int, ...] = (2, 3, 3), kernel: tuple[int, int] = (2, 2), **geometry: Any
) -> SpikingNetwork:
    """A convolution of stock neurons and a dense read-out: a chain that stock netx runs."""
    groups = geometry.get("groups", 1)
    out = max(2, groups)
    weights = np.arange(out * shape[0] // groups * prod(kernel)) % 5 - 2
    conv = Convolution(weights.reshape(out, shape[0] // groups, *kernel), **geometry)
    source = GradedInput("x", shape, 255, 0.0, 1.0)
    plane = output_shape(source, conv)
    readout = Dense(3 - np.arange(prod(plane)).reshape(1, -1) % 7)
    neuron = Copies(np.array([[20], [99]]) * np.ones(out, np.int64))
    return SpikingNetwork(
        source,
        (
            Population("conv", plane, (Projection("x", conv),), np.zeros(out, np.int64), neuron),
            Population(
                "out", (1,), (Projection("conv", readout),), np.zeros(1, int), Readout(np.ones(1))
            ),
        ),
        code="one-spike",
    )


def with_bias_map(network: SpikingNetwork) -> SpikingNetwork:
    """The neurons of a channel have biases of their own."""
    conv, out = network.populations
    bias = np.arange(conv.size).reshape(conv.shape) * 9
    return network.replaced((replace(conv, bias=bias), out))


def reads_twice(network: SpikingNetwork) -> SpikingNetwork:
    """The read-out listens to the input too."""
    conv, out = network.populations
    short = Projection("x", Dense(np.ones((1, network.input.size), np.int64)))
    return network.replaced((conv, replace(out, projections=(*out.projections, short))))


def reads_past(network: SpikingNetwork) -> SpikingNetwork:
    """The read-out listens to the input alone."""
    conv, out = network.populations
    short = Projection("x", Dense(np.ones((1, network.input.size), np.int64)))
    return network.replaced((conv, replace(out, projections=(short,))))


def onto_planes(network: SpikingNetwork) -> SpikingNetwork:
    """A matrix leads to planes, which a convolution reads."""
    conv, out = network.populations
    matrix = Dense(3 - np.arange(8 * conv.size).reshape(8, -1) % 7)
    onto = replace(conv, name="onto", shape=(2, 2, 2), projections=(Projection("conv", matrix),))
    kernel = Convolution(np.array([[[[1, 2]], [[3, -1]]]]))
    last = replace(out, shape=(1, 2, 1), projections=(Projection("onto", kernel),))
    return network.replaced((conv, onto, last))
