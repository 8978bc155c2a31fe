"""The sums of the golden model: what the projections of a population deliver."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from snnc.backends.onnx.blocks import in_blocks
from snnc.backends.onnx.byte_sums import BYTE
from snnc.backends.onnx.graph import BATCH, Graph, Numbers
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.spiking import (
    Convolution,
    Dense,
    Node,
    Population,
    Projection,
    SpikingNetwork,
)

FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8


class GoldenGraph(Graph):
    """A graph that knows the nodes of its network, and in which type each sends its numbers."""

    def __init__(self, network: SpikingNetwork) -> None:
        self.nodes: dict[str, Node] = dict(network.nodes)
        super().__init__(self.nodes)
        source = network.input
        self.types = {source.name: UINT8 if source.levels <= BYTE else FLOAT}

    def value(self, node: Node) -> onnx.ValueInfoProto:
        """What is known of a value that enters or leaves."""
        shape: list[int | str | None] = [BATCH, *node.shape]
        if isinstance(node, Population) and node.neuron.integrates:
            shape = [node.neuron.levels, *shape]
        return helper.make_tensor_value_info(node.name, self.types[node.name], shape)

    def cast(self, name: str, wanted: int) -> str:
        """The numbers of a source in the type that an operator takes."""
        if self.types[name] == wanted:
            return name
        return self.add("Cast", name, to=wanted)

    def floats(self, values: Numbers) -> str:
        """Append a constant of whole numbers that float32 holds exactly."""
        return self.constant(values, np.float32)

    def spread(self, values: Numbers, population: Population) -> str:
        """Append numbers for each channel or neuron, so that they broadcast over a population."""
        return self.floats(per_neuron(values, population.shape))

    def first_steps(self, train: str, steps: int) -> str:
        """The beginning of what has time as its first axis."""
        first, last, axes = (self.whole([n]) for n in (0, steps, 0))
        return self.add("Slice", train, first, last, axes)

    def sum(self, population: Population) -> str:
        """Add the projections; the first one takes the bias along where its operator can."""
        first, *others = population.projections
        bias = per_neuron(population.bias, population.shape)
        carried = isinstance(first.connection, Dense) or population.bias.ndim == 1
        terms = []
        for k, each in enumerate((first, *others)):
            added = bias if carried and k == 0 else None
            terms.append(
                self.projection(each, self.counts(each.source, population), population, added)
            )
        if not carried:
            terms.append(self.floats(bias))
        return self.add("Sum", *terms) if len(terms) > 1 else terms[0]

    def counts(self, source: str, population: Population) -> str:
        """The numbers of a source in floats; of a train the spikes that a read-out counts."""
        law, steps = self.nodes[source].sends, population.neuron.summed_steps
        if law.train != "spikes" or population.neuron.integrates:
            return self.cast(source, FLOAT)
        if law.is_constant:
            return self.add("Mul", self.cast(source, FLOAT), self.floats(np.array(steps)))
        spikes = self.add("Cast", self.first_steps(source, steps), to=FLOAT)
        return self.add("ReduceSum", spikes, self.whole([0]), keepdims=0)

    def projection(
        self, projection: Projection, numbers: str, population: Population, bias: Numbers | None
    ) -> str:
        """2^e · Σ w·n of floats, and the bias if there is one, in the shape of the population."""
        connection = projection.connection
        if isinstance(connection, Convolution):
            source = self.nodes[projection.source].shape
            *sums, last = in_blocks(connection, source, population.shape)
            for each in sums:
                numbers = self.convolution("Conv", each, numbers, self.floats(each.weights))
            inputs = [self.floats(last.weights << projection.exponent)]
            if bias is not None:
                inputs.append(self.floats(bias.reshape(-1)))
            return self.convolution("Conv", last, numbers, *inputs)
        inputs = [self.floats(connection.weights << projection.exponent)]
        if bias is not None:
            inputs.append(self.floats(np.broadcast_to(bias, population.shape).reshape(-1)))
        gemm = self.add("Gemm", self.add("Flatten", numbers), *inputs, transB=1)
        return self.add("Reshape", gemm, self.whole((0, *population.shape)))

    def currents(self, projection: Projection, population: Population, steps: int) -> str:
        """What arrives in each time step: (steps, images, *shape), or (1, …) of a constant."""
        source = self.nodes[projection.source]
        numbers = self.cast(projection.source, FLOAT)
        if source.sends.is_constant:
            steps = 1
        else:
            numbers = self.add("Reshape", numbers, self.whole((-1, *source.shape)))
        sums = self.projection(projection, numbers, population, None)
        return self.add("Reshape", sums, self.whole((steps, -1, *population.shape)))
