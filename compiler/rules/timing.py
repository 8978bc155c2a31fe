"""When each population listens and fires.

A spike sent in time step k arrives in step k + 1, because a synapse holds its sum back one step:
arrive(population) = fire(source) + 1. What happens then the law says: for how many steps a neuron
listens (`window`), when it begins to fire (`fires_at`) and for how long (`turn`).

Steps count from 0 at the moment image 0 leaves the input; image i does everything i·period steps
later. In the sequential schedule one image is in flight. Neurons that accumulate then fire one
population after the other, so that the bits of two sources never meet; in a chain that is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snnc.compiler.laws import Train
from snnc.compiler.spiking import Node, Population, SpikingNetwork


@dataclass(frozen=True)
class Window:
    """The time steps in which one source's spikes arrive and count."""

    start: int
    length: int
    train: Train = "bits"
    constant: bool = False
    """Whether the same arrives in every step."""

    @property
    def last(self) -> int:
        """The time step of the last spike."""
        return self.start + self.length - 1


@dataclass(frozen=True)
class Slot:
    """One population's share of time for image 0."""

    windows: tuple[Window, ...]
    """One for each projection, in their order; none for the input."""
    fire: int
    """The first fire step; for neurons that accumulate also the last step of accumulation."""
    turn: int
    """The number of fire steps."""


@dataclass(frozen=True)
class Timing:
    """The slots of image 0, and the distance in time steps to those of the next image."""

    period: int
    latency: int
    """Time steps from the first spike of an image to its logits, both counted."""
    slots: Mapping[str, Slot]

    @property
    def end(self) -> int:
        """Time steps from the first spike of an image to its last one, both counted.

        A train that is sent again, when the logits are known already, ends after them.
        """
        return max(self.latency, *(each.fire + each.turn for each in self.slots.values()))

    def duration(self, images: int) -> int:
        """Time steps that a stream of images takes, filling and draining included."""
        return self.end + self.period * (images - 1) if images else 0


def timing_of(network: SpikingNetwork) -> Timing:
    """Derive every population's slot from the sources alone.

    Pipelined, an image enters as soon as the slowest population has fired; sequential, once the
    one before it has left the read-out and no train of it is sent any more.
    """
    nodes = network.nodes
    in_turn = network.schedule == "sequential" and all(e.neuron.accumulates for e in network)
    last = Slot((), 0, network.input.turn)
    slots = {network.input.name: last}
    for population in network:
        windows = tuple(
            _window(slots[each.source], nodes[each.source], population)
            for each in population.projections
        )
        complete = max(window.last for window in windows)
        fire = population.neuron.fires_at(windows[0].start, complete)
        last = Slot(windows, last.fire + last.turn if in_turn else fire, population.neuron.turn)
        slots[population.name] = last
    latency = slots[network.readout.name].fire + 1
    longest = max(each.turn for each in slots.values())
    period = longest if network.schedule == "pipelined" else max(latency, longest)
    return Timing(period, latency, slots)


def _window(source: Slot, node: Node, population: Population) -> Window:
    law = node.sends
    length = population.neuron.window(law.train, source.turn)
    return Window(source.fire + 1, length, law.train, law.is_constant)
