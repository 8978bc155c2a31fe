"""What `snnc map` says, beside all messages written out."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from support.spiking_networks import random_network

from snnc.compiler.mapping.layers import layers_of
from snnc.compiler.mapping.mapper import MapOptions, map_layers
from snnc.compiler.target import LOIHI1_CORE
from snnc.runtime.studies.placement import PlacementReport


@pytest.fixture(scope="module")
def report() -> PlacementReport:
    core = replace(LOIHI1_CORE, neuron_words=12, output_axons=None, cores=5)
    options = MapOptions()
    layers = layers_of(random_network(3), core)
    return PlacementReport("small", options, map_layers(layers, core, options))


def test_messages_and_hops_are_means_over_all_routes(report):
    mapping, routes = report.mapping, report.routes
    for index, (first, end) in enumerate(pairwise(mapping.first_cores)):
        own = [k for k, sender in enumerate(routes.senders) if first <= sender < end]
        sent = sum(routes.messages[k] for k in own)
        hops = 0
        for k in own:
            (a, x, y), (b, z, w) = mapping.places[[routes.senders[k], routes.receivers[k]]]
            hops += routes.messages[k] * (abs(8 * a + x - 8 * b - z) + abs(y - w))
        row = report.layers[index]
        assert row.messages == sent / mapping.layers[index].neurons
        assert row.hops == (hops / sent if sent else 0)


def test_json_lists_every_neuron_once(report):
    found = report.as_json()
    assert found["cores"] == len(found["slices"]) == len(report.loads)
    for layer in report.mapping.layers:
        boxes = [each for each in found["slices"] if each["layer"] == layer.name]
        held = np.zeros(layer.shape, int)
        for each in boxes:
            (a, b), (c, d), (e, f) = each["channels"], each["rows"], each["columns"]
            held[a:b, c:d, e:f] += 1
        assert np.all(held == 1)
    assert max(report.loads) == max(each.fullest[1] for each in report.layers) <= 1
    assert 0 < report.crossing < 1
