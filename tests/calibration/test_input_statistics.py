import numpy as np
import pytest

from snnc.calibration import input_statistics as input_statistics_module
from snnc.calibration.input_statistics import BEYOND, input_statistics
from snnc.compiler.network import Builder, Node
from snnc.compiler.operators import Conv, MatMul, Operator, Source

RNG = np.random.default_rng(0)


def projection(operator: Operator, *shape: int) -> Node:
    builder = Builder()
    return builder.by_name[builder.add("sums", operator, builder.add("x", Source(shape)))]


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_the_covariance_is_that_of_the_inputs(groups: int) -> None:
    images = RNG.integers(0, 256, (90, 4, 3, 2))
    weights = RNG.normal(size=(4, 4 // groups, 3, 2))
    conv = Conv(weights, np.zeros(4), (1, 1), (0,) * 4, (1, 1), groups)
    found = input_statistics(projection(conv, 4, 3, 2), images)
    rows = images.reshape(90, groups, -1)
    for group in range(groups):
        expected = np.cov(rows[:, group].T, ddof=0)
        np.testing.assert_allclose(found.covariance[group], expected, rtol=1e-3, atol=1)


@pytest.mark.parametrize("mean", [700, 1 << 20])
def test_a_small_variance_beside_a_large_mean_is_one(mean: int) -> None:
    images = np.full((200, 4, 1, 1), mean)
    images[::2, 1] += 1
    node = projection(MatMul(RNG.normal(size=(3, 4)), np.zeros(3)), 4, 1, 1)
    within = RNG.integers(0, 2, (200, 3)).astype(bool)
    for found in (input_statistics(node, images), input_statistics(node, images, within)):
        expected = np.zeros_like(found.covariance)
        expected[:, 1, 1] = 0.25
        np.testing.assert_allclose(found.covariance, expected, atol=0.02)
        assert np.isfinite(found.feedback).all()


def test_a_matrix_receives_all_of_its_source() -> None:
    images = RNG.integers(0, 8, (90, 2, 2, 2))
    found = input_statistics(
        projection(MatMul(RNG.normal(size=(3, 8)), np.zeros(3)), 2, 2, 2), images
    )
    expected = np.cov(images.reshape(90, -1).T, ddof=0)
    np.testing.assert_allclose(found.covariance[0], expected, rtol=1e-5)


def test_of_many_inputs_blocks_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_statistics_module, "MOST_INPUTS", 6)
    monkeypatch.setattr(input_statistics_module, "INPUTS_OF_A_BLOCK", 4)
    images = RNG.integers(0, 8, (90, 7, 1, 1))
    node = projection(MatMul(RNG.normal(size=(3, 7)), np.zeros(3)), 7, 1, 1)
    found = input_statistics(node, images)
    expected = np.cov(images.reshape(90, 7).T, ddof=0)
    assert found.covariance.shape == (2, 4, 4)
    np.testing.assert_allclose(found.covariance[0], expected[:4, :4], rtol=1e-5)
    np.testing.assert_allclose(found.covariance[1, :3, :3], expected[4:, 4:], rtol=1e-5)
    assert not found.covariance[1, 3].any()


def test_places_are_drawn_from_all_of_space() -> None:
    conv = Conv(np.ones((1, 1, 1, 1)), np.zeros(1), (1, 1), (0,) * 4, (1, 1))
    images = np.broadcast_to(np.arange(64).reshape(1, 1, 8, 8), (50, 1, 8, 8))
    found = input_statistics(projection(conv, 1, 8, 8), images)
    assert abs(found.covariance[0, 0, 0] - np.var(np.arange(64))) < 30


@pytest.mark.parametrize("operator", ["conv", "matrix"])
def test_every_channel_counts_its_own_sums(operator: str) -> None:
    images = RNG.integers(0, 8, (200, 2, 2, 2))
    conv = Conv(np.ones((3, 2, 2, 2)), np.zeros(3), (1, 1), (0,) * 4, (1, 1))
    kind = conv if operator == "conv" else MatMul(np.ones((3, 8)), np.zeros(3))
    node = projection(kind, 2, 2, 2)
    within = RNG.integers(0, 2, (200, *node.shape)).astype(bool)
    found = input_statistics(node, images, within)
    rows = images.reshape(200, 8)
    for channel, counts in enumerate(within.reshape(200, 3).T):
        expected = np.cov(rows.T, ddof=0, aweights=np.where(counts, 1, BEYOND))
        np.testing.assert_allclose(found.covariance[channel], expected, rtol=1e-4, atol=1e-4)
