from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.network import Node
from snnc.compiler.operators import Floats, MatMul, Staircase
from snnc.compiler.quantization.layer import Layer, Precision, saturated
from snnc.compiler.quantization.magnified import magnified, sharpened
from snnc.compiler.target import LOIHI


def layer(rows: Floats, bias: Floats, levels: int) -> Layer:
    matrix = Node("fc", MatMul(rows, bias), ("x",), bias.shape)
    end = Node("end", Staircase(levels), ("fc",), bias.shape)
    return Layer(end, (matrix,), (rows[:, None],), (1,), bias)


def levels_of(made: Layer, bits: Floats) -> Floats:
    assert made.highest is not None
    return np.clip(np.floor(bits @ made.rows[0][:, 0].T + made.bias), 0, made.highest)


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 15]), st.sampled_from([1e-9, 1e-4, 1.0, 1e7])
)
@settings(max_examples=150, deadline=None)
def test_levels_stay_as_they_are(seed: int, levels: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.integers(-8, 9, (20, 6)) * scale
    # thresholds in the midst of the sums, and anywhere
    near = rng.integers(0, levels + 2, 20) + (rng.integers(-20, 20, 20) + 0.5) * scale
    bias = np.where(rng.uniform(size=20) < 0.5, near, rng.uniform(-1, levels + 1, 20))
    made = layer(rows, bias, levels)
    bits = rng.integers(0, 2, (64, 6)).astype(float)
    found = saturated(magnified(made, levels), levels)
    np.testing.assert_array_equal(levels_of(found, bits), levels_of(made, bits))


@pytest.mark.parametrize("scale", [1e-12, 1e-8, 1e8])
def test_a_threshold_of_one_level_has_sums_of_a_sensible_size(scale: float) -> None:
    rows = np.array([[1.0, -2.0]]) * scale
    low, high = magnified(layer(rows, np.array([1 + scale / 2]), 1), 1).reach
    assert 100 < (high - low)[0] <= 256


def test_ordinary_sums_are_left_alone() -> None:
    made = layer(np.array([[0.5, -0.25]]), np.array([0.5]), 3)
    assert magnified(made, 3) is made


def test_only_channels_with_sums_of_no_sensible_size_are_changed() -> None:
    rows = np.array([[1e-9, -2e-9], [0.5, -0.25]])
    found = magnified(layer(rows, np.array([1.0, 0.5]), 1), 1)
    np.testing.assert_array_equal(found.rows[0][1, 0], rows[1])
    assert found.bias[1] == 0.5
    assert found.gain[0] > 1 == found.gain[1]


@pytest.mark.parametrize("seed", range(5))
def test_sharp_thresholds_lie_halfway_between_two_whole_sums(seed: int) -> None:
    rng = np.random.default_rng(seed)
    whole, r = rng.integers(-8, 9, (20, 6)), rng.uniform(0.01, 3, 20)
    whole[:, 0], whole[:, 1] = 1, 8
    bias = 1 - (rng.integers(-9, 18, 20) + rng.uniform(0.1, 0.9, 20)) * r
    made = layer(whole * r[:, None], bias, 1)
    found = sharpened(made, Precision(LOIHI, 8))
    np.testing.assert_array_equal(found.rows[0][:, 0], whole)
    np.testing.assert_allclose(made.rows[0] * found.gain[:, None, None], found.rows[0])
    bits = np.array(list(product((0.0, 1.0), repeat=6)))
    np.testing.assert_array_equal(levels_of(found, bits), levels_of(made, bits))
    np.testing.assert_array_equal((bits @ whole.T + found.bias) % 1, 0.5)


def test_whole_weights_that_no_synapses_hold_are_made_as_large_as_others() -> None:
    rows = np.array([[1.0, -20000.0, 32767.0]])
    made = layer(rows, np.array([0.5]), 1)
    low, high = sharpened(made, Precision(LOIHI, 8)).reach
    assert (high - low)[0] <= 256
