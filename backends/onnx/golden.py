"""The golden model: the integer network as an ONNX graph, of levels wherever these say it all.

A population is z = Σ_k 2^e_k Σ w·n_k + B, then n = clip(⌊z/Δ⌋, 0, N), computed in float32 and still
exact, because a float32 holds every whole number up to 2^24:

- Every product and every partial sum of z, in whatever order an engine adds, lies within the
  bounds that the rules of legality prove (compiler/legality.py): |…| ≤ 2^23.
- The quotient z/Δ is rounded, yet it never reaches a whole number k in 1 … N from below. With
  z ≤ kΔ − 1 it is at most k·(1 − 1/(kΔ)), and kΔ ≤ (N + 1)·Δ ≤ 2^23; the distance 2^-23 relative to
  k is four half-spacings of float32. Rounding is monotone, so from above k stays reached. Beyond
  1 … N the clip decides alike.

Rate neurons have no such formula: their trains are computed step by step (trains.py). Then |v| and
what arrives are each at most 2^23 before v saturates, and so their sum is held exactly too.

Most convolutions are computed in bytes instead, about three times as fast: byte_convolution.py.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from snnc.backends.onnx.byte_convolution import ByteConvolution, byte_convolution
from snnc.backends.onnx.projections import Projections
from snnc.backends.onnx.trains import add_train
from snnc.compiler.bounds import hears_a_constant
from snnc.compiler.neurons import (
    BitSerial,
    OffsetSpike,
    Rate,
    Thermometer,
)
from snnc.compiler.spiking import (
    Convolution,
    Input,
    Population,
    SpikingNetwork,
    as_staircase,
    per_neuron,
)
from snnc.compiler.target import find_target

EXACT_BITS = 24
"""Signed width of the widest state that float32 carries without loss."""
BATCH = "images"
_FLOAT, _UINT8 = TensorProto.FLOAT, TensorProto.UINT8


def golden_model(network: SpikingNetwork, *, every_population: bool) -> onnx.ModelProto:
    """Build the graph of a legal network.

    Input, by its name: level numbers (images, *shape). Outputs, by their names: what every firing
    population sends, in order, if asked for, and last the read-out's potential v. Numbers are
    (images, *shape), trains of spikes (time steps, images, *shape); all are whole, as uint8 or
    float32: the graph says which.
    """
    assert find_target(network.provenance.target).state_bits <= EXACT_BITS
    graph = _Graph(network.input)
    for population in network:
        graph.add_population(population)
    shown = network.populations if every_population else (network.readout,)
    proto = helper.make_graph(
        graph.nodes,
        "golden",
        [graph.value(network.input)],
        [graph.value(each) for each in shown],
        graph.initializers,
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(proto, opset_imports=[opset], ir_version=8, producer_name="snnc")


class _Graph(Projections):
    """Populations in the order of computation; a node is known by the value it gives."""

    def value(self, node: Input | Population) -> onnx.ValueInfoProto:
        """What is known of a value that enters or leaves."""
        shape: list[int | str | None] = [BATCH, *node.shape]
        if isinstance(node, Population) and isinstance(node.neuron, Rate | OffsetSpike):
            shape = [node.neuron.levels, *shape]
        return helper.make_tensor_value_info(node.name, self.types[node.name], shape)

    def add_population(self, population: Population) -> None:
        """Add what gives a population's numbers, its train, or its potential."""
        staircase = as_staircase(population)
        constants = None
        if staircase is not None:
            source = population.projections[0].source
            constants = byte_convolution(staircase, self.sources[source])
        if isinstance(population.neuron, Rate | OffsetSpike):
            self.add_train(population, population.neuron)
        elif staircase is not None and constants is not None:
            self.add_bytes(staircase, constants)
        else:
            self.add_floats(staircase or population)
        self.sources[population.name] = population

    def add_train(self, population: Population, neuron: Rate | OffsetSpike) -> None:
        """Currents of all time steps at once, then one step after the other."""
        name, steps = population.name, neuron.levels
        terms = [
            self.currents(each, population, steps, f"{name}:{k}")
            for k, each in enumerate(population.projections)
        ]
        bias = per_neuron(population.bias, population.shape)
        terms.append(self.floats(f"{name}:bias", np.asarray(bias)))
        total = self.node("Sum", *terms, output=f"{name}:sum")
        if hears_a_constant(population, self.sources):
            length = np.array((steps, *(1,) * (1 + len(population.shape))))
            repeated = self.constant(f"{name}:length", length)
            total = self.node("Expand", total, repeated, output=f"{name}:current")
        add_train(self, population, neuron, total)
        self.types[name] = _UINT8

    def add_bytes(self, population: Population, constants: ByteConvolution) -> None:
        """One operator on bytes, and the ceiling N."""
        name, (projection,), neuron = population.name, population.projections, population.neuron
        assert isinstance(projection.connection, Convolution)
        assert isinstance(neuron, BitSerial)
        one = self.constant(f"{name}:one", np.array(1, np.float32))
        zero = self.constant(f"{name}:zero", np.array(0, np.uint8))
        weights = (
            self.constant(f"{name}:weights", constants.weights),
            self.constant(f"{name}:scale", constants.scale),
            self.constant(
                f"{name}:zero_point", np.repeat(constants.zero_point, len(constants.bias))
            ),
        )
        bias = self.constant(f"{name}:bias", constants.bias)
        inputs = (self.cast(projection.source, _UINT8), one, zero, *weights, one, zero, bias)
        levels = self.convolution("QLinearConv", projection.connection, *inputs, output=f"{name}:u")
        highest = self.constant(f"{name}:highest", np.array(neuron.levels, np.uint8))
        self.node("Clip", levels, zero, highest, output=name)
        self.types[name] = _UINT8

    def add_floats(self, population: Population) -> None:
        """Sum what arrives; a firing neuron puts the sum on its staircase."""
        name, neuron = population.name, population.neuron
        total = self.sum(population)
        if isinstance(neuron, BitSerial):
            step = self.floats(f"{name}:step", per_neuron(neuron.step, population.shape))
            quotient = self.node("Div", total, step, output=f"{name}:quotient")
            floor = self.node("Floor", quotient, output=f"{name}:floor")
            lowest = self.floats(f"{name}:lowest", np.array(0))
            highest = self.floats(f"{name}:highest", np.array(neuron.levels))
            self.node("Clip", floor, lowest, highest, output=name)
        elif isinstance(neuron, Thermometer):
            self.count_copies(population, neuron, total)
        else:
            self.node("Identity", total, output=name)
        self.types[name] = _FLOAT

    def count_copies(self, population: Population, neuron: Thermometer, total: str) -> None:
        """The copies whose threshold the sum exceeds."""
        name = population.name
        fired = []
        for copy, threshold in enumerate(neuron.thresholds):
            constant = self.floats(
                f"{name}:threshold {copy}", per_neuron(threshold, population.shape)
            )
            above = self.node("Greater", total, constant, output=f"{name}:above {copy}")
            fired.append(self.node("Cast", above, output=f"{name}:copy {copy}", to=_FLOAT))
        self.node("Sum", *fired, output=name)
