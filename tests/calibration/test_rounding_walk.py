"""The walk beside the rounded layers, held against the network evaluated in float64."""

from __future__ import annotations

import numpy as np
import pytest

from snnc.calibration.rounding_walk import RoundingWalk
from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import Conv, Floats, MatMul, Source, Staircase
from snnc.compiler.quantization.observer import RoundedLayer

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 16, (120, 2, 6, 6))


def network(first: Floats, bias: Floats) -> Network:
    """Two staircases and a read-out; the first layer is given."""
    rng = np.random.default_rng(1)
    builder = Builder()
    builder.add("x", Source((2, 6, 6)))
    builder.add("one", Conv(first, bias, (1, 1), (1,) * 4, (1, 1)), "x")
    builder.add("levels", Staircase(7), "one")
    second = Conv(rng.normal(size=(3, 4, 3, 3)) / 4, np.full(3, 0.5), (1, 1), (0,) * 4, (1, 1))
    builder.add("two", second, "levels")
    builder.add("more", Staircase(7), "two")
    builder.add("fc", MatMul(rng.normal(size=(5, 48)), np.zeros(5)), "more")
    return Network(builder.nodes("fc"))


WEIGHTS = RNG.normal(size=(4, 2, 3, 3)) / 20
SOURCE = network(WEIGHTS, np.full(4, 0.5))
COARSE = np.round(WEIGHTS * 12) / 12
LOST = ((WEIGHTS - COARSE).reshape(4, 1, 18),)


def mean_levels(found: Network) -> Floats:
    return np.asarray(evaluate(found, IMAGES)["levels"].mean((0, 2, 3)))


def test_the_shift_keeps_the_mean_of_the_levels() -> None:
    shift = RoundingWalk(SOURCE, IMAGES).shift(SOURCE.by_name["levels"], LOST)
    wanted, plain, kept = (
        mean_levels(each)
        for each in (SOURCE, network(COARSE, np.full(4, 0.5)), network(COARSE, 0.5 + shift))
    )
    assert np.abs(kept - wanted).max() < 0.2 * np.abs(plain - wanted).max()


def test_the_shift_of_a_readout_keeps_the_mean_of_its_sums() -> None:
    walk = RoundingWalk(SOURCE, IMAGES)
    for name in ("levels", "more"):
        walk.advance(SOURCE.by_name[name], None)
    sent = evaluate(SOURCE, IMAGES)["more"].reshape(len(IMAGES), -1)
    lost = RNG.normal(size=(5, 48))
    shift = walk.shift(SOURCE.output, (lost.reshape(5, 1, 48),))
    np.testing.assert_allclose(shift, (sent @ lost.T).mean(0), rtol=1e-4)


@pytest.mark.parametrize("moved", [1 / 24, 1.5 + 1 / 24])
def test_layers_behind_receive_what_is_really_sent(moved: float) -> None:
    walk = RoundingWalk(SOURCE, IMAGES)
    walk.advance(SOURCE.by_name["levels"], RoundedLayer(LOST, np.full(4, moved)))
    found = walk.statistics(SOURCE.by_name["more"])[0]
    sent = evaluate(network(COARSE, np.full(4, 0.5 + moved)), IMAGES)["levels"]
    expected = RoundingWalk(SOURCE, IMAGES)
    expected.values["levels"] = walk.values["levels"][0], sent
    np.testing.assert_allclose(
        found.covariance, expected.statistics(SOURCE.by_name["more"])[0].covariance, rtol=1e-6
    )


def test_nothing_is_kept_that_nobody_reads() -> None:
    walk = RoundingWalk(SOURCE, IMAGES)
    walk.advance(SOURCE.by_name["levels"], None)
    assert set(walk.values) == {"levels"}
