from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spiking_networks import chain, chain_of

from snnc.backends.netx.copies import (
    collapsed,
    expanded,
    stock_thresholds,
    thresholds_by_copy,
)
from snnc.backends.netx.stock import MOST_GEOMETRY, runs_in_stock_netx
from snnc.compiler.inputs import GradedInput
from snnc.compiler.laws import Copies, Readout
from snnc.compiler.spiking import (
    Convolution,
    Dense,
    Population,
    Projection,
    SpikingNetwork,
)

SEEDS = st.integers(0, 2**32 - 1)
SHAPES = st.tuples(*[st.integers(1, 3)] * 3)


@given(SEEDS, SHAPES, SHAPES, st.tuples(*[st.integers(1, 3)] * 2))
@settings(max_examples=60, deadline=None)
def test_every_copy_meets_every_copy_with_the_same_weight(seed, into, out, copies) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-9, 10, (int(np.prod(out)), int(np.prod(into))))
    shapes = tuple((s[0] * c, *s[1:]) for s, c in zip((into, out), copies, strict=True))
    found = expanded(Dense(weights), (into, out), copies)
    parted = found.weights.reshape(*shapes[1], *shapes[0])
    for place in np.ndindex(parted.shape):
        (c, y, x), (k, v, u) = place[:3], place[3:]
        row = np.ravel_multi_index((c // copies[1], y, x), out)
        assert parted[place] == weights[row, np.ravel_multi_index((k // copies[0], v, u), into)]
    again = collapsed(found, shapes, copies)
    np.testing.assert_array_equal(again.weights, weights)
    other = found.weights.copy()
    other.flat[-1] += 1
    lone = copies == (1, 1)
    assert (collapsed(Dense(other), shapes, copies) is None) != lone


@given(SEEDS, st.tuples(*[st.integers(1, 3)] * 2))
@settings(max_examples=30, deadline=None)
def test_kernels_are_copied_channel_by_channel(seed: int, copies: tuple[int, int]) -> None:
    kernel = np.random.default_rng(seed).integers(-9, 10, (3, 2, 2, 1))
    shapes = (2 * copies[0], 5, 5), (3 * copies[1], 4, 5)
    found = expanded(Convolution(kernel), shapes, copies)
    for o, i in np.ndindex(found.weights.shape[:2]):
        np.testing.assert_array_equal(found.weights[o, i], kernel[o // copies[1], i // copies[0]])
    again = collapsed(found, shapes, copies)
    np.testing.assert_array_equal(again.weights, kernel)


def test_thresholds_stand_by_channel_and_copy_as_netx_reads_them() -> None:
    thresholds = np.arange(3 * 2 * 4 * 5).reshape(3, 2, 4, 5)
    stored = stock_thresholds(thresholds)
    assert stored.shape == (5, 4, 6)
    assert stored[3, 2, 1 * 3 + 2] == thresholds[2, 1, 2, 3]
    np.testing.assert_array_equal(thresholds_by_copy(stored, 3), thresholds)
    flat = thresholds[:, :, 0, 0]
    assert stock_thresholds(flat).tolist() == [0, 40, 80, 20, 60, 100]
    np.testing.assert_array_equal(thresholds_by_copy(stock_thresholds(flat), 3), flat)


def planes(channels: int = 2, **geometry: object) -> SpikingNetwork:
    """A convolution of stock neurons on 4x4 pixels, and a read-out of all of them."""
    groups = int(geometry.get("groups", 1))
    kernel = np.ones((channels, channels // groups, 3, 3), np.int64)
    conv = Convolution(kernel, **{"pads": (1, 1, 1, 1), **geometry})
    neuron = Copies(np.arange(2)[:, None] * np.ones(channels, np.int64))
    zeros = np.zeros(channels, np.int64)
    shape = (channels, 4, 4)
    fc = Population("conv", shape, (Projection("x", conv),), zeros, neuron)
    one = Projection("conv", Dense(np.ones((1, 16 * channels), np.int64)))
    out = Population("out", (1,), (one,), zeros[:1], Readout(np.ones(1)))
    return SpikingNetwork(GradedInput("x", shape, 3, 0.0, 1.0), (fc, out))


def test_a_matrix_needs_one_weight_above_0() -> None:
    network = chain_of(Copies(np.array([[9], [99]])))
    fc, out = network.populations
    mixed = Projection("x", Dense(np.array([[1, -1]])))
    assert runs_in_stock_netx(network.replaced((replace(fc, projections=(mixed,)), out)))


def test_stock_netx_has_a_bias_for_each_channel() -> None:
    network = planes()
    conv, out = network.populations
    mapped = replace(conv, bias=np.zeros(conv.shape, np.int64))
    assert not runs_in_stock_netx(network.replaced((mapped, out)))


def test_stock_netx_runs_chains() -> None:
    flat = chain_of(Copies(np.array([[9], [99]])))
    assert runs_in_stock_netx(flat)
    assert not runs_in_stock_netx(chain())
    assert runs_in_stock_netx(planes())
    assert runs_in_stock_netx(planes(MOST_GEOMETRY, groups=MOST_GEOMETRY))
    assert not runs_in_stock_netx(planes(MOST_GEOMETRY + 1, groups=MOST_GEOMETRY + 1))
    assert not runs_in_stock_netx(planes(pads=(1, 0, 0, 1)))
    assert not runs_in_stock_netx(planes(pads=(1, 1, 1, 0)))


@pytest.mark.parametrize("index", [0, 1])
def test_stock_netx_runs_nothing_else(index: int) -> None:
    network = chain_of(Copies(np.array([[9], [99]])))
    population = network.populations[index]
    (projection,) = population.projections
    again = Projection("x", Dense(np.ones((1, 2), np.int64)))
    negative = replace(projection, connection=Dense(-projection.connection.weights))
    zero = replace(projection, connection=Dense(0 * projection.connection.weights))
    for changes in (
        {"projections": (projection, again)},
        {"projections": (negative,)},
        {"projections": (zero,)},
        {"shape": (1, 1, 1)},
        {"bias": np.zeros((1, 1, 1), np.int64)},
        {"projections": (replace(projection, source="out"),)},
    ):
        populations = [*network.populations]
        populations[index] = replace(population, **changes)
        assert not runs_in_stock_netx(network.replaced(tuple(populations)))
