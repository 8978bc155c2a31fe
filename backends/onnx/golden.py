"""The golden model: the integer network as an ONNX graph of levels instead of spikes.

A population is z = Σ_k 2^e_k Σ w·n_k + B, then n = clip(⌊z/Δ⌋, 0, N), computed in float32 and still
exact, because a float32 holds every whole number up to 2^24:

- Every product and every partial sum of z, in whatever order an engine adds, lies within the
  bounds that the rules of legality prove (compiler/legality.py): |…| ≤ 2^23.
- The quotient z/Δ is rounded, yet it never reaches a whole number k in 1 … N from below. With
  z ≤ kΔ − 1 it is at most k·(1 − 1/(kΔ)), and kΔ ≤ (N + 1)·Δ ≤ 2^23; the distance 2^-23 relative to
  k is four half-spacings of float32. Rounding is monotone, so from above k stays reached. Beyond
  1 … N the clip decides alike.

Most convolutions are computed in bytes instead, about three times as fast: byte_convolution.py.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from snnc.backends.onnx.byte_convolution import MOST_LEVELS, ByteConvolution, byte_convolution
from snnc.compiler.spiking import (
    Convolution,
    Dense,
    Firing,
    Input,
    Population,
    Projection,
    SpikingNetwork,
    per_neuron,
)
from snnc.compiler.target import find_target

Numbers: TypeAlias = npt.NDArray[np.generic]

EXACT_BITS = 24
"""Signed width of the widest state that float32 carries without loss."""
BATCH = "images"
_FLOAT, _UINT8 = TensorProto.FLOAT, TensorProto.UINT8


def golden_model(network: SpikingNetwork, *, every_population: bool) -> onnx.ModelProto:
    """Build the graph of a legal network.

    Input, by its name: level numbers (images, *shape). Outputs, by their names: the levels of
    every firing population in order, if asked for, and last the read-out's potential v. All are
    whole numbers (images, *shape), as uint8 or float32: the graph says which.
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


class _Graph:
    """Nodes and constants in the order of computation; a node is known by the value it gives."""

    def __init__(self, source: Input) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.sources: dict[str, Input | Population] = {source.name: source}
        self.types: dict[str, int] = {
            source.name: _UINT8 if source.levels <= MOST_LEVELS else _FLOAT
        }

    def value(self, node: Input | Population) -> onnx.ValueInfoProto:
        """What is known of a value that enters or leaves."""
        return helper.make_tensor_value_info(node.name, self.types[node.name], [BATCH, *node.shape])

    def add_population(self, population: Population) -> None:
        """Add what gives a population's levels, or its potential."""
        source = population.projections[0].source
        constants = byte_convolution(population, self.sources[source])
        if constants is None:
            self.add_floats(population)
        else:
            self.add_bytes(population, constants)
        self.types[population.name] = _FLOAT if constants is None else _UINT8
        self.sources[population.name] = population

    def add_bytes(self, population: Population, constants: ByteConvolution) -> None:
        """One operator on bytes, and the ceiling N."""
        name, (projection,), neuron = population.name, population.projections, population.neuron
        assert isinstance(projection.connection, Convolution)
        assert isinstance(neuron, Firing)
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

    def add_floats(self, population: Population) -> None:
        """Sum what arrives; a firing neuron puts the sum on its staircase."""
        name, neuron = population.name, population.neuron
        total = self.sum(population)
        if isinstance(neuron, Firing):
            step = self.floats(f"{name}:step", per_neuron(neuron.step, population.shape))
            quotient = self.node("Div", total, step, output=f"{name}:quotient")
            floor = self.node("Floor", quotient, output=f"{name}:floor")
            lowest = self.floats(f"{name}:lowest", np.array(0))
            highest = self.floats(f"{name}:highest", np.array(neuron.levels))
            self.node("Clip", floor, lowest, highest, output=name)
        else:
            self.node("Identity", total, output=name)

    def sum(self, population: Population) -> str:
        """Add the projections; the first one takes the bias along where its operator can."""
        name, (first, *others) = population.name, population.projections
        bias = per_neuron(population.bias, population.shape)
        carried = isinstance(first.connection, Dense) or population.bias.ndim == 1
        terms = [self.projection(first, population, f"{name}:0", bias if carried else None)]
        for k, each in enumerate(others, start=1):
            terms.append(self.projection(each, population, f"{name}:{k}", None))
        if not carried:
            terms.append(self.floats(f"{name}:bias", bias))
        return self.node("Sum", *terms, output=f"{name}:sum") if len(terms) > 1 else terms[0]

    def projection(
        self, projection: Projection, population: Population, name: str, bias: Numbers | None
    ) -> str:
        """2^e · Σ w·n, and the bias if there is one, in the shape of the population."""
        connection = projection.connection
        inputs = [self.floats(f"{name}:weights", connection.weights << projection.exponent)]
        if isinstance(connection, Convolution):
            if bias is not None:
                inputs.append(self.floats(f"{name}:bias", bias.reshape(-1)))
            source = self.cast(projection.source, _FLOAT)
            return self.convolution("Conv", connection, source, *inputs, output=name)
        if bias is not None:
            whole = np.broadcast_to(bias, population.shape).reshape(-1)
            inputs.append(self.floats(f"{name}:bias", whole))
        flat = self.node("Flatten", self.cast(projection.source, _FLOAT), output=f"{name}:flat")
        gemm = self.node("Gemm", flat, *inputs, output=f"{name}:gemm", transB=1)
        shape = self.constant(f"{name}:shape", np.array((0, *population.shape), np.int64))
        return self.node("Reshape", gemm, shape, output=name)

    def cast(self, name: str, wanted: int) -> str:
        """The levels of a source in the type that an operator takes."""
        if self.types[name] == wanted:
            return name
        known = f"{name}:as {TensorProto.DataType.Name(wanted)}"
        if known not in self.types:
            self.types[known] = wanted
            self.node("Cast", name, output=known, to=wanted)
        return known

    def convolution(
        self, operator: str, convolution: Convolution, *inputs: str, output: str
    ) -> str:
        """ONNX and the spiking IR mean the same by a convolution."""
        return self.node(
            operator,
            *inputs,
            output=output,
            strides=convolution.strides,
            pads=convolution.pads,
            dilations=convolution.dilations,
            group=convolution.groups,
        )

    def node(
        self,
        operator: str,
        *inputs: str,
        output: str,
        **attributes: Any,  # noqa: ANN401
    ) -> str:
        """Add a node and name its value."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def floats(self, name: str, values: Numbers) -> str:
        """Add a constant of whole numbers that float32 holds exactly."""
        return self.constant(name, values.astype(np.float32))

    def constant(self, name: str, values: Numbers) -> str:
        """Add a constant and name it."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name
