from __future__ import annotations

from collections.abc import Callable
from math import erf, exp, expm1, log1p

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.calibration.ramps import Met, even_ramps, uneven_ramps
from snnc.compiler.analysis.ramps import Ramps
from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import Source, Staircase

VALUES = np.random.default_rng(0).normal(size=20000) * 2


def each(function: Callable[[float], float]) -> Callable[[np.ndarray], np.ndarray]:
    return np.vectorize(function, otypes=[float])


RISING = {
    "sigmoid": each(lambda x: 1 / (1 + exp(-x))),
    "tanh": np.tanh,
    "elu": each(lambda x: x if x > 0 else expm1(x)),
    "softplus": each(lambda x: log1p(exp(x))),
    "hard tanh": lambda x: np.clip(x, -1, 1),
    "relu": lambda x: np.maximum(x, 0),
}
DIPPING = {
    "silu": each(lambda x: x / (1 + exp(-x))),
    "gelu": each(lambda x: x * (1 + erf(x / 2**0.5)) / 2),
    "hard swish": lambda x: x * np.clip(x + 3, 0, 6) / 6,
}
ALL = {**RISING, **DIPPING}


def error(ramps: Ramps, function: Callable) -> float:
    wanted = function(VALUES)
    return float(np.std(ramps.apply(VALUES) - wanted) / np.std(wanted))


def fits(name: str, levels: int) -> tuple[tuple[Ramps, ...], tuple[Ramps, ...]]:
    met = Met.of(ALL[name], VALUES)
    return even_ramps(ALL[name], met, levels, 4), uneven_ramps(ALL[name], met, levels)


@pytest.mark.parametrize("name", ALL)
def test_the_error_falls_with_levels_and_with_ramps(name: str) -> None:
    found = [fits(name, levels) for levels in (3, 7, 15)]
    even = np.array([[error(ramps, ALL[name]) for ramps in each] for each, _ in found])
    assert np.all(np.diff(even, axis=0) < 0)
    assert np.all(np.diff(even, axis=1) < 0.005)
    own = [error(each[-1], ALL[name]) for _, each in found]
    assert np.all(np.diff(own) < 0)
    assert max(own) < 0.35
    assert own[-1] < 0.12


@pytest.mark.parametrize("name", RISING)
@pytest.mark.parametrize("levels", [1, 7])
def test_what_rises_is_made_of_what_rises(name: str, levels: int) -> None:
    even, uneven = fits(name, levels)
    x = np.linspace(-9, 9, 2000)
    for ramps in (*even, *uneven):
        assert np.all(np.diff(ramps.apply(x)) >= 0)
    assert len(uneven) == 1


@pytest.mark.parametrize("name", DIPPING)
def test_one_ramp_falls_into_the_dip(name: str) -> None:
    even, uneven = fits(name, 63)
    for ramps in (even[-1], uneven[-1]):
        falls = [float(each.rise) < 0 for each in ramps.ramps]
        assert falls.count(True) == 1
        dip = np.linspace(-6, 0, 200)
        assert ramps.apply(dip).min() < 0.5 * ALL[name](dip).min()


@pytest.mark.parametrize("name", ["hard tanh", "relu"])
def test_where_a_function_is_straight_half_a_level_is_lost(name: str) -> None:
    met = Met.of(ALL[name], VALUES)
    for ramps in even_ramps(ALL[name], met, 31, 2):
        wanted = ALL[name](VALUES)
        start, end = ramps.span
        inside = (start < VALUES) & (end > VALUES)
        level = max(abs(float(each.rise)) for each in ramps.ramps) / 31
        assert np.quantile(np.abs(ramps.apply(VALUES) - wanted)[inside], 0.99) < 0.55 * level


def test_uneven_levels_lie_where_the_function_crosses_their_middles() -> None:
    _, (ramps,) = fits("sigmoid", 7)
    (ramp,) = ramps.ramps
    step = (ramp.end - ramp.start) / 7
    begins = ramp.start + (ramp.thresholds - 0.5) * step
    heights = ALL["sigmoid"](begins)
    np.testing.assert_allclose(np.diff(heights), np.diff(heights)[0], rtol=0.02)
    assert np.diff(begins).max() > 1.1 * np.diff(begins).min()


@given(
    st.lists(st.floats(-50, 50, allow_subnormal=False), min_size=1, max_size=40),
    st.sampled_from(sorted(ALL)),
    st.integers(1, 9),
)
@settings(max_examples=30, deadline=None)
def test_whatever_was_met_something_legal_is_fitted(values: list, name: str, levels: int) -> None:
    met = Met.of(ALL[name], np.array(values))
    for ramps in (*even_ramps(ALL[name], met, levels, 3), *uneven_ramps(ALL[name], met, levels)):
        for ramp in ramps.ramps:
            assert ramp.end > ramp.start
            assert np.isfinite([ramp.start, ramp.end, ramp.rise]).all()
            if ramp.thresholds is not None:
                assert np.all(np.diff(ramp.thresholds) >= -1e-9)
        assert np.isfinite(ramps.apply(met.x)).all()


@pytest.mark.parametrize("name", ["sigmoid", "silu"])
def test_ramps_in_numpy_are_those_in_the_network(name: str) -> None:
    x = VALUES[:60].reshape(5, 3, 2, 2)
    for ramps in (*fits(name, 5)[0], *fits(name, 5)[1]):
        builder = Builder()
        last = ramps.add_to(builder, "f", builder.add("x", Source((3, 2, 2))))
        network = Network(builder.nodes(last))
        np.testing.assert_allclose(evaluate(network, x)[last], ramps.apply(x), atol=1e-9)
        fired = [node for node in network if isinstance(node.operator, Staircase)]
        assert len(fired) == ramps.populations
