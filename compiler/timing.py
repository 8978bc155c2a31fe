"""When each population listens and fires.

A spike sent in time step k arrives in step k + 1, because a synapse holds its sum back one step:
arrive(population) = fire(source) + 1. A population accumulates the T_source bits of its source and
fires from the last of them on: fire = arrive + T_source − 1. Steps count from 0 at the moment
image 0 leaves the input; image i does everything i·period steps later.

Sequential, one population fires at a time, in the order of the network, so that the bits of two
sources never meet; in a chain that is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snnc.compiler.spiking import SpikingNetwork


@dataclass(frozen=True)
class Window:
    """The time steps in which one source's bits arrive."""

    start: int
    length: int

    @property
    def last(self) -> int:
        """The time step of the lowest bit."""
        return self.start + self.length - 1


@dataclass(frozen=True)
class Slot:
    """One population's share of time for image 0."""

    windows: tuple[Window, ...]
    """One for each projection, in their order; none for the input."""
    fire: int
    """The first fire step, which is also the last step of accumulation."""
    time_steps: int
    """The number of fire steps."""


@dataclass(frozen=True)
class Timing:
    """The slots of image 0, and the distance in time steps to those of the next image."""

    period: int
    latency: int
    """Time steps from the first spike of an image to its logits, both counted."""
    slots: Mapping[str, Slot]

    def duration(self, images: int) -> int:
        """Time steps that a stream of images takes, filling and draining included."""
        return self.latency + self.period * (images - 1) if images else 0


def timing_of(network: SpikingNetwork) -> Timing:
    """Derive every population's slot from the sources alone.

    Pipelined, an image enters as soon as the slowest population has fired; sequential, once the
    one before it has left the read-out.
    """
    last = Slot((), 0, network.input.time_steps)
    slots = {network.input.name: last}
    for population in network:
        sources = [slots[each.source] for each in population.projections]
        windows = tuple(Window(each.fire + 1, each.time_steps) for each in sources)
        fire = max(window.last for window in windows)
        if network.schedule == "sequential":
            fire = last.fire + last.time_steps
        last = Slot(windows, fire, population.neuron.time_steps)
        slots[population.name] = last
    latency = slots[network.readout.name].fire + 1
    longest = max(each.time_steps for each in slots.values())
    return Timing(longest if network.schedule == "pipelined" else latency, latency, slots)
