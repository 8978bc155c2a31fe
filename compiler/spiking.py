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

Integers: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)
InputCode: TypeAlias = Literal["graded", "bits"]
Schedule: TypeAlias = Literal["pipelined", "sequential"]


def bits_for(levels: int) -> int:
    """Bits, and so time steps, that the numbers 0 … levels need: ⌈log2(levels + 1)⌉."""
    return max(1, int(levels).bit_length())


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
class Firing:
    """A bit-serial neuron: n = clip(⌊(Σ w·n + B)/Δ⌋, 0, N), sent as bits, the highest first."""

    step: Integers
    """Δ for each channel (the first axis of the shape), whole and at least 1."""
    levels: int
    """N, the highest level."""
    lead: int = 0
    """Fire steps before the highest bit, always silent: they let unequal sources end together."""

    @property
    def time_steps(self) -> int:
        """T, the number of fire steps."""
        return bits_for(self.levels) + self.lead

    def __str__(self) -> str:
        step = _span(self.step)
        return f"fires {self.levels} levels in {self.time_steps} steps, threshold {step}"


@dataclass(frozen=True, eq=False)
class Readout:
    """A neuron without an activation: it shows v = Σ w·n + B once, worth unit·v."""

    unit: Floats
    """Real value of one unit of v, for each channel."""

    @property
    def time_steps(self) -> int:
        """One: the potential leaves as a single graded spike."""
        return 1

    def __str__(self) -> str:
        return f"read out, unit {self.unit.min():.4g}..{self.unit.max():.4g}"


Neuron: TypeAlias = Firing | Readout


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons that share their sources and their law."""

    name: str
    shape: tuple[int, ...]
    """(channels, height, width), or (neurons,)."""
    projections: tuple[Projection, ...]
    bias: Integers
    """B in membrane units: one for each channel (channels,), or one for each neuron (shape)."""
    neuron: Neuron

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    def __str__(self) -> str:
        sources = " + ".join(map(str, self.projections))
        return f"{self.name} {_times(self.shape)} <- {sources}, B {_span(self.bias)}, {self.neuron}"


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

    @property
    def size(self) -> int:
        """Number of pixels."""
        return prod(self.shape)

    @property
    def high(self) -> float:
        """The real value of the highest level."""
        return self.low + self.step * self.levels

    @property
    def time_steps(self) -> int:
        """One graded spike, or one time step for each bit."""
        return 1 if self.code == "graded" else bits_for(self.levels)

    def __str__(self) -> str:
        span = f"{self.low:g}..{self.high:g} in {self.levels} levels"
        return f"{self.name} {_times(self.shape)} input {span}, {self.code}"


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
    """The highest level that a source sends; 0 for a read-out, which sends none."""
    if isinstance(node, Input):
        return node.levels
    return node.neuron.levels if isinstance(node.neuron, Firing) else 0


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


def _span(values: Integers) -> str:
    low, high = values.min(), values.max()
    return f"{low}" if low == high else f"{low}..{high}"
