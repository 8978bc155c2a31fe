"""What the neurons of the simulator do, time step by time step, in this process and without Lava.

Timing, neurons and the log of their spikes are the simulator's; input and synapses are int64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from support.integer_law import deliver

from snnc.compiler.inputs import BitsInput, ChangesInput, Input
from snnc.compiler.laws import Copies, Integers, Readout, bits_for
from snnc.compiler.laws.base import Planes
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.lava.laws import LAWS
from snnc.runtime.engines.lava.membrane import Membrane, State

Watch: TypeAlias = Callable[[str, Membrane], None]


def run_steps(
    network: SpikingNetwork, images: Integers, watch: Watch = lambda name, law: None
) -> tuple[Integers, dict[str, Planes]]:
    """Potentials of the read-out and bit planes of all others for a stream of images."""
    timing = timing_of(network)
    laws = {
        p.name: LAWS[type(p.neuron)].simulates(p, timing.slots[p.name], timing.period)
        for p in network
    }
    for name, law in laws.items():
        watch(name, law)
    count = len(images)
    potentials = np.zeros((count, *network.readout.shape), np.int64)
    planes = {
        name: np.zeros((count, law.planes, -(-network.nodes[name].size // 8)), np.uint8)
        for name, law in network.firing.items()
    }
    held = {node.name: np.zeros(node.shape, np.int64) for node in (network.input, *network)}
    for now in range(timing.duration(count)):
        sent = {network.input.name: pixels(network.input, images, *divmod(now, timing.period))}
        for p in network:
            arrived = sum(deliver(e, held[e.source][None], p)[0] for e in p.projections)
            fired = laws[p.name].step(now, np.asarray(arrived, np.int32))
            image, turn = laws[p.name].turn(now)
            if 0 <= image < count and turn < laws[p.name].fire_steps:
                if isinstance(p.neuron, Readout):
                    potentials[image] = fired
                else:
                    place, packed = laws[p.name].record(turn, fired)
                    planes[p.name][image, place] = packed
            sent[p.name] = fired.sum(0) if isinstance(p.neuron, Copies) else fired
        held = {name: np.array(each, np.int64) for name, each in sent.items()}
    assert not any(law.overflows for law in laws.values())
    return potentials, planes


def extremes(network: SpikingNetwork, images: Integers) -> dict[str, tuple[Integers, Integers]]:
    """The least and the greatest potential of neurons that integrate, spikes not yet taken off."""
    found: dict[str, tuple[Integers, Integers]] = {}

    def watch(name: str, law: Membrane) -> None:
        count, start = law._count, law._v.astype(np.int64)
        found[name] = start, start

        def note(values: State) -> None:
            if values is law._v:
                low, high = found[name]
                found[name] = np.minimum(low, values), np.maximum(high, values)
            count(values)

        law._count = note  # type: ignore[method-assign]

    run_steps(network, images, watch)
    return found


def pixels(source: Input, images: Integers, image: int, turn: int) -> Integers:
    """What the input sends in one step of an image's turn."""
    if image >= len(images) or turn >= source.turn:
        return np.zeros(source.shape, np.int64)
    if isinstance(source, BitsInput):
        return images[image] >> (bits_for(source.levels) - 1 - turn) & 1
    if isinstance(source, ChangesInput) and image:
        return images[image] - images[image - 1]
    return images[image]
