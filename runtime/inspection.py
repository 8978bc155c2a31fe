"""What a compiled network is made of, as rows: one for each layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from snnc.compiler.bounds import potential_bounds
from snnc.compiler.network import Network
from snnc.compiler.neurons import (
    BitSerial,
    Firing,
    Graded,
    Integers,
    Neuron,
    Readout,
    Thermometer,
    bits_for,
)
from snnc.compiler.operators import Staircase
from snnc.compiler.spiking import Dense, Population, Projection, SpikingNetwork, copies_of, is_stock
from snnc.compiler.target import STOCK, find_target
from snnc.compiler.timing import Timing, timing_of


@dataclass(frozen=True)
class LayerRow:
    """One population as `snnc inspect` shows it; ranges are (least, greatest)."""

    name: str
    shape: tuple[int, ...]
    sources: tuple[str, ...]
    synapses: int
    """Connections between two neurons, each border counted as it is."""
    weights: tuple[int, int]
    weight_bits: int
    weight_errors: tuple[float, ...]
    """For each source what rounding changed of its weights, relative to them."""
    step: tuple[int, int] | None
    """Δ, or θ of a rate neuron; None for the read-out and for copies."""
    threshold: tuple[int, int] | None
    """The first one: Δ·2^(bits − 1), θ of a rate neuron, the least and the greatest of copies."""
    bias: tuple[int, int]
    sums: tuple[int, int]
    """The worst case of the potential, Σ w·n + B where neurons accumulate, proved."""
    allowed: tuple[int, int]
    levels: int | None
    time_steps: int
    arrives: int
    """The time step in which the first bit of image 0 arrives."""
    fires: int
    """The time step in which image 0 is fired first."""


@dataclass(frozen=True)
class Inspection:
    """The layer table and the schedule."""

    network: SpikingNetwork
    rows: tuple[LayerRow, ...]
    timing: Timing

    def as_json(self) -> dict[str, Any]:
        """The one object that `snnc inspect --json` prints."""
        node, provenance = self.network.input, self.network.provenance
        return {
            "target": provenance.target,
            "code": provenance.code,
            "source_sha256": provenance.source_sha256,
            "remarks": list(provenance.remarks),
            "input": {**asdict(node), "shape": list(node.shape), "high": node.high},
            "schedule": {
                "name": self.network.schedule,
                "period": self.timing.period,
                "latency": self.timing.latency,
            },
            "layers": [asdict(row) for row in self.rows],
        }


def inspect_network(network: SpikingNetwork) -> Inspection:
    """Describe a network as it was read from its file."""
    timing = timing_of(network)
    rows = tuple(_row(network, population, timing) for population in network)
    return Inspection(network, rows, timing)


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
    limits = STOCK if is_stock(network) else find_target(network.provenance.target)
    slot, neuron = timing.slots[population.name], population.neuron
    weights = [each.connection.weights for each in population.projections]
    span = min(int(w.min()) for w in weights), max(int(w.max()) for w in weights)
    step, threshold = _thresholds(neuron)
    bounds = potential_bounds(population, network.nodes)
    return LayerRow(
        name=population.name,
        shape=population.shape,
        sources=tuple(dict.fromkeys(each.source for each in population.projections)),
        synapses=sum(_synapses(network, population, each) for each in population.projections),
        weights=span,
        weight_bits=_bits(*span),
        weight_errors=tuple({each.source: each.error for each in population.projections}.values()),
        step=step,
        threshold=threshold,
        bias=_span(population.bias),
        sums=(int(bounds.low.min()), int(bounds.high.max())),
        allowed=(limits.state_min, limits.state_max),
        levels=neuron.levels if isinstance(neuron, Firing) else None,
        time_steps=neuron.time_steps,
        arrives=min(window.start for window in slot.windows),
        fires=slot.fire,
    )


def _thresholds(neuron: Neuron) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """What one level takes, and the threshold that v meets first; of copies the least and most."""
    if isinstance(neuron, Readout):
        return None, None
    if isinstance(neuron, Thermometer):
        return None, _span(neuron.thresholds)
    step = _span(neuron.step)
    top = 1 << (bits_for(neuron.levels) - 1) if isinstance(neuron, BitSerial | Graded) else 1
    return step, (step[0] * top, step[1] * top)


def _synapses(network: SpikingNetwork, population: Population, projection: Projection) -> int:
    """Pairs of neurons that a projection connects; taps in the padding connect nothing."""
    connection, node = projection.connection, network.nodes[projection.source]
    copies = copies_of(node) * copies_of(population)
    if isinstance(connection, Dense):
        return copies * int(connection.weights.size)
    source, inside = node.shape, copies
    for axis in (0, 1):
        taps = np.arange(connection.weights.shape[2 + axis]) * connection.dilations[axis]
        starts = np.arange(population.shape[1 + axis]) * connection.strides[axis]
        positions = starts[:, None] + taps - connection.pads[axis]
        inside *= int(np.count_nonzero((positions >= 0) & (positions < source[1 + axis])))
    return inside * int(np.prod(connection.weights.shape[:2]))


def _bits(low: int, high: int) -> int:
    """The bits that hold every number from low to high, the sign included where there is one."""
    return max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0) + (low < 0 < high)


def _span(values: Integers) -> tuple[int, int]:
    return int(values.min()), int(values.max())
