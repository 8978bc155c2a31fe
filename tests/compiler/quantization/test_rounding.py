from dataclasses import replace

import numpy as np
from support.layers import plain_layer

from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.rounding import round_projection
from snnc.compiler.target import LOIHI

EIGHT, FOUR = Precision(LOIHI, 8), Precision(LOIHI, 4)
# an outlier that is worth clipping beside many small weights
ROWS = np.concatenate([[[1.7], [-1.7]], np.random.default_rng(0).uniform(-1, 1, (2, 400))], axis=1)
SEEN = Statistics(np.eye(401)[None])


def seen(layer: Layer, *statistics: Statistics) -> Layer:
    return replace(layer, statistics=statistics)


def test_feedback_keeps_the_one_sign_of_weights() -> None:
    scale = np.full(2, 3.0)
    for sign, low, high in ((1, 0, 15), (-1, -15, 0)):
        layer = seen(plain_layer(sign * np.abs(ROWS)), SEEN)
        weights = round_projection(layer, 0, scale, FOUR).weights
        assert low <= weights.min() < weights.max() <= high


def test_without_data_weights_are_rounded_to_the_nearest() -> None:
    found = round_projection(plain_layer(ROWS), 0, np.array([50.0, 60.0]), EIGHT)
    expected = np.round(ROWS * [[50.0], [60.0]])
    np.testing.assert_array_equal(found.weights[:, 0], expected)
    assert (found.exponent, found.wide) == (0, False)


def test_what_is_lost_is_told_and_weighed_by_the_data() -> None:
    layer = seen(plain_layer(ROWS), SEEN)
    found = round_projection(layer, 0, np.full(2, 4.0), FOUR)
    lost = ROWS - found.weights[:, 0] / 4
    np.testing.assert_allclose(found.lost[:, 0], lost)
    np.testing.assert_allclose(found.error, np.linalg.norm(lost) / np.linalg.norm(ROWS))
    small = seen(plain_layer(ROWS * 1e-6), SEEN)
    np.testing.assert_allclose(round_projection(small, 0, np.full(2, 4e6), FOUR).error, found.error)
    silent = seen(plain_layer(ROWS), Statistics(0 * SEEN.covariance))
    assert round_projection(silent, 0, np.full(2, 4.0), FOUR).error == 0
    assert round_projection(plain_layer(0 * ROWS), 0, np.full(2, 4.0), FOUR).error == 0
