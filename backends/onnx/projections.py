"""The sums of the golden model: what the projections of a population deliver."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from snnc.backends.onnx.builder import Builder, Numbers
from snnc.backends.onnx.byte_convolution import MOST_LEVELS
from snnc.compiler.bounds import is_constant
from snnc.compiler.neurons import Readout
from snnc.compiler.spiking import (
    Convolution,
    Dense,
    Input,
    Population,
    Projection,
    per_neuron,
)

_FLOAT, _UINT8 = TensorProto.FLOAT, TensorProto.UINT8


class Projections(Builder):
    """A graph that knows its nodes, and what they send."""

    def __init__(self, source: Input) -> None:
        super().__init__()
        self.sources: dict[str, Input | Population] = {source.name: source}
        self.types[source.name] = _UINT8 if source.levels <= MOST_LEVELS else _FLOAT

    def sum(self, population: Population) -> str:
        """Add the projections; the first one takes the bias along where its operator can."""
        name, (first, *others) = population.name, population.projections
        bias = per_neuron(population.bias, population.shape)
        carried = isinstance(first.connection, Dense) or population.bias.ndim == 1
        terms = []
        for k, each in enumerate((first, *others)):
            source = self.counts(each.source, population)
            added = bias if carried and k == 0 else None
            terms.append(self.projection(each, source, population, f"{name}:{k}", added))
        if not carried:
            terms.append(self.floats(f"{name}:bias", bias))
        return self.node("Sum", *terms, output=f"{name}:sum") if len(terms) > 1 else terms[0]

    def counts(self, source: str, population: Population) -> str:
        """The numbers of a source; of a train the spikes that a read-out counts."""
        neuron = population.neuron
        if not isinstance(neuron, Readout) or not neuron.listens:
            return source
        name = f"{source}:{population.name}"
        if is_constant(self.sources[source]):
            times = self.floats(f"{name}:times", np.array(neuron.listens))
            counted = self.node("Mul", self.cast(source, _FLOAT), times, output=name)
        else:
            train = self.first_steps(source, neuron.listens, f"{name}:train")
            self.types[train] = _UINT8
            axis = self.constant(f"{name}:axis", np.array([0]))
            spikes = self.cast(train, _FLOAT)
            counted = self.node("ReduceSum", spikes, axis, output=name, keepdims=0)
        self.types[counted] = _FLOAT
        return counted

    def projection(
        self,
        projection: Projection,
        source: str,
        population: Population,
        name: str,
        bias: Numbers | None,
    ) -> str:
        """2^e · Σ w·n, and the bias if there is one, in the shape of the population."""
        connection = projection.connection
        inputs = [self.floats(f"{name}:weights", connection.weights << projection.exponent)]
        if isinstance(connection, Convolution):
            if bias is not None:
                inputs.append(self.floats(f"{name}:bias", bias.reshape(-1)))
            numbers = self.cast(source, _FLOAT)
            return self.convolution("Conv", connection, numbers, *inputs, output=name)
        if bias is not None:
            whole = np.broadcast_to(bias, population.shape).reshape(-1)
            inputs.append(self.floats(f"{name}:bias", whole))
        flat = self.node("Flatten", self.cast(source, _FLOAT), output=f"{name}:flat")
        gemm = self.node("Gemm", flat, *inputs, output=f"{name}:gemm", transB=1)
        shape = self.constant(f"{name}:shape", np.array((0, *population.shape), np.int64))
        return self.node("Reshape", gemm, shape, output=name)

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

    def currents(
        self, projection: Projection, population: Population, steps: int, name: str
    ) -> str:
        """What arrives in each time step: (steps, images, *shape), or (1, …) of a constant."""
        source = self.sources[projection.source]
        flat = projection.source
        if not is_constant(source):
            shape = self.constant(f"{name}:merged", np.array((-1, *source.shape)))
            flat = self.node("Reshape", flat, shape, output=f"{name}:source")
            self.types[flat] = _UINT8
        else:
            steps = 1
        sums = self.projection(projection, flat, population, f"{name}:sums", None)
        parted = self.constant(f"{name}:parted", np.array((steps, -1, *population.shape)))
        return self.node("Reshape", sums, parted, output=name)
