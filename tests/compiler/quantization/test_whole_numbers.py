import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.network import Node
from snnc.compiler.operators import MatMul, Staircase
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.whole_numbers import on_grid, spacing
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
