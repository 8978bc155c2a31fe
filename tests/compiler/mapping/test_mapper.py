"""Mappings of random networks in every code, beside all their synapses written out."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.connectivity import core_of_neurons, synapses
from support.mapping import conv, full, mlp
from support.spiking_networks import DRAWS, SEEDS, random_network

from snnc.compiler.errors import SnncError
from snnc.compiler.mapping.axes import bounds_of
from snnc.compiler.mapping.chips import cut_into_chips
from snnc.compiler.mapping.layers import Layer, layers_of
from snnc.compiler.mapping.mapper import MapOptions, map_layers
from snnc.compiler.mapping.mapping import CoreMapping, problems_of_mapping
from snnc.compiler.mapping.routes import crossings, routes_of
from snnc.compiler.target import LOIHI1_CORE, LOIHI2_CORE

CODES = st.sampled_from(list(DRAWS))


def on_small_cores(seed, code):
    """A network that needs many cores, of a few neurons each."""
    network = random_network(seed, code)
    copies = max(each.neuron.copies for each in network)
    core = replace(LOIHI1_CORE, neuron_words=(5 + seed % 20) * copies, output_axons=None)
    return network, map_layers(layers_of(network, core), core)


@given(SEEDS, CODES)
@settings(max_examples=8, deadline=None)
def test_axons_and_messages_are_those_of_all_synapses(seed, code):
    network, mapping = on_small_cores(seed, code)
    owners = {e.name: core_of_neurons(mapping, i) for i, e in enumerate(mapping.layers)}
    copies = {each.name: each.copies for each in mapping.layers}
    expected = np.zeros((mapping.cores, mapping.cores))
    for target, layer in zip(network, mapping.layers[1:], strict=True):
        # a spike is sent once for all projections of one reach
        for each in dict(zip(layer.readings, target.projections, strict=True)).values():
            count = synapses(each, network.nodes[each.source].shape, target)
            for core in np.unique(owners[target.name]):
                read = (count[owners[target.name] == core] > 0).any(axis=0)
                sources = owners[each.source][read]
                np.add.at(expected, (sources, core), copies[each.source])
    routes = routes_of(mapping)
    found = np.zeros_like(expected)
    np.add.at(found, (routes.senders, routes.receivers), routes.messages)
    assert np.array_equal(found, expected)
    demands = [mapping.demands(index) for index in range(len(mapping.layers))]
    for axis, name in ((0, "input_axons"), (1, "output_axons")):
        counted = np.concatenate([getattr(each, name).ravel() for each in demands])
        assert np.array_equal(counted, expected.sum(axis))


@given(SEEDS, CODES, st.sampled_from(["time", "cores"]))
@settings(max_examples=8, deadline=None)
def test_every_core_holds_what_it_is_given(seed, code, objective):
    network = random_network(seed, code)
    for core in (LOIHI1_CORE, LOIHI2_CORE):
        mapping = map_layers(layers_of(network, core), core, MapOptions(objective))
        assert not [*problems_of_mapping(mapping)]
        assert mapping.cores >= len(mapping.layers)


def test_words_are_counted_by_hand():
    """A list of 8 weights of 8 bits and a header of 16 takes 2 words, one of 2 weights 1."""
    source = Layer("x", (4, 6, 6))
    grouped = conv("c", source, (8, 4, 4), groups=2)
    mapping = CoreMapping(LOIHI2_CORE, (source, grouped), ((1, 1, 1), (2, 1, 1)))
    assert mapping.demands(1).synaptic_words.ravel().tolist() == [18, 18]  # 2 channels, 9 taps
    whole = replace(mapping, layers=(source, conv("c", source, (8, 4, 4))))
    assert whole.demands(1).synaptic_words.ravel().tolist() == [36, 36]
    whole = replace(whole, cuts=((1, 1, 1), (1, 1, 1)))
    assert whole.demands(1).synaptic_words.ravel().tolist() == [72]
    line = replace(mapping, layers=mlp((10, 7), 8), cuts=((1, 1, 1), (2, 1, 1)))
    assert line.demands(1).synaptic_words.ravel().tolist() == [20, 20]  # 3·20 and 4·20 bits + 16


def test_all_that_does_not_fit_is_said_at_once():
    source = Layer("x", (2000, 3, 3))
    wide = full("wide", source, 4)
    big = replace(conv("big", wide, (1, 1, 1), kernel=1), copies=5000)
    with pytest.raises(SnncError) as caught:
        map_layers([source, wide, big], LOIHI2_CORE)
    assert [(each.where, each.what.split()[4:7]) for each in caught.value.problems] == [
        ("wide", ["18000", "synaptic", "words"]),
        ("wide", ["18000", "input", "axons"]),
        ("big", ["5000", "neuron", "words"]),
    ]


def test_limits_that_no_slice_meets_together_are_named():
    layer = full("fc", Layer("x", (100, 1, 1)), 1)
    core = replace(LOIHI1_CORE, synaptic_words=99, input_axons=99)
    with pytest.raises(SnncError, match="100 synaptic words of a core; allowed: 99") as caught:
        map_layers([Layer("x", (100, 1, 1)), layer], core)
    assert len(caught.value.problems) == 2


def test_chips_are_counted():
    source = Layer("x", (1, 448, 448))
    assert len(map_layers([source], LOIHI1_CORE).chips) == 2
    with pytest.raises(SnncError, match="takes 196 cores; allowed: 128 on 1 chips of 128"):
        map_layers([source], LOIHI1_CORE, MapOptions(chips=1))


@given(SEEDS, CODES, st.integers(2, 9))
@settings(max_examples=8, deadline=None)
def test_chips_end_where_fewest_messages_cross(seed, code, size):
    _, mapping = on_small_cores(seed, code)
    mapping = cut_into_chips(replace(mapping, core=replace(mapping.core, cores=size)))
    crossing = crossings(mapping, routes_of(mapping))
    ends = (*mapping.chips, mapping.cores)
    assert all(0 < b - a <= size for a, b in pairwise(ends))
    best = {0: 0.0}
    for _ in range(len(mapping.chips)):
        best = {
            end: min(best[a] for a in best if 0 < end - a <= size) + crossing[end]
            for end in range(1, mapping.cores + 1)
            if any(0 < end - a <= size for a in best)
        }
    assert sum(crossing[list(mapping.chips[1:])]) == best[mapping.cores]


def test_cores_lie_along_a_snake():
    mapping = CoreMapping(LOIHI2_CORE, (Layer("x", (200, 1, 1)),), ((200, 1, 1),), (0, 120))
    places = mapping.places.tolist()
    assert places[0] == places[3] == [0, 0, 0]
    assert places[31] == [0, 7, 0]
    assert places[32] == [0, 7, 1]
    assert places[63] == [0, 0, 1]
    assert places[120] == [1, 0, 0]
    across, along = mapping.distances(np.array([0, 31]), np.array([120, 32]))
    assert across.tolist() == [8, 0]
    assert along.tolist() == [0, 1]


def test_pieces_are_balanced():
    assert np.diff(bounds_of(10, 4)).tolist() == [2, 3, 2, 3]
