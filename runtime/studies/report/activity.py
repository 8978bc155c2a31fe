"""Who fires when: the spikes of each layer in each step of its turn, and one image step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from snnc.compiler.laws import Firing, Floats, Integers
from snnc.compiler.laws.base import Planes, Sent
from snnc.compiler.laws.planes import count_payloads
from snnc.compiler.rules.timing import Slot, timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data, encode
from snnc.runtime.engines.golden import Golden, batch_size

MOST_IMAGES = 256
"""Images whose spikes are counted: enough for a mean."""
MOST_DOTS = 12_000
"""Places of a raster, whatever the network."""
MOST_NEURONS = 24
"""Neurons of a layer that a raster shows."""


@dataclass(frozen=True, eq=False)
class LayerActivity:
    """The spikes of one layer."""

    name: str
    neurons: int
    """Copies counted."""
    fire: int
    """The first fire step of image 0."""
    spikes: Floats
    """(fire steps,): the mean over the images."""

    @property
    def total(self) -> float:
        """Spikes for an image."""
        return float(self.spikes.sum())


@dataclass(frozen=True, eq=False)
class Raster:
    """Some neurons of a layer while one image passes."""

    name: str
    slot: Slot
    chosen: int
    """Neurons that are shown."""
    neurons: int
    strength: Floats
    """(fire steps, chosen): 1 for a spike; of a payload its share of the greatest one."""


@dataclass(frozen=True, eq=False)
class Activity:
    """The spikes of all layers."""

    images: int
    """Over which means are taken."""
    layers: tuple[LayerActivity, ...]
    rasters: tuple[Raster, ...]
    """Of image 0: the input, every population, and the read-out, which shows its potential."""


def activity_of(network: SpikingNetwork, data: Data) -> Activity:
    """The spikes of the first images, by the golden model, which every engine is held against."""
    count, timing = min(data.images, MOST_IMAGES), timing_of(network)
    golden, size = Golden(network, every_population=True), batch_size(network)
    sums = {name: np.zeros(law.turn) for name, law in network.firing.items()}
    rasters: tuple[Raster, ...] = ()
    for start in range(0, count, size):
        levels = encode(data.x[start : min(start + size, count)], network.input)
        result = golden.run(levels)
        for name, law in network.firing.items():
            sums[name] += spikes_by_step(law, law.bit_planes(result.sent[name]))
        if not rasters:
            shown: dict[str, Sent] = {
                network.input.name: levels[:1],
                network.readout.name: result.potential[:1],
            }
            rasters = tuple(_rasters(network, {**result.sent, **shown}))
    layers = tuple(
        LayerActivity(
            each.name,
            each.size * each.neuron.copies,
            timing.slots[each.name].fire,
            sums[each.name] / count,
        )
        for each in network
        if each.name in sums
    )
    return Activity(count, layers, rasters)


def spikes_by_step(law: Firing, planes: Planes) -> Floats:
    """The spikes of all images and neurons in each step of the turn, (turn,)."""
    if has_a_plane_a_step(law):
        bits = np.unpackbits(planes, axis=2)
        return np.asarray(bits.sum(axis=(0, 2), dtype=np.int64), np.float64)
    each = count_payloads(planes) if law.is_constant else law.spikes_in(planes)
    return np.full(law.turn, float(each))


def has_a_plane_a_step(law: Firing) -> bool:
    """Whether its planes are the time steps of its turn, and not the bits of a number."""
    return law.train in ("bits", "spikes") and not law.is_constant


def _rasters(network: SpikingNetwork, sent: Mapping[str, Sent]) -> Iterator[Raster]:
    """Of the first of some images, given what the nodes send; of the read-out its potential."""
    slots, firing = timing_of(network).slots, network.firing
    turns = sum(each.turn for each in slots.values())
    most = int(max(2, min(MOST_NEURONS, MOST_DOTS // max(1, turns))))
    for name, node in network.nodes.items():
        law = firing.get(name)
        if law is not None and has_a_plane_a_step(law):
            planes = law.bit_planes(sent[name])[0]
            values = np.unpackbits(planes, axis=1)[:, : node.size].astype(np.int64)
        else:
            values = np.abs(np.asarray(sent[name][:1], np.int64))
        yield _raster(name, slots[name], values, most)


def _raster(name: str, slot: Slot, values: Integers, most: int) -> Raster:
    """Neurons evenly spread over a layer; a number is sent in every step of the turn."""
    flat = values.reshape(len(values), -1)
    neurons = flat.shape[1]
    places = np.unique(np.linspace(0, neurons - 1, min(most, neurons)).astype(int))
    shown = flat[:, places] / max(1, int(flat.max()))
    if len(shown) != slot.turn:
        shown = np.repeat(shown[:1], slot.turn, axis=0)
    return Raster(name, slot, len(places), neurons, shown)
