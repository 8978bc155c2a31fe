"""What a compiled network is made of, as rows: one for each layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np

from snnc.backends.netx.stock import Obstacle, message_bits, obstacles_to_stock_netx
from snnc.compiler.inputs import Input, PlanesInput
from snnc.compiler.laws import Integers
from snnc.compiler.network import Network
from snnc.compiler.operators import Staircase
from snnc.compiler.rules.bounds import potential_bounds
from snnc.compiler.rules.timing import Timing, timing_of
from snnc.compiler.spiking import Convolution, Dense, Population, Projection, SpikingNetwork

Range: TypeAlias = tuple[int, int]
"""The least and the greatest."""


@dataclass(frozen=True)
class LayerRow:
    """One population as `snnc inspect` shows it."""

    name: str
    shape: tuple[int, ...]
    sources: tuple[str, ...]
    synapses: int
    """Connections between two neurons, each border counted as it is."""
    weights: Range
    weight_bits: int
    weight_errors: tuple[float, ...]
    """For each source what rounding changed of its weights, relative to them."""
    unchanged: bool
    """Whether nothing was rounded: whole numbers of the source, or a whole multiple of them."""
    step: Range | None
    """Δ, or θ of a rate neuron; None for the read-out and for copies."""
    threshold: Range | None
    """The first one: Δ·2^(bits − 1), θ of a rate neuron, the least and the greatest of copies."""
    bias: Range
    sums: Range
    """The worst case of the potential, Σ w·n + B where neurons accumulate, proved."""
    allowed: Range
    levels: int | None
    time_steps: int
    """Of the turn."""
    arrives: int
    """The time step in which the first spike of image 0 arrives."""
    fires: int
    """The time step in which image 0 is fired first."""


@dataclass(frozen=True)
class Inspection:
    """The layer table and the schedule."""

    network: SpikingNetwork
    rows: tuple[LayerRow, ...]
    timing: Timing
    obstacles: tuple[Obstacle, ...]
    """Why unmodified netx would not build the network; none if it would."""

    @property
    def netx_message_bits(self) -> int | None:
        """The `input_message_bits` that unmodified netx needs; None if it cannot run this."""
        return None if self.obstacles else message_bits(self.network)

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc inspect --json` prints."""
        network, provenance = self.network, self.network.provenance
        return {
            "target": network.target.name,
            "code": network.code,
            "source_sha256": provenance.source_sha256,
            "remarks": list(provenance.remarks),
            "input": _input_as_json(network.input),
            "schedule": {
                "name": network.schedule,
                "period": self.timing.period,
                "latency": self.timing.latency,
            },
            "unmodified_netx": {
                "runs": not self.obstacles,
                "input_message_bits": self.netx_message_bits,
                "obstacles": [asdict(each) for each in self.obstacles],
            },
            "layers": [asdict(row) for row in self.rows],
        }


def inspect_network(network: SpikingNetwork) -> Inspection:
    """Describe a network as it was read from its file."""
    timing = timing_of(network)
    rows = tuple(_row(network, population, timing) for population in network)
    return Inspection(network, rows, timing, obstacles_to_stock_netx(network))


def model_rows(network: Network) -> list[dict[str, Any]]:
    """A source model with its staircases recognised, node by node."""
    return [
        {
            "name": node.name,
            "operator": str(node.operator),
            "shape": list(node.shape),
            "sources": list(node.sources),
            "levels": node.operator.levels if isinstance(node.operator, Staircase) else None,
        }
        for node in network
    ]


def _row(network: SpikingNetwork, population: Population, timing: Timing) -> LayerRow:
    limits, slot, neuron = network.limits, timing.slots[population.name], population.neuron
    ranges = [_range(each.connection.weights) for each in population.projections]
    weights = min(low for low, _ in ranges), max(high for _, high in ranges)
    bounds = potential_bounds(population, network.nodes)
    return LayerRow(
        name=population.name,
        shape=population.shape,
        sources=tuple(dict.fromkeys(each.source for each in population.projections)),
        synapses=sum(_synapses(network, population, each) for each in population.projections),
        weights=weights,
        weight_bits=population.weight_bits,
        weight_errors=tuple({each.source: each.error for each in population.projections}.values()),
        unchanged=not any(each.error for each in population.projections),
        step=_known_range(neuron.step_of_level),
        threshold=_known_range(neuron.first_threshold),
        bias=_range(population.bias),
        sums=(int(bounds.low.min()), int(bounds.high.max())),
        allowed=(limits.state_min, limits.state_max),
        levels=neuron.levels or None,
        time_steps=neuron.turn,
        arrives=min(window.start for window in slot.windows),
        fires=slot.fire,
    )


def _input_as_json(pixels: Input) -> dict[str, Any]:
    """An input; it has the same keys however pixels are sent."""
    return {
        "name": pixels.name,
        "shape": list(pixels.shape),
        "levels": pixels.levels,
        "low": pixels.low,
        "step": pixels.step,
        "code": pixels.code,
        "mean": pixels.mean,
        "std": pixels.std,
        "repeats": pixels.turn if pixels.is_constant else 0,
        "planes": pixels.planes if isinstance(pixels, PlanesInput) else 0,
        "high": pixels.high,
    }


def _synapses(network: SpikingNetwork, population: Population, projection: Projection) -> int:
    """Pairs of neurons that a projection connects, each copy counted."""
    source, connection = network.nodes[projection.source], projection.connection
    copies = source.sends.copies * population.neuron.copies
    if isinstance(connection, Dense):
        return copies * int(connection.weights.size)
    return copies * _taps_inside(connection, source.shape, population.shape)


def _taps_inside(connection: Convolution, source: tuple[int, ...], target: tuple[int, ...]) -> int:
    """Pairs that a convolution connects; taps in the padding connect nothing."""
    pairs = int(np.prod(connection.weights.shape[:2]))
    for axis in (0, 1):
        taps = np.arange(connection.weights.shape[2 + axis]) * connection.dilations[axis]
        starts = np.arange(target[1 + axis]) * connection.strides[axis]
        positions = starts[:, None] + taps - connection.pads[axis]
        pairs *= int(np.count_nonzero((positions >= 0) & (positions < source[1 + axis])))
    return pairs


def _range(values: Integers) -> Range:
    return int(values.min()), int(values.max())


def _known_range(values: Integers | None) -> Range | None:
    return None if values is None else _range(values)
