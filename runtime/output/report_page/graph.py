"""The network as a column of boxes, one a population, and arcs beside it for all that skips one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from snnc.compiler.laws import Readout
from snnc.compiler.operators import times
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.studies.report import Report

LEFT, WIDTH, BOX, PITCH = 6, 268, 36, 50
LANE, LANES = 14, 6
"""Between two arcs, and how many stand beside each other."""
MOST_SIGNS = 36
"""Of a name in a box; a tooltip has all of it."""


@dataclass(frozen=True)
class Node:
    """A box."""

    kind: Literal["input", "layer", "relay", "readout"]
    y: int
    name: str
    full: str
    facts: str
    tooltip: str


@dataclass(frozen=True)
class Edge:
    """An arrow from one box to another."""

    path: str
    tooltip: str


@dataclass(frozen=True)
class Drawing:
    """All of it, in units of a viewBox."""

    width: int
    height: int
    left: int
    box_width: int
    box_height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(report: Report) -> Drawing:
    """The input on top, and every population below its sources."""
    network = report.inspection.network
    rows = {name: index for index, name in enumerate(network.nodes)}
    edges, lanes = [], _Lanes()
    for population in network:
        below = rows[population.name]
        for each in dict.fromkeys(p.source for p in population.projections):
            above = rows[each]
            path = _straight(above) if below == above + 1 else _arc(above, below, lanes)
            edges.append(Edge(path, f"{each} to {population.name}"))
    nodes = (_input(network), *_layers(report))
    width = LEFT + WIDTH + 8 + LANE * (min(lanes.count, LANES) + 1)
    return Drawing(width, PITCH * len(nodes), LEFT, WIDTH, BOX, nodes, tuple(edges))


def _input(network: SpikingNetwork) -> Node:
    source = network.input
    facts = f"{times(source.shape)} · levels 0…{source.levels}, {source.code}"
    return Node("input", 0, shortened(source.name), source.name, facts, str(source))


def _layers(report: Report) -> list[Node]:
    found = []
    for index, (population, row) in enumerate(
        zip(report.inspection.network, report.inspection.rows, strict=True)
    ):
        error = max(row.weight_errors)
        facts = [times(row.shape), f"{row.weight_bits} bits"]
        facts += [f"N = {row.levels}"] if row.levels else []
        facts += [f"T = {row.time_steps}"] if row.time_steps > 1 else []
        facts += [f"error {100 * error:.2g} %"] if error else []
        kind: Literal["layer", "relay", "readout"] = "relay" if population.is_relay else "layer"
        if isinstance(population.neuron, Readout):
            kind = "readout"
        name, tooltip = population.name, str(population)
        y = PITCH * (index + 1)
        found.append(Node(kind, y, shortened(name), name, " · ".join(facts), tooltip))
    return found


def shortened(name: str) -> str:
    """A name that fits a box; its end says more than its middle."""
    half = MOST_SIGNS // 2
    return name if len(name) <= MOST_SIGNS else f"{name[: half - 1]}…{name[-half:]}"


def _straight(above: int) -> str:
    x, y = LEFT + WIDTH // 2, PITCH * above + BOX
    return f"M{x} {y}V{y + PITCH - BOX - 4}"


def _arc(above: int, below: int, lanes: _Lanes) -> str:
    """Out of the right side of a box, along a lane, into the right side of another."""
    right = LEFT + WIDTH
    x = right + LANE * (1 + lanes.free(above, below) % LANES)
    start, end = PITCH * above + BOX * 2 // 3, PITCH * below + BOX // 3
    out = f"M{right} {start}H{x - 6}Q{x} {start} {x} {start + 6}"
    return f"{out}V{end - 6}Q{x} {end} {x - 6} {end}H{right + 5}"


class _Lanes:
    """Arcs that pass the same row stand side by side, as far as there is room."""

    def __init__(self) -> None:
        self._ends: list[int] = []

    @property
    def count(self) -> int:
        return len(self._ends)

    def free(self, above: int, below: int) -> int:
        for lane, end in enumerate(self._ends):
            if end <= above:
                self._ends[lane] = below
                return lane
        self._ends.append(below)
        return len(self._ends) - 1
