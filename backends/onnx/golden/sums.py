"""The sums of the golden model: what the projections of a population deliver.

Each projection takes the cheapest way that is exact: a shortcut multiplies planes, a convolution of
bytes adds in 32 bits, a matrix that weighs a plane alike reads the plane's sum, and what remains is
computed in floats. The sum of all is one of floats, which hold every partial sum (model.py).
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from snnc.backends.onnx.blocks import in_blocks, pooled_weights
from snnc.backends.onnx.byte_sums import BYTE
from snnc.backends.onnx.golden.byte_convolution import byte_sum
from snnc.backends.onnx.graph import BATCH, Graph, Numbers
from snnc.compiler.laws import Integers
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
PLACES = (2, 3)
"""The axes of height and width."""


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
        """Add the projections; one takes the bias along where its operator can."""
        factors, others = self._taken_apart(population)
        terms = [self._times(*each, population) for each in factors.items()]
        bias: Numbers | None = per_neuron(population.bias, population.shape)
        for each in others:
            term = None
            if self._sends_numbers(each.source, population):
                term = self._sum_of_bytes(each, each.source, population)
            if term is None:
                takes = isinstance(each.connection, Dense) or population.bias.ndim == 1
                added = bias if takes else None
                numbers = self.counts(each.source, population)
                term = self.projection(each, numbers, population, added)
                bias = None if takes else bias
            terms.append(term)
        if bias is not None:
            terms.append(self.floats(bias))
        return self.add("Sum", *terms) if len(terms) > 1 else terms[0]

    def _taken_apart(self, population: Population) -> tuple[dict[str, Integers], list[Projection]]:
        """What each source is multiplied by, where that is all, and the other projections.

        A shortcut of wide weights is two projections of the same source.
        """
        factors, others = dict[str, Integers](), list[Projection]()
        for each in population.projections:
            found = factors_of(each, population.shape[0])
            if found is None or not self._sends_numbers(each.source, population):
                others.append(each)
            else:
                factors[each.source] = factors.get(each.source, 0) + found
        return factors, others

    def _times(self, source: str, factors: Integers, population: Population) -> str:
        """A source whose planes are multiplied by whole numbers."""
        numbers = self.cast(source, FLOAT)
        if np.all(factors == 1):
            return numbers
        return self.add("Mul", numbers, self.spread(factors, population))

    def _sum_of_bytes(
        self, projection: Projection, numbers: str, population: Population
    ) -> str | None:
        """2^e · Σ w·n in floats, computed in bytes; None where that cannot be."""
        source = projection.source
        if self.types[source] != UINT8:
            return None
        found = byte_sum(projection, self.nodes[source], population.shape)
        if found is None:
            return None
        *sums, last = found.stages
        for each in sums:
            numbers = self.sums_of_bytes(each, numbers)
        weights, zero = map(self.constant, found.weights), self.constant(0, np.uint8)
        if found.middle is None:
            total = self.convolution("ConvInteger", last, numbers, next(weights), zero, *weights)
            total = self.add("Cast", total, to=FLOAT)
        else:
            one, middle = self.floats(np.array(1)), self.constant(found.middle, np.uint8)
            inputs = numbers, one, zero, next(weights), one, *weights, one, middle
            total = self.convolution("QLinearConv", last, *inputs)
            total = self.add("Cast", total, to=FLOAT)
            total = self.add("Sub", total, self.floats(np.array(found.middle)))
        if projection.exponent == 0:
            return total
        return self.add("Mul", total, self.floats(np.array(1 << projection.exponent)))

    def _sends_numbers(self, source: str, population: Population) -> bool:
        """Whether a source sends one number that counts once."""
        return self.nodes[source].sends.train != "spikes" and not population.neuron.integrates

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
        weights = connection.weights << projection.exponent
        node = self.nodes[projection.source]
        if (pooled := pooled_weights(weights, node.shape, node.sends.levels)) is not None:
            numbers = self.add("ReduceSum", numbers, self.whole(PLACES), keepdims=0)
            weights = pooled
        inputs = [self.floats(weights)]
        if bias is not None:
            inputs.append(self.floats(np.broadcast_to(bias, population.shape).reshape(-1)))
        gemm = self.add("Gemm", self.add("Flatten", numbers), *inputs, transB=1)
        return self.add("Reshape", gemm, self.whole((0, *population.shape)))

    def currents(self, projection: Projection, population: Population, steps: int) -> str:
        """What arrives in each time step: (steps, images, *shape), or (1, …) of a constant."""
        source, numbers = self.nodes[projection.source], projection.source
        if source.sends.is_constant:
            steps = 1
        else:
            numbers = self.add("Reshape", numbers, self.whole((-1, *source.shape)))
        sums = self._sum_of_bytes(projection, numbers, population)
        if sums is None:
            if self.types[source.name] != FLOAT:
                numbers = self.add("Cast", numbers, to=FLOAT)
            sums = self.projection(projection, numbers, population, None)
        return self.add("Reshape", sums, self.whole((steps, -1, *population.shape)))


def factors_of(projection: Projection, channels: int) -> Integers | None:
    """What each channel is multiplied by, where that is all that a projection does."""
    connection = projection.connection
    if not isinstance(connection, Convolution) or any(connection.pads):
        return None
    alike = connection.weights.shape == (channels, 1, 1, 1) and connection.groups == channels
    if not alike or connection.strides != (1, 1):
        return None
    return connection.weights.reshape(-1).astype(np.int64) << projection.exponent
