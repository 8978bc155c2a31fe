"""Sums and staircases of whole populations, by whatever operators golden computes them."""

from dataclasses import replace

import numpy as np
import pytest
from support.integer_law import evaluate
from support.spiking_networks import random_network

from snnc.backends.onnx.golden.model import golden_model
from snnc.compiler.inputs import GradedInput
from snnc.compiler.laws import BitSerial, Integers, Rate, Readout
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Population,
    Projection,
    SpikingNetwork,
)
from snnc.runtime.engines.golden import Golden

SHAPE = (4, 5, 6)
PADS = (1, 1, 1, 1)


def drawn(low: int, high: int, *shape: int) -> Integers:
    found = np.random.default_rng(sum(shape)).integers(low, high + 1, shape)
    found.flat[:2] = low, high
    return found


def network(
    *connections: tuple[Connection, int],
    steps: int = 9,
    levels: int = 15,
    source_levels: int = 15,
    bias: int = 0,
    readout: Integers | None = None,
) -> SpikingNetwork:
    """One population that reads the input in several ways, and a read-out."""
    projections = tuple(Projection("x", each, exponent) for each, exponent in connections)
    step = 2 * drawn(0, steps, SHAPE[0]) + 1 if steps else np.ones(SHAPE[0], np.int64)
    joined = Population("join", SHAPE, projections, bias + np.arange(4), BitSerial(step, levels))
    weights = drawn(-20, 20, 3, joined.size) if readout is None else readout
    out = Population(
        "out", (3,), (Projection("join", Dense(weights)),), np.arange(3), Readout(np.ones(3))
    )
    return SpikingNetwork(GradedInput("x", SHAPE, source_levels, 0.0, 1.0), (joined, out))


def kinds(found: SpikingNetwork) -> set[str]:
    return {each.op_type for each in golden_model(found, every_population=False).graph.node}


def assert_golden_is_the_law(found: SpikingNetwork) -> None:
    pixels = np.random.default_rng(0).integers(0, found.input.levels + 1, (6, *SHAPE))
    pixels[0], pixels[1] = 0, found.input.levels
    expected, result = evaluate(found, pixels), Golden(found, every_population=True, threads=1)
    given = result.run(pixels)
    np.testing.assert_array_equal(given.numbers["join"], expected["join"])
    np.testing.assert_array_equal(given.potential, expected["out"])


KERNEL = Convolution(drawn(-127, 127, 4, 4, 3, 3), pads=PADS)
DEPTHWISE = Convolution(drawn(-1, 1, 4, 1, 3, 3), pads=PADS, groups=4)
HEAVY = Convolution(drawn(-20, 20, 4, 1, 3, 3), pads=PADS, groups=4)
SCALES = Convolution(drawn(-127, 127, 4, 1, 1, 1), groups=4)
ONES = Convolution(np.ones((4, 1, 1, 1), np.int64), groups=4)
CROPPED = Convolution(np.ones((4, 1, 2, 1), np.int64), pads=(1, 0, 0, 0), groups=4)
DENSE = Dense(drawn(-20, 20, 120, 120))

JOINS = {
    "a kernel and a shortcut": ((KERNEL, 3), (ONES, 4)),
    "a wide shortcut, two projections": ((KERNEL, 0), (SCALES, 0), (SCALES, 7)),
    "kernels of one channel": ((DEPTHWISE, 0), (DEPTHWISE, 3), (ONES, 0)),
    "sums that are no bytes": ((HEAVY, 0), (KERNEL, 1)),
    "a matrix": ((DENSE, 2), (KERNEL, 0), (ONES, 1)),
}


@pytest.mark.parametrize("source_levels", [1, 15, 127, 255, 256])
@pytest.mark.parametrize("connections", JOINS.values(), ids=JOINS)
def test_joins_are_the_integer_law(
    connections: tuple[tuple[Connection, int], ...], source_levels: int
) -> None:
    for steps in (0, 9, 900):
        for bias in (-300, 5):
            assert_golden_is_the_law(
                network(*connections, source_levels=source_levels, steps=steps, bias=bias)
            )


@pytest.mark.parametrize(("levels", "whole"), [(15, True), (255, True), (256, False)])
def test_joins_of_bytes_take_no_convolution_of_floats(levels: int, *, whole: bool) -> None:
    for name in ("a kernel and a shortcut", "a wide shortcut, two projections"):
        found = network(*JOINS[name], source_levels=levels)
        assert ("ConvInteger" in kinds(found), "Conv" in kinds(found)) == (whole, not whole)
    found = network(*JOINS["kernels of one channel"])
    assert ("QLinearConv" in kinds(found), "Conv" in kinds(found)) == (True, False)


def test_a_kernel_of_one_channel_whose_sums_are_no_bytes_takes_floats() -> None:
    assert "Conv" in kinds(network((HEAVY, 0), (ONES, 0)))


@pytest.mark.parametrize(
    ("connection", "bias", "levels"),
    [
        (ONES, 0, 15),
        (ONES, 0, 255),
        (ONES, 1, 15),
        (ONES, 0, 14),
        (SCALES, 0, 15),
        (CROPPED, 0, 15),
    ],
)
def test_only_what_passes_its_source_on_is_no_operator(
    connection: Convolution, bias: int, levels: int
) -> None:
    found = network((connection, 0), steps=0, levels=levels)
    join, out = found.populations
    found = found.replaced((replace(join, bias=np.full(4, bias)), out))
    passes = connection is ONES and not bias and levels >= 15
    assert ("Identity" in kinds(found) and "QLinearConv" not in kinds(found)) == passes
    assert_golden_is_the_law(found)


@pytest.mark.parametrize("alike", [True, False])
def test_one_weight_for_a_plane_is_a_sum_first(*, alike: bool) -> None:
    weights = np.repeat(drawn(-20, 20, 3, 4), 30, axis=1)
    weights[1, 31] += not alike
    found = network((KERNEL, 0), readout=weights)
    assert ("ReduceSum" in kinds(found)) == alike
    assert_golden_is_the_law(found)


def test_a_relay_of_a_train_takes_no_time_steps() -> None:
    networks = [random_network(seed, "rate") for seed in range(40)]
    relayed = 0
    for found in networks:
        trains = [each for each in found if isinstance(each.neuron, Rate)]
        relays = [
            each
            for each in trains
            if each.is_relay and isinstance(each.projections[0].connection, Convolution)
        ]
        graph = golden_model(found, every_population=True).graph
        scans = sum(each.op_type == "Scan" for each in graph.node)
        assert scans == len(trains) - len(relays)
        relayed += len(relays)
    assert relayed


@pytest.mark.parametrize("change", [{"threshold": 2}, {"initial": 1}])
def test_a_neuron_that_changes_its_train_is_no_relay(change: dict[str, int]) -> None:
    found = next(
        each
        for each in (random_network(seed, "rate") for seed in range(40))
        if any(p.is_relay and isinstance(p.neuron, Rate) for p in each)
    )
    changed = {name: np.full(1, value) for name, value in change.items()}
    found = found.replaced(
        tuple(
            replace(each, neuron=replace(each.neuron, **changed))
            if each.is_relay and isinstance(each.neuron, Rate)
            else each
            for each in found
        )
    )
    pixels = np.random.default_rng(0).integers(0, found.input.levels + 1, (5, *found.input.shape))
    given = Golden(found, every_population=True, threads=1).run(pixels)
    expected = evaluate(found, pixels)
    for name, numbers in given.sent.items():
        np.testing.assert_array_equal(numbers, expected[name])
