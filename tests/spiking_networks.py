"""Small random spiking networks that obey every rule, for the tests of whatever reads them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from snnc.compiler.neurons import BitSerial, Integers, Neuron, Readout
from snnc.compiler.passes.schedule_populations import schedule_populations
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Input,
    Population,
    Projection,
    Provenance,
    SpikingNetwork,
)


def networks() -> st.SearchStrategy[SpikingNetwork]:
    """Networks with strides, groups, dilations, uneven pads, joins, exponents and bias maps."""
    return st.integers(0, 2**32 - 1).map(random_network)


def random_network(seed: int) -> SpikingNetwork:
    """One to three convolutions, a join of the last with any node before it, and a read-out."""
    draw = _Draw(np.random.default_rng(seed))
    source = draw.input()
    populations: list[Population] = []
    for index in range(draw.integer(1, 3)):
        node = populations[-1] if populations else source
        populations.append(draw.firing(f"conv{index}", (node, draw.convolution(node.shape))))
    first = (source, *populations)[draw.integer(0, len(populations))]
    populations.append(draw.joined(first, populations[-1]))
    populations.append(draw.readout(populations[-1]))
    network = SpikingNetwork(source, tuple(populations), provenance=PROVENANCE)
    return schedule_populations(network, ("pipelined", "sequential")[draw.integer(0, 1)])


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
    return SpikingNetwork(Input("x", (2,), 255, 0.0, 1 / 255), populations)


@dataclass(frozen=True)
class _Draw:
    rng: np.random.Generator = field(default_factory=np.random.default_rng)

    def integer(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def input(self) -> Input:
        shape = (2, self.integer(3, 6), self.integer(3, 6))
        mean, std = (tuple(self.rng.uniform(0.2, 0.6, shape[0]).tolist()) for _ in range(2))
        code = "graded" if self.integer(0, 1) else "bits"
        return Input("image", shape, self.integer(1, 255), -1.0, 1 / 64, code, mean, std)

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
        step = self.rng.integers(1, 200, shape[0]) | self.integer(0, 1)
        return self.population(name, shape, sources, BitSerial(step, self.integer(1, 20)))

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
        return self.population("logits", (3,), ((source, dense),), Readout(np.full(3, 0.25)))

    def population(
        self,
        name: str,
        shape: tuple[int, ...],
        sources: tuple[tuple[Input | Population, Connection], ...],
        neuron: Neuron,
    ) -> Population:
        bias = self.rng.integers(-300, 300, shape[:1] if self.integer(0, 2) else shape)
        projections = tuple(
            Projection(node.name, connection, max(0, self.integer(-2, 2)))
            for node, connection in sources
        )
        return Population(name, shape, projections, bias, neuron)


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
