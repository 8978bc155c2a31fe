from dataclasses import replace

import numpy as np
from support.layers import plain_layer

from snnc.compiler.quantization.feedback import Statistics, best_clips
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.rounding import clipped, round_projection
from snnc.compiler.target import LOIHI

EIGHT, FOUR, SIXTEEN = (Precision(LOIHI, bits) for bits in (8, 4, 16))
# an outlier that is worth clipping beside many small weights
ROWS = np.concatenate([[[1.7], [-1.7]], np.random.default_rng(0).uniform(-1, 1, (2, 400))], axis=1)
SEEN = Statistics(np.ones((1, 401)), np.eye(401)[None])


def seen(layer: Layer, *statistics: Statistics | None) -> Layer:
    return replace(layer, statistics=statistics)


def test_the_largest_weights_are_clipped_where_data_tells() -> None:
    layer = plain_layer(ROWS)
    assert clipped(layer, FOUR) is layer
    (found,) = clipped(seen(layer, SEEN), FOUR).clips
    np.testing.assert_array_equal(found, best_clips(ROWS, SEEN, 7))
    assert (found < 1).all()


def test_nothing_else_is_clipped() -> None:
    layer = seen(plain_layer(ROWS), SEEN)
    two_neurons = replace(layer, rows=(np.repeat(layer.rows[0], 2, 1),))
    single = np.where(np.arange(401) == 0, ROWS, 0)
    shortcut = seen(plain_layer(ROWS, single), None, SEEN)
    for each, precision in ((layer, SIXTEEN), (two_neurons, FOUR), (shortcut, FOUR)):
        for found in clipped(each, precision).clips:
            np.testing.assert_array_equal(found, np.ones(2))


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
    assert (found.exponent, found.wide, found.shift.tolist()) == (0, False, [0, 0])


def test_what_rounding_moves_of_the_mean_goes_to_the_bias() -> None:
    layer = seen(plain_layer(ROWS), SEEN)
    found = round_projection(layer, 0, np.full(2, 4.0), FOUR)
    lost = ROWS - found.weights[:, 0] / 4
    np.testing.assert_allclose(found.shift, lost.sum(1))
    np.testing.assert_allclose(found.error, np.linalg.norm(lost) / np.linalg.norm(ROWS))
    silent = seen(plain_layer(ROWS), Statistics(0 * SEEN.mean, 0 * SEEN.covariance))
    assert round_projection(silent, 0, np.full(2, 4.0), FOUR).error == 0
    assert round_projection(plain_layer(0 * ROWS), 0, np.full(2, 4.0), FOUR).error == 0
