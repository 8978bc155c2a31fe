"""The golden model: the integer network as an ONNX graph of levels instead of spikes.

A population is z = Σ_k 2^e_k Σ w·n_k + B, then n = clip(⌊z/Δ⌋, 0, N), computed in float32 and still
exact, because a float32 holds every whole number up to 2^24:

- Every product and every partial sum of z, in whatever order an engine adds, lies within the
  bounds that the rules of legality prove (compiler/legality.py): |…| ≤ 2^23.
- The quotient z/Δ is rounded, yet it never reaches a whole number k in 1 … N from below. With
  z ≤ kΔ − 1 it is at most k·(1 − 1/(kΔ)), and kΔ ≤ (N + 1)·Δ ≤ 2^23; the distance 2^-23 relative to
  k is four half-spacings of float32. Rounding is monotone, so from above k stays reached. Beyond
  1 … N the clip decides alike.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from snnc.compiler.spiking import (
    Convolution,
    Dense,
    Firing,
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


def golden_model(network: SpikingNetwork, *, every_population: bool) -> onnx.ModelProto:
    """Build the graph of a legal network.

    Input, by its name: level numbers as float32 (images, *shape). Outputs, by their names: the
    levels of every firing population in order, if asked for, and last the read-out's potential v,
    whole numbers as float32 (images, *shape).
    """
    assert find_target(network.provenance.target).state_bits <= EXACT_BITS
    graph = _Graph()
    for population in network:
        graph.add_population(population)
    shown = network.populations if every_population else (network.readout,)
    proto = helper.make_graph(
        graph.nodes,
        "golden",
        [_value(network.input.name, network.input.shape)],
        [_value(each.name, each.shape) for each in shown],
        graph.initializers,
    )
    opset = helper.make_opsetid("", 17)
    return helper.make_model(proto, opset_imports=[opset], ir_version=8, producer_name="snnc")


def _value(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, *shape])


class _Graph:
    """Nodes and constants in the order of computation; a node is known by the value it gives."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def add_population(self, population: Population) -> None:
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
            return self.convolution(connection, projection.source, *inputs, output=name)
        if bias is not None:
            whole = np.broadcast_to(bias, population.shape).reshape(-1)
            inputs.append(self.floats(f"{name}:bias", whole))
        flat = self.node("Flatten", projection.source, output=f"{name}:flat")
        gemm = self.node("Gemm", flat, *inputs, output=f"{name}:gemm", transB=1)
        shape = self.constant(f"{name}:shape", np.array((0, *population.shape), np.int64))
        return self.node("Reshape", gemm, shape, output=name)

    def convolution(self, convolution: Convolution, *inputs: str, output: str) -> str:
        """ONNX and the spiking IR mean the same by a convolution."""
        return self.node(
            "Conv",
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
