"""Energy and time beside SANA-FE, the published simulator of Loihi 1, given the same spikes.

Its neurons are made to fire when golden's do: a bias of 1 against a threshold of ½. Pixels are
neurons that cost nothing. It is installed for this test alone.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from support.connectivity import core_of_neurons, synapses
from support.cost import counted, mapped
from support.spiking_networks import DRAWS, unscheduled

from snnc.compiler.mapping.constants import LOIHI1_COSTS
from snnc.compiler.passes.schedule_populations import schedule_populations
from snnc.compiler.rules.timing import timing_of
from snnc.runtime.studies.cost.trains import spikes_in_turn

sanafe = pytest.importorskip("sanafe", reason="SANA-FE is not installed (extra `dev`)")

IMAGES = 2
NEURON = {
    "threshold": 0.5,
    "reset": 0.0,
    "leak_decay": 0.0,
    "input_decay": 0.0,
    "force_update": True,
}
PIXELS = """
            - name: loihi_pixels
              attributes:
                model: leaky_integrate_fire
                energy_access_neuron: 0.0
                latency_access_neuron: 0.0
                energy_update_neuron: 0.0
                latency_update_neuron: 0.0
                energy_spike_out: 0.0
                latency_spike_out: 0.0"""


@pytest.fixture(scope="module")
def architecture(tmp_path_factory):
    text = files("sanafe").joinpath("examples/loihi.yaml").read_text()
    path = tmp_path_factory.mktemp("sana_fe") / "loihi.yaml"
    path.write_text(text.replace("          soma:", "          soma:" + PIXELS, 1))
    return sanafe.load_arch(str(path))


def carried(seed, code):
    """A random network of which SANA-FE has everything: one kind of synapses in each layer."""
    network = unscheduled(seed, code)
    populations = [
        replace(population, projections=of_one_kind(population)) for population in network
    ]
    return schedule_populations(network.replaced(tuple(populations)), network.schedule)


def of_one_kind(population):
    kind = type(population.projections[0].connection)
    return tuple(each for each in population.projections if type(each.connection) is kind)


def simulator(network, mapping, architecture):
    """The network on SANA-FE's chip, each neuron on the core where the mapping has it."""
    cores = [tile.cores for tile in architecture.tiles]
    graph, groups = sanafe.Network(), {}
    for index, layer in enumerate(mapping.layers):
        soma = "loihi_lif" if index else "loihi_pixels"
        is_dense = bool(layer.readings) and layer.readings[0].is_dense
        groups[layer.name] = graph.create_neuron_group(
            f"layer{index}",
            layer.neurons,
            model_attributes=NEURON,
            soma_hw_name=soma,
            default_synapse_hw_name=f"loihi_{'dense' if is_dense else 'conv'}_synapse",
        )
        for neuron, core in enumerate(core_of_neurons(mapping, index).repeat(layer.copies)):
            _, column, row = mapping.places[core].tolist()
            tile = column * mapping.core.routers[1] + row
            groups[layer.name][neuron].map_to_core(cores[tile][core % 4])
    for population in network:
        for each in population.projections:
            connect(groups, network, population, each)
    found = sanafe.SpikingChip(architecture)
    found.load(graph)
    return found


def connect(groups, network, population, projection):
    source = network.nodes[projection.source]
    count = synapses(projection, source.shape, population)
    count = count.repeat(population.neuron.copies, 0).repeat(source.sends.copies, 1)
    targets, sources = np.nonzero(count)
    pairs = [*zip(sources.tolist(), targets.tolist(), strict=True)]
    # nothing that arrives makes a neuron fire: its weights are 0
    weights = {"weight": [0.0] * len(pairs)}
    groups[source.name].connect_neurons_sparse(groups[population.name], weights, pairs)


def fired_in(network, sent, timing):
    """By step and layer which neurons fire, each copy on its own."""
    found = {}
    for node in (network.input, *network):
        if node.name in sent:
            fire = timing.slots[node.name].fire
            for step, spikes in enumerate(spikes_in_turn(node.sends, sent[node.name]), fire):
                for image, numbers in enumerate(spikes.reshape(IMAGES, -1)):
                    copies = np.arange(node.sends.copies) < numbers[:, None]
                    at = found.setdefault(step + image * timing.period, {})
                    at[node.name] = copies.ravel()
    return found


def run(chip, mapping, fired, steps, model):
    """Totals of a simulation that is told in each step who fires, and in the end nobody."""
    names = [f"layer{index}" for index in range(len(mapping.layers))]
    biased = {name: np.zeros(len(chip.mapped_neuron_groups[name]), bool) for name in names}
    total = dict.fromkeys(("energy", "time", "fired", "spikes"), 0.0)
    for step in range(steps + 1):
        for name, layer in zip(names, mapping.layers, strict=True):
            now = fired.get(step, {}).get(layer.name, np.zeros_like(biased[name]))
            for neuron in np.nonzero(now != biased[name])[0].tolist():
                bias = {"bias": float(now[neuron])}
                chip.mapped_neuron_groups[name][neuron].set_attributes(model_attributes=bias)
            biased[name] = now
        if step == steps:
            return total
        result = chip.sim(1, timing_model=model, processing_threads=1)
        total["energy"] += result["energy"]["total"]
        total["time"] += result["sim_time"]
        total["fired"] += result["neurons_fired"]
        total["spikes"] += result["spikes"]
    raise AssertionError(steps)


@pytest.mark.parametrize("code", DRAWS)
def test_energy_and_time_are_those_of_sana_fe(code, architecture):
    network = carried(1, code)
    mapping = mapped(network)
    counter, sent = counted(network, mapping, IMAGES)
    timing = timing_of(network)
    steps = timing.duration(IMAGES)
    fired = fired_in(network, sent, timing)
    counts = counter.counts()
    across, along = (each.sum() for each in counts.hops)
    neurons = sum(each.neurons for each in mapping.layers[1:])
    events = {
        "neuron": neurons * steps,
        "spike": counts.spikes[1:].sum(),
        "message_out": counts.messages.sum(),
        "message_in": counts.received.sum(),
        "convolution_synapse": counts.convolution.sum(),
        "dense_synapse": counts.dense.sum(),
        "hop_east_west": across,
        "hop_north_south": along,
    }
    costs = LOIHI1_COSTS.events
    energy = sum(number * costs[name].energy for name, number in events.items())
    time = counter.times["stream", "Loihi 1"].all_steps().sum()
    chip = simulator(network, mapping, architecture)
    for model, error in (("simple", 1e-9), ("detailed", 0.1)):
        found = run(chip, mapping, fired, steps, model)
        assert found["fired"] == counts.spikes.sum()
        assert found["spikes"] == counts.operations.sum()
        assert found["energy"] == pytest.approx(energy * 1e-12, rel=1e-9)
        assert found["time"] == pytest.approx(time * 1e-9, rel=error)
