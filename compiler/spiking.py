"""The spiking IR: populations of integer neurons and the projections between them.

It says what the chip holds, nothing more. A netx file is this, written down; the Lava network and
the golden model are this, brought to life.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Literal, TypeAlias

from snnc.compiler.inputs import Input
from snnc.compiler.laws import Firing, Integers, Neuron, Readout
from snnc.compiler.laws.base import span_of
from snnc.compiler.operators.base import windows_along
from snnc.compiler.target import LOIHI, STOCK, Target

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

    def places(self, source: tuple[int, ...]) -> tuple[int, ...]:
        """Height and width of what it gives, for a source of shape (channels, height, width)."""
        kernel = self.weights.shape[2:]
        return windows_along(source[1:], self.pads, kernel, self.strides, self.dilations)

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

    A neuron that integrates and fires adds it in every time step, any other once for each image.
    """
    neuron: Neuron
    is_relay: bool = False
    """Whether it only sends on what it receives, later."""

    @property
    def sends(self) -> Neuron:
        """What answers for it as a source."""
        return self.neuron

    @property
    def size(self) -> int:
        """Number of neurons."""
        return prod(self.shape)

    @property
    def weight_bits(self) -> int:
        """The bits that hold every weight, the sign included where signs mix."""
        low = min(int(each.connection.weights.min()) for each in self.projections)
        high = max(int(each.connection.weights.max()) for each in self.projections)
        return max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + (low < 0 < high)

    def __str__(self) -> str:
        sources = " + ".join(map(str, self.projections))
        return (
            f"{self.name} {_times(self.shape)} <- {sources}, B {span_of(self.bias)}, {self.neuron}"
        )


Node: TypeAlias = Input | Population
"""What sends to populations."""


@dataclass(frozen=True)
class Placement:
    """Onto which cores a network goes, as a file says it; see `snnc.compiler.mapping`."""

    cuts: tuple[tuple[int, int, int], ...]
    """Into how many pieces the input, and then each population, is cut along channels, rows and
    columns; each piece has a core of its own."""
    chips: tuple[int, ...]
    """The number of the first core of each chip."""
    state_words: int
    """Those that a neuron with a program of its own was taken to need."""


@dataclass(frozen=True)
class Provenance:
    """Where a network came from: carried along, nothing depends on it."""

    source_sha256: str = ""
    labels: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    serves: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What populations are made for that are no layers of the source model, by their names; files
    do not say it."""


@dataclass(frozen=True, eq=False)
class SpikingNetwork:
    """One input and its populations, every source before its consumers, the read-out last."""

    input: Input
    populations: tuple[Population, ...]
    schedule: Schedule = "pipelined"
    target: Target = LOIHI
    code: str = "bit-serial"
    """The name of the code that it was compiled to, see `snnc.compiler.codes`."""
    provenance: Provenance = Provenance()
    placement: Placement | None = None
    """On the cores of its target; None where nobody asked."""

    @property
    def readout(self) -> Population:
        """The population that shows its potential."""
        return self.populations[-1]

    @property
    def nodes(self) -> Mapping[str, Node]:
        """The input and the populations by name."""
        return {self.input.name: self.input, **{each.name: each for each in self.populations}}

    @property
    def firing(self) -> Mapping[str, Firing]:
        """The laws of the populations that send spikes, by their names."""
        laws = {each.name: each.neuron for each in self.populations}
        return {name: law for name, law in laws.items() if not isinstance(law, Readout)}

    @property
    def is_stock(self) -> bool:
        """Whether the neurons are stock CUBA neurons."""
        return any(each.neuron.circuit == "stock" for each in self.populations)

    @property
    def limits(self) -> Target:
        """What holds its states and weights: those of the chip, or of its stock neurons."""
        return STOCK if self.is_stock else self.target

    def remarked(self, remark: str) -> SpikingNetwork:
        """The same network with one more thing to say about it."""
        remarks = (*self.provenance.remarks, remark)
        return replace(self, provenance=replace(self.provenance, remarks=remarks))

    def replaced(self, populations: tuple[Population, ...]) -> SpikingNetwork:
        """The same network with other populations."""
        return replace(self, populations=populations)

    def __iter__(self) -> Iterator[Population]:
        return iter(self.populations)

    def __str__(self) -> str:
        return "\n".join(map(str, (self.input, *self.populations)))


def planar(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Populations live on planes: (channels, length) becomes (channels, 1, length)."""
    return (shape[0], 1, shape[1]) if len(shape) == 2 else shape


def _times(numbers: tuple[int, ...]) -> str:
    return "x".join(map(str, numbers))
