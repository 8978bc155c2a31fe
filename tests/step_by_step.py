"""What the neurons of the simulator do, time step by time step, in this process and without Lava.

Timing, neurons and the log of their spikes are the simulator's; input and synapses are int64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from integer_law import deliver

from snnc.compiler.neurons import Integers, Readout, Thermometer, bits_for
from snnc.compiler.spiking import Input, SpikingNetwork
from snnc.compiler.timing import timing_of
from snnc.runtime.lava.neuron_law import Membrane
from snnc.runtime.lava.simulator import LAWS
from snnc.runtime.spikes import Planes

Watch: TypeAlias = Callable[[str, Membrane], None]


def run_steps(
    network: SpikingNetwork, images: Integers, watch: Watch = lambda name, law: None
) -> tuple[Integers, dict[str, Planes]]:
    """Potentials of the read-out and bit planes of all others for a stream of images."""
    timing = timing_of(network)
    laws = {p.name: LAWS[type(p.neuron)](p, timing.slots[p.name], timing.period) for p in network}
    for name, law in laws.items():
        watch(name, law)
    count = len(images)
    potentials = np.zeros((count, *network.readout.shape), np.int64)
    planes = {
        p.name: np.zeros((count, p.neuron.planes, -(-p.size // 8)), np.uint8)
        for p in network
        if not isinstance(p.neuron, Readout)
    }
    held = {node.name: np.zeros(node.shape, np.int64) for node in (network.input, *network)}
    for now in range(timing.duration(count)):
        sent = {network.input.name: pixels(network.input, images, *divmod(now, timing.period))}
        for p in network:
            arrived = sum(deliver(e, held[e.source][None], p)[0] for e in p.projections)
            fired = laws[p.name].step(now, np.asarray(arrived, np.int32))
            image, turn = laws[p.name].turn(now)
            if 0 <= image < count and turn < laws[p.name].time_steps:
                if isinstance(p.neuron, Readout):
                    potentials[image] = fired
                else:
                    place, packed = laws[p.name].record(turn, fired)
                    planes[p.name][image, place] = packed
            sent[p.name] = fired.sum(0) if isinstance(p.neuron, Thermometer) else fired
        held = {name: np.array(each, np.int64) for name, each in sent.items()}
    assert not any(law.overflows for law in laws.values())
    return potentials, planes


def pixels(source: Input, images: Integers, image: int, turn: int) -> Integers:
    """What the input sends in one step of an image's turn."""
    if image >= len(images) or turn >= source.time_steps:
        return np.zeros(source.shape, np.int64)
    if source.train == "bits":
        return images[image] >> (bits_for(source.levels) - 1 - turn) & 1
    return images[image]
