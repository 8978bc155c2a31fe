"""Random networks on small cores, and what they cost for random images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snnc.compiler.laws.base import Sent
from snnc.compiler.mapping.layers import layers_of
from snnc.compiler.mapping.mapper import map_layers
from snnc.compiler.mapping.mapping import CoreMapping
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.target import LOIHI1_CORE
from snnc.runtime.engines.golden import Golden
from snnc.runtime.studies.cost.measuring import Counter


def mapped(network: SpikingNetwork) -> CoreMapping:
    """On many cores, of a few neurons each."""
    copies = max(each.neuron.copies for each in network)
    core = replace(LOIHI1_CORE, neuron_words=16 * copies, output_axons=None)
    return map_layers(layers_of(network, core), core)


def levels(network: SpikingNetwork, images: int, seed: int = 0) -> np.ndarray:
    """What the input sends of random images, of which half the pixels are 0."""
    rng = np.random.default_rng(seed)
    shape = (images, *network.input.shape)
    return rng.integers(0, network.input.levels + 1, shape) * rng.integers(0, 2, shape)


def counted(
    network: SpikingNetwork, mapping: CoreMapping, images: int, batch: int = 64
) -> tuple[Counter, dict[str, Sent]]:
    """A counter that has seen random images, and what all nodes sent."""
    golden, counter = Golden(network, every_population=True), Counter(network, mapping)
    found: dict[str, list[Sent]] = {}
    numbers = levels(network, images)
    for first in range(0, images, batch):
        result = golden.run(numbers[first : first + batch])
        counter.add(result)
        for name, each in {network.input.name: result.pixels, **result.sent}.items():
            found.setdefault(name, []).append(each)
    axes = {e.name: 1 if e.neuron.integrates else 0 for e in network}
    return counter, {n: np.concatenate(e, axes.get(n, 0)) for n, e in found.items()}
