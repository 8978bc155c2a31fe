"""Events on cores beside all synapses written out, and beside the meter of synaptic operations."""

from dataclasses import replace

import numpy as np
import pytest
from support.connectivity import core_of_neurons, synapses
from support.cost import counted, levels, mapped
from support.mapping import conv, full
from support.spiking_networks import DRAWS, random_network

from snnc.compiler.mapping.constants import LOIHI1_COSTS
from snnc.compiler.mapping.layers import Layer
from snnc.compiler.mapping.mapping import CoreMapping
from snnc.compiler.programs import ProgramNeurons, programs_of
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import Dense
from snnc.compiler.target import LOIHI1_CORE
from snnc.runtime.data import Data
from snnc.runtime.engines.golden import Golden
from snnc.runtime.studies.cost import measure_cost
from snnc.runtime.studies.cost.events import LayerEvents
from snnc.runtime.studies.cost.report import LOIHI1, LOIHI2
from snnc.runtime.studies.synaptic_operations import Meter


@pytest.mark.parametrize("code", DRAWS)
@pytest.mark.parametrize("seed", [2, 3])
def test_spikes_and_operations_are_those_of_the_meter(seed, code):
    network = random_network(seed, code)
    counts = counted(network, mapped(network), 3)[0].counts()
    result = Golden(network, every_population=True).run(levels(network, 3))
    meter = Meter(network)
    meter.add(result.pixels, result.sent)
    assert counts.spikes.sum() == pytest.approx(3 * meter.traffic.spikes)
    assert counts.operations.sum() == pytest.approx(3 * meter.traffic.operations)
    assert counts.messages.sum() == counts.received.sum()


@pytest.mark.parametrize("code", DRAWS)
def test_operations_of_programs_are_those_that_a_run_of_them_takes(code):
    network = random_network(2, code)
    report = counted(network, mapped(network), 1)[0].report()
    for name, program in programs_of(network).items():
        neurons = ProgramNeurons(program)
        for step in range(program.first, program.first + program.period):
            neurons.step(step, np.zeros(program.shape, np.int64))
        (layer,) = (each for each in report.layers if each.name == name)
        assert layer.program[0] <= neurons.operations.total() <= layer.program[1]
    assert report.program == tuple(sum(each.program[k] for each in report.layers) for k in (0, 1))


@pytest.mark.parametrize("seed", range(4))
def test_arrivals_are_those_of_all_synapses(seed):
    network = random_network(seed, "one-spike" if seed % 2 else "bit-serial")
    mapping = mapped(network)
    copies = {each.name: each.copies for each in mapping.layers}
    for index, layer in enumerate(mapping.layers):
        spikes = np.random.default_rng(seed).integers(0, 3, (2, *layer.shape)).astype(float)
        found = LayerEvents(mapping, index).arrivals(spikes)
        for each in found:
            target = network.populations[each.index - 1]
            owners = core_of_neurons(mapping, each.index) - mapping.first_cores[each.index]
            alike = [
                projection
                for projection in target.projections
                if projection.source == layer.name
                and isinstance(projection.connection, Dense) == each.is_dense
            ]
            assert len(alike) == 1
            count = synapses(alike[0], network.nodes[layer.name].shape, target)
            flat = spikes.reshape(2, -1)
            for core in np.unique(owners):
                own = count[owners == core]
                operations = copies[target.name] * flat @ own.sum(axis=0)
                assert np.allclose(each.operations[:, core], operations)
                assert np.allclose(each.messages[:, core], flat @ (own > 0).any(axis=0))


def test_words_read_by_hand():
    """9 taps meet a spike in the middle: each reads a list of 2 words; a dense one reads 2."""
    source = Layer("x", (1, 5, 5))
    middle = conv("c", source, (8, 5, 5), pad=1)
    last = full("fc", middle, 5)
    mapping = CoreMapping(LOIHI1_CORE, (source, middle, last), ((1, 1, 1),) * 3)
    spike = np.zeros((1, 1, 5, 5))
    spike[0, 0, 2, 2] = 1
    (found,) = LayerEvents(mapping, 0).arrivals(spike)
    assert (found.words.item(), found.operations.item(), found.messages.item()) == (18, 72, 1)
    (found,) = LayerEvents(mapping, 1).arrivals(np.repeat(spike, 8, axis=1))
    assert (found.words.item(), found.operations.item()) == (8 * 2, 8 * 5)  # 5·20 + 16 bits


@pytest.mark.parametrize("code", ["bit-serial", "rate", "delta"])
def test_batches_change_nothing(code):
    network = random_network(7, code)
    mapping = mapped(network)
    whole, parts = (counted(network, mapping, 5, batch)[0] for batch in (64, 2))
    assert np.array_equal(whole.counts().messages, parts.counts().messages)
    for key, times in whole.times.items():
        assert np.allclose(times.all_steps(), parts.times[key].all_steps())


def test_time_and_energy_of_an_image():
    """Given one image, a stream is as good as the image alone; energy is linear in events."""
    network = random_network(11)
    mapping, timing = mapped(network), timing_of(network)
    source = network.input
    x = source.low + source.step * levels(network, 4).astype(np.float32)
    report = measure_cost(network, mapping, Data(x.astype(np.float32), None))
    alone, stream = report.paces["alone"][LOIHI1], report.paces["stream"][LOIHI1]
    assert (alone.steps, stream.steps) == (timing.end, timing.period)
    neurons = sum(each.size for each in network)
    more = (timing.end - timing.period) * neurons * LOIHI1_COSTS.neuron.energy
    assert report.energy("alone") - report.energy("stream") == pytest.approx(more)
    assert sum(each.energy for each in report.layers) == pytest.approx(
        report.energy("stream") / 1000
    )
    assert (
        report.paces["stream"][LOIHI2].period < stream.period <= stream.steps * stream.step * 1.01
    )
    assert report.proxy("alone") == pytest.approx(
        report.counts.operations.sum() / 4 + 10 * neurons * timing.end
    )
    own = replace(report, own_energies=dict.fromkeys(LOIHI1_COSTS.events, 1.0))
    assert own.own_energy("alone") == pytest.approx(sum(report.events("alone").values()))


def test_barriers_grow_with_routers():
    assert [LOIHI1_COSTS.barrier(n) for n in (1, 2, 3, 4, 28, 29, 99)] == [
        *(600, 1000, 1000, 1400, 1400, 1800, 1800)
    ]
