from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.integer_law import evaluate
from support.spiking_networks import (
    SEEDS,
    calibrating,
    chain,
    chain_of,
    networks_of,
    random_network,
)

from snnc.backends.onnx.golden.model import golden_model
from snnc.compiler.laws import Integers, OffsetSpike
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.golden import Golden


def pixels_for(network: SpikingNetwork, images: int) -> Integers:
    shape = (images, *network.input.shape)
    return np.random.default_rng(0).integers(0, network.input.levels + 1, shape)


@given(st.one_of(networks_of(), SEEDS.map(calibrating)))
@settings(max_examples=150, deadline=None)
def test_golden_is_the_integer_law(network: SpikingNetwork) -> None:
    pixels = pixels_for(network, 5)
    expected = evaluate(network, pixels)
    found = Golden(network, every_population=True, threads=1).run(pixels)
    for name, levels in found.sent.items():
        np.testing.assert_array_equal(levels, expected[name], err_msg=name)
    np.testing.assert_array_equal(found.potential, expected[network.readout.name])
    assert list(found.sent) == [each.name for each in network][:-1]


@pytest.mark.parametrize("levels", [1, 4, 7, 8])
@pytest.mark.parametrize("step", [1, 3, 1000, 2**20 - 3])
def test_no_quotient_reaches_the_next_level(levels: int, step: int) -> None:
    network = chain(levels=levels, step=step)
    fc, out = network.populations
    sums = np.arange(1, levels + 2) * step
    for bias in (*sums, *(sums - 1), -1, 0, 2**23 - 1, -(2**23)):
        moved = network.replaced((replace(fc, bias=np.array([bias])), out))
        found = Golden(moved, threads=1).run(np.zeros((1, 2), np.uint8))
        assert found.potential.item() == np.clip(bias // step, 0, levels)


def test_the_graph_does_not_grow_with_the_calibrations() -> None:
    def often(times: int) -> SpikingNetwork:
        law = OffsetSpike(np.array([9]), np.array([4]), 4, 1, times)
        return chain_of(law, bias=-1)

    few, many = (golden_model(often(n), every_population=True).graph for n in (2, 4000))
    assert len(few.node) == len(many.node)
    pixels = pixels_for(often(4000), 3)
    found = Golden(often(4000), every_population=True, threads=1).run(pixels)
    np.testing.assert_array_equal(found.numbers["fc"], evaluate(often(4000), pixels)["fc"])


def test_only_the_readout_leaves_unless_all_are_asked_for() -> None:
    network = random_network(0)
    outputs = golden_model(network, every_population=False).graph.output
    assert [each.name for each in outputs] == [network.readout.name]
    assert not Golden(network, threads=1).run(pixels_for(network, 1)).sent


def test_batches_are_the_whole() -> None:
    network = random_network(1)
    golden, pixels = Golden(network, threads=1), pixels_for(network, 7)
    parts = [each.potential for each in golden.batches(pixels, 3)]
    assert list(map(len, parts)) == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(parts), golden.run(pixels).potential)
