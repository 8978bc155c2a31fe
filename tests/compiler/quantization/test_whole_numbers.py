from dataclasses import replace
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.network import Node
from snnc.compiler.operators import MatMul, Staircase
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.whole_numbers import (
    finest_exponent,
    finest_step,
    multiple,
    on_grid,
    spacing,
)
from snnc.compiler.target import LOIHI

EIGHT = Precision(LOIHI, 8)


def layer(rows: np.ndarray, bias: np.ndarray, levels: int) -> Layer:
    matrix = Node("fc", MatMul(rows, bias), ("x",), bias.shape)
    end = Node("qcfs", Staircase(levels), ("fc",), bias.shape)
    return Layer(end, (matrix,), (rows[:, None],), (levels,), bias)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=200, deadline=None)
def test_thresholds_are_the_real_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = int(rng.choice([1, 3, 15, 255]))
    whole = rng.integers(-127, 128, (4, 6))
    r = 1 / rng.uniform(20, 900, 4)
    bias = rng.uniform(-1, levels, 4)
    made = layer(whole * r[:, None], bias, levels)
    found = spacing(made, EIGHT)
    assert found is not None
    grid = on_grid(made, levels, found, EIGHT)
    assert grid is not None
    n = rng.integers(0, levels + 1, (2000, 6))
    sums = n @ np.round(whole * r[:, None] / found[:, None]).astype(int).T
    exact = sums * found + bias
    clear = np.abs(exact - np.round(exact)) > 1e-6 * (levels + 1)
    real = np.clip(np.floor(exact), 0, levels)
    ours = np.clip(((sums << grid.exponent) + grid.bias) // grid.step, 0, levels)
    assert np.abs(ours - real)[clear].max() <= 1
    assert np.mean((ours != real)[clear]) <= (0.05 if grid.moved else 0)
    assert grid.moved <= 4 * levels * (levels / 255) ** 0.5


@pytest.mark.parametrize("scale", [1.0, 1 / 3, 1 / 64])
def test_whole_weights_lose_nothing(scale: float) -> None:
    made = layer(np.array([[1.0, -1.0], [2.0, 3.0]]) * scale, np.array([0.5, -0.2]), 7)
    found = spacing(made, EIGHT)
    assert found is not None
    grid = on_grid(made, 7, found, EIGHT)
    assert grid is not None
    assert grid.moved == 0
    assert np.all(grid.step == round(1 / scale)) or scale == 1 / 64


def test_other_weights_are_on_no_grid() -> None:
    rows = np.random.default_rng(0).normal(size=(8, 40))
    assert spacing(layer(rows, np.zeros(8), 7), EIGHT) is None
    assert spacing(layer(np.zeros((1, 3)), np.zeros(1), 7), EIGHT) is None


def test_a_synapse_must_hold_the_grid() -> None:
    rows = np.arange(-60, 61, dtype=float)[None]
    assert spacing(layer(rows, np.zeros(1), 7), EIGHT) is not None
    assert spacing(layer(rows, np.zeros(1), 7), Precision(LOIHI, 4)) is None


def drawn(seed: int, levels: int) -> tuple[Layer, np.ndarray, list[Fraction]]:
    """A layer of whole rows times r, those rows, and r; its biases are eighths."""
    rng = np.random.default_rng(seed)
    whole = rng.integers(-9, 10, (3, 6))
    whole[:, 0] = 1
    r = [Fraction(int(p), int(k)) for p, k in rng.integers((1, 5), (4, 900), (3, 2))]
    shape = (3, 1, 4) if rng.integers(2) else (3,)
    bias = rng.integers(-8, 8 * levels, shape) / 8
    rows = whole * np.array(r, float)[:, None]
    matrix = Node("fc", MatMul(np.repeat(rows, bias[0].size, 0), bias), ("x",), bias.shape)
    end = Node("qcfs", Staircase(levels), ("fc",), bias.shape)
    return Layer(end, (matrix,), (rows[:, None],), (levels,), bias), whole, r


def moved_by(bias: int, step: int, exponent: int, met: list[int]) -> int:
    """How many thresholds a whole neuron does not meet: Σ from which it sends each level."""
    unit = 1 << exponent
    return sum(-((bias - j * step) // unit) != each for j, each in enumerate(met, 1))


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 15]))
@settings(max_examples=40, deadline=None)
def test_moved_thresholds_are_counted(seed: int, levels: int) -> None:
    made, whole, r = drawn(seed, levels)
    found = spacing(made, EIGHT)
    np.testing.assert_allclose(found, np.array(r, float), rtol=1e-9)
    grid = on_grid(made, levels, found, EIGHT)
    flat = made.bias.reshape(3, -1)
    patterns = np.unique(flat, axis=1)
    count = 0
    for channel, pattern in np.ndindex(patterns.shape):
        b = Fraction(patterns[channel, pattern])
        met = [ceil((j - b) / r[channel]) for j in range(1, levels + 1)]
        chosen = grid.bias.reshape(3, -1)[channel, flat[channel] == patterns[channel, pattern]]
        assert len(set(chosen.tolist())) == 1
        step, unit = int(grid.step[channel]), 1 << grid.exponent
        moved = moved_by(int(chosen[0]), step, grid.exponent, met)
        near = range(int(chosen[0]) - unit, int(chosen[0]) + unit + 1)
        assert moved == 0 or all(moved_by(each, step, grid.exponent, met) for each in near)
        count += moved
    assert (grid.moved, grid.thresholds) == (count, patterns.size * levels)
    reach = (np.abs(whole).sum(1) * levels << grid.exponent) + np.abs(grid.bias.reshape(3, -1)).max(
        1
    )
    assert (np.maximum(reach, (levels + 1) * grid.step) <= LOIHI.state_max).all()
    finer = [
        on_grid(made, levels, found, Precision(replace(LOIHI, max_weight_exponent=e), 8))
        for e in range(8)
    ]
    assert all(
        each is None or (each.moved, each.exponent) >= (grid.moved, grid.exponent) for each in finer
    )


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_as_often_as_weights_fit(seed: int) -> None:
    made, whole, _ = drawn(seed, 3)
    r = spacing(made, EIGHT)
    for e in (0, 3):
        times = multiple(made, r, e, EIGHT)
        state = LOIHI.state_max / 2 * r / 2.0**e / np.maximum(made.span, 4)
        most = np.minimum(state, EIGHT.weight_max(made.rows[0], wide=False) / np.abs(whole).max(1))
        np.testing.assert_array_equal(times, np.maximum(1, np.floor(most + 1e-3)))


@pytest.mark.parametrize(("eighths", "expected"), [(8, 0), (4, 1), (2, 2), (1, 3), (0.0625, 7)])
def test_a_readout_takes_the_least_exponent_that_makes_its_bias_whole(
    eighths: float, expected: int
) -> None:
    rows, bias = np.array([[1.0, -2.0], [3.0, 1.0]]), np.array([1.0, eighths / 8])
    made = layer(rows / 4, bias / 4, 7)
    assert finest_exponent(made, np.full(2, 0.25), EIGHT) == expected
    coarse = Precision(replace(LOIHI, max_weight_exponent=1), 8)
    assert finest_exponent(made, np.full(2, 0.25), coarse) == min(expected, 1)


STEPS = {7: (7, 0), 7.5: (15, 1), 6.75: (27, 2), 7.3: (467, 6), 2000.3: (2000, 0), 1.37: None}
"""One threshold for each weight of 1/k: the least shift that moves it by a thousandth at most."""


@pytest.mark.parametrize(("k", "expected"), STEPS.items())
def test_a_threshold_of_a_rate_neuron_is_whole(k: float, expected: object) -> None:
    made = layer(np.array([[1.0, -2.0]]) / k, np.zeros(1), 1)
    found = finest_step(made, np.array([1 / k]), EIGHT)
    assert (found and (found[0].item(), found[1])) == expected
