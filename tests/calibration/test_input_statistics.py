import numpy as np
import pytest

from snnc.calibration.input_statistics import input_statistics
from snnc.compiler.network import Builder, Network
from snnc.compiler.operators import Conv, MatMul, Source, Staircase

RNG = np.random.default_rng(0)


def network(groups: int) -> Network:
    """A convolution whose only output sees all of the source, and a matrix."""
    builder = Builder()
    builder.add("x", Source((4, 3, 2)))
    weights = RNG.normal(size=(4, 4 // groups, 3, 2))
    builder.add("conv", Conv(weights, np.zeros(4), (1, 1), (0,) * 4, (1, 1), groups), "x")
    builder.add("levels", Staircase(7), "conv")
    builder.add("fc", MatMul(RNG.normal(size=(3, 4)), np.zeros(3)), "levels")
    return Network(builder.nodes("fc"))


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_mean_and_covariance_are_those_of_the_inputs(groups: int) -> None:
    images = RNG.integers(0, 256, (90, 4, 3, 2))
    found = input_statistics(network(groups), images)
    rows = images.reshape(90, groups, -1)
    for group in range(groups):
        np.testing.assert_allclose(found["conv"].mean[group], rows[:, group].mean(0))
        expected = np.cov(rows[:, group].T, ddof=0)
        np.testing.assert_allclose(found["conv"].covariance[group], expected, rtol=1e-3, atol=1)
    assert found["fc"].mean.shape == (1, 4)
    assert found["fc"].mean.max() <= 7


def test_places_are_drawn_from_all_of_space() -> None:
    builder = Builder()
    builder.add("x", Source((1, 8, 8)))
    kernel = Conv(np.ones((1, 1, 1, 1)), np.zeros(1), (1, 1), (0,) * 4, (1, 1))
    builder.add("conv", kernel, "x")
    images = np.broadcast_to(np.arange(64).reshape(1, 1, 8, 8), (50, 1, 8, 8))
    found = input_statistics(Network(builder.nodes("conv")), images)["conv"]
    assert abs(found.mean[0, 0] - 31.5) < 1.5
    assert abs(found.covariance[0, 0, 0] - np.var(np.arange(64))) < 30
