"""The spiking IR: populations of integer neurons and the projections between them.

It says what the chip holds, nothing more. A netx file is this, written down; the Lava network and
the golden model are this, brought to life.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from typing import Literal, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from snnc.compiler.neurons import (
    BitSerial,
    Graded,
    Integers,
    Neuron,
    Readout,
    Thermometer,
    Train,
    bits_for,
    span_of,
)

Scalar = TypeVar("Scalar", bound=np.generic)
InputCode: TypeAlias = Literal["graded", "bits"]
Schedule: TypeAlias = Literal["pipelined", "sequential"]


@dataclass(frozen=True, eq=False)
class Convolution:
    """One kernel slides over the source: cross-correlation with zero padding, as in ONNX."""

    weights: Integers
    """(out channels, in channels / groups, height, width)."""
    strides: tuple[int, int] = (1, 1)
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Rows and columns of zeros: (top, left, bottom, right)."""
    dilations: tuple[int, int] = (1, 1)
    groups: int = 1

    def __str__(self) -> str:
        height, width = self.weights.shape[2:]
        extras = [f"groups {self.groups}"] * (self.groups > 1)
        extras += [f"dilation {_times(self.dilations)}"] * (self.dilations != (1, 1))
        pads = ",".join(map(str, self.pads))
        return " ".join(
            [f"conv {height}x{width} stride {_times(self.strides)} pads {pads}", *extras]
        )


@dataclass(frozen=True, eq=False)
class Dense:
    """Every neuron of the source, flattened in C, H, W order, meets every neuron."""

    weights: Integers
    """(neurons, source neurons)."""

    def __str__(self) -> str:
        return f"dense {_times(self.weights.shape[::-1])}"


Connection: TypeAlias = Convolution | Dense


@dataclass(frozen=True, eq=False)
class Projection:
    """The synapses from one source to one population; they deliver Σ w·n · 2^exponent."""

    source: str
    connection: Connection
    exponent: int = 0
    error: float = 0.0
    """What rounding changed of the sums, relative to them: on calibration data, or else for noise
    that is white. 0 where nothing was rounded."""

    def __str__(self) -> str:
        weights = self.connection.weights
        shift = f" << {self.exponent}" if self.exponent else ""
        return f"{self.source} {self.connection} w {weights.min()}..{weights.max()}{shift}"


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons that share their sources and their law."""

    name: str
    shape: tuple[int, ...]
    """(channels, height, width), or (neurons,)."""
    projections: tuple[Projection, ...]
    bias: Integers
    """B in membrane units: one for each channel (channels,), or one for each neuron (shape).

    A rate neuron adds it in every time step, any other once for each image.
    """
    neuron: Neuron

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    def __str__(self) -> str:
        sources = " + ".join(map(str, self.projections))
        return (
            f"{self.name} {_times(self.shape)} <- {sources}, B {span_of(self.bias)}, {self.neuron}"
        )


@dataclass(frozen=True, eq=False)
class Input:
    """The pixels: n = round((x − low)/step), 0 … levels, before any normalisation."""

    name: str
    shape: tuple[int, ...]
    levels: int
    low: float
    step: float
    """Real value of one level."""
    code: InputCode = "graded"
    mean: tuple[float, ...] = ()
    """The source model was given (x − mean)/std, for each channel or for all; () means x itself."""
    std: tuple[float, ...] = ()
    repeats: int = 0
    """Time steps in which a pixel is sent, as the constant current of a rate code; 0 for once."""
    planes: int = 0
    """Bits of a pixel that are neurons of their own, all sent at once, the highest first in each
    channel; 0 for none. Then `levels` is 1, and `shape` counts the bits as channels."""

    @property
    def pixel_shape(self) -> tuple[int, ...]:
        """The shape of an image."""
        return (self.shape[0] // max(1, self.planes), *self.shape[1:])

    @property
    def pixel_levels(self) -> int:
        """The highest level of a pixel."""
        return (1 << self.planes) - 1 if self.planes else self.levels

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @property
    def high(self) -> float:
        """The real value of the highest level."""
        return self.low + self.step * self.pixel_levels

    @property
    def time_steps(self) -> int:
        """One graded spike, or one time step for each bit, or the steps of a constant current."""
        return self.repeats or (bits_for(self.levels) if self.train == "bits" else 1)

    @property
    def train(self) -> Train:
        """What its spikes count."""
        if self.repeats:
            return "spikes"
        return "once" if self.code == "graded" or self.planes else "bits"

    def __str__(self) -> str:
        span = f"{self.low:g}..{self.high:g} in {self.pixel_levels} levels"
        times = f" {self.repeats} times" if self.repeats else " at once" if self.planes else ""
        return f"{self.name} {_times(self.shape)} input {span}, {self.code}{times}"


@dataclass(frozen=True)
class Provenance:
    """Where a network came from; carried along, never computed with."""

    target: str = "loihi"
    code: str = "bit-serial"
    source_sha256: str = ""
    labels: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """One input and its populations, every source before its consumers, the read-out last."""

    input: Input
    populations: tuple[Population, ...]
    schedule: Schedule = "pipelined"
    provenance: Provenance = Provenance()

    @property
    def readout(self) -> Population:
        """The population that shows its potential."""
        return self.populations[-1]

    @property
    def nodes(self) -> Mapping[str, Input | Population]:
        """The input and the populations by name."""
        return {self.input.name: self.input, **{each.name: each for each in self.populations}}

    def replaced(self, populations: tuple[Population, ...]) -> SpikingNetwork:
        """The same network with other populations."""
        return replace(self, populations=populations)

    def __iter__(self) -> Iterator[Population]:
        return iter(self.populations)

    def __str__(self) -> str:
        return "\n".join(map(str, (self.input, *self.populations)))


def levels_of(node: Input | Population) -> int:
    """The highest number that a source sends; 0 for a read-out, which sends none."""
    source = node if isinstance(node, Input) else node.neuron
    return 0 if isinstance(source, Readout) else source.levels


def train_of(node: Input | Population) -> Train:
    """What the spikes of a source count."""
    source = node if isinstance(node, Input) else node.neuron
    return "once" if isinstance(source, Readout) else source.train


def as_staircase(population: Population) -> Population | None:
    """The population as one of bit-serial neurons that send the same numbers; None if none do.

    Copies whose thresholds rise by equal steps are a staircase too.
    """
    neuron = population.neuron
    if isinstance(neuron, Graded):
        return replace(population, neuron=BitSerial(neuron.step, neuron.levels))
    if not isinstance(neuron, Thermometer):
        return population if isinstance(neuron, BitSerial) else None
    first, rises = neuron.thresholds[0], np.diff(neuron.thresholds, axis=0)
    step = rises[0] if len(rises) else np.ones_like(first)
    by_channel = step.reshape(len(step), -1)
    if np.any(rises != step) or np.any(by_channel != by_channel[:, :1]) or np.any(step < 1):
        return None
    start = per_neuron(first, population.shape) if population.bias.ndim > 1 else first
    bias = population.bias if first.ndim == 1 else per_neuron(population.bias, population.shape)
    shift = per_neuron(by_channel[:, 0], start.shape) - start - 1
    return replace(population, bias=bias + shift, neuron=BitSerial(by_channel[:, 0], neuron.levels))


def copies_of(node: Input | Population) -> int:
    """The number of stock neurons that stand for each neuron of a node."""
    if isinstance(node, Population) and isinstance(node.neuron, Thermometer):
        return node.neuron.levels
    return 1


def is_stock(network: SpikingNetwork) -> bool:
    """Whether the neurons are stock CUBA neurons."""
    return any(isinstance(each.neuron, Thermometer) for each in network)


def per_neuron(values: npt.NDArray[Scalar], shape: tuple[int, ...]) -> npt.NDArray[Scalar]:
    """View values given for each channel, or for each neuron, so that they broadcast over shape."""
    if values.shape == shape:
        return values
    return values.reshape(values.shape + (1,) * (len(shape) - 1))


def planar(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Populations live on planes: (channels, length) becomes (channels, 1, length)."""
    return (shape[0], 1, shape[1]) if len(shape) == 2 else shape


def _times(numbers: tuple[int, ...]) -> str:
    return "x".join(map(str, numbers))
