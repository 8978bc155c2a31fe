"""Every code on Lava, against the golden model: small, for step_by_step.py tries the rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.lava_check import assert_lava_is_golden
from support.onnx_models import Graph
from support.spiking_networks import CODES, SCHEDULES, chain_of, random_network, unscheduled

import snnc
from snnc.compiler.laws import Firing, Integers, OffsetSpike, Rate
from snnc.compiler.passes.schedule_populations import schedule_populations
from snnc.compiler.spiking import Schedule, SpikingNetwork
from snnc.runtime.engines.lava.simulator import LavaModel

pytestmark = pytest.mark.lava
THRESHOLD, HALF = np.array([700]), np.array([350])


def images_for(network: SpikingNetwork, count: int = 5) -> Integers:
    shape = (count, *network.input.shape)
    return np.random.default_rng(0).integers(0, network.input.levels + 1, shape)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("code", [each for each in CODES if each != "bit-serial"])
def test_lava_is_golden_in_every_code(code: str, schedule: Schedule) -> None:
    """The input is heard by a deeper population too, through relays where the code needs them."""
    networks = (unscheduled(seed, code) for seed in range(100))
    network = next(each for each in networks if reads_far_back(each))
    network = schedule_populations(replace(network, schedule=schedule), schedule)
    assert_lava_is_golden(network, images_for(network))


def reads_far_back(network: SpikingNetwork) -> bool:
    *_, join, _ = network
    return len(network.populations) > 3 and join.projections[1].source == network.input.name


@pytest.mark.parametrize(("seed", "model"), [(0, "layers"), (1, "layers"), (1, "network")])
@pytest.mark.parametrize("code", CODES)
def test_lava_is_golden_in_random_graphs(code: str, seed: int, model: LavaModel) -> None:
    network = random_network(seed, code)
    assert_lava_is_golden(network, images_for(network), model)


@pytest.mark.parametrize(
    ("neuron", "schedule"),
    [
        (Rate(THRESHOLD, HALF, 1), "pipelined"),
        (OffsetSpike(THRESHOLD, HALF, 1, 4), "sequential"),
        (OffsetSpike(THRESHOLD, HALF, 5, 2, iterations=3), "pipelined"),
        (OffsetSpike(THRESHOLD, HALF, 2, 3, light=True), "pipelined"),
    ],
    ids=str,
)
def test_trains_of_any_length(neuron: Firing, schedule: Schedule) -> None:
    network = chain_of(neuron, bias=-40, schedule=schedule)
    assert_lava_is_golden(network, images_for(network, 12))


def test_lava_is_golden_with_weights_of_two_bits(tmp_path: Path) -> None:
    """Of a residual network, rounded layer after layer: -2 is a weight that bytes do not have."""
    graph = Graph("batch", 2, 8, 8)
    graph.conv(4, 2, 3, 3, pads=[1] * 4)
    start = graph.qcfs(7)
    graph.conv(4, 4, 3, 3, pads=[1] * 4)
    graph.node("Add", graph.last, start)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 256)
    x = np.random.default_rng(0).uniform(size=(50, 2, 8, 8)).astype(np.float32)
    found = snnc.compile(graph.save(tmp_path), weight_bits=2, calibration=snnc.Data(x))
    network = snnc.load(found.path)
    weights = [e.connection.weights for each in network for e in each.projections]
    assert min(int(each.min()) for each in weights) == -2
    assert_lava_is_golden(network, images_for(network))
