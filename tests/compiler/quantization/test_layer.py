from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.network import Node
from snnc.compiler.operators import MatMul, Staircase
from snnc.compiler.quantization.layer import Layer, Precision, saturated
from snnc.compiler.target import LOIHI

MIXED, POSITIVE, NEGATIVE = np.array([-1.0, 2.0]), np.array([0.0, 1.0]), np.array([-1.0, 0.0])
LEVELS = (3, 5)


@pytest.mark.parametrize(
    ("bits", "synapse", "shift", "mixed", "unsigned"), [(2, 2, 1, 1, 3), (8, 8, 7, 127, 255)]
)
def test_one_synapse_holds_its_bits(
    bits: int, synapse: int, shift: int, mixed: int, unsigned: int
) -> None:
    precision = Precision(LOIHI, bits)
    assert (precision.doubled, precision.synapse_bits, precision.shift) == (False, synapse, shift)
    found = [precision.weight_max(each, wide=False) for each in (MIXED, POSITIVE, NEGATIVE)]
    assert found == [mixed, unsigned, unsigned]


def test_two_synapses_hold_15_bits_and_a_sign() -> None:
    precision = Precision(LOIHI, 16)
    assert (precision.doubled, precision.synapse_bits, precision.shift) == (True, 8, 7)
    found = [precision.weight_max(each, wide=True) for each in (MIXED, POSITIVE, NEGATIVE)]
    assert found == [(127 << 7) + 127, (255 << 7) + 127, (255 << 7) + 127]


def drawn(seed: int) -> Layer:
    """Two channels of one neuron, with two sources of two neurons each."""
    rng = np.random.default_rng(seed)
    rows = tuple(rng.normal(size=(2, 1, 2)) * (rng.random((2, 1, 2)) < 0.8) for _ in LEVELS)
    bias = rng.normal(0, 9, 2)
    matrices = tuple(
        Node(f"fc{k}", MatMul(r[:, 0], bias), ("x",), (2,)) for k, r in enumerate(rows)
    )
    return Layer(Node("qcfs", Staircase(7), ("add",), (2,)), matrices, rows, LEVELS, bias)


def sums(layer: Layer) -> np.ndarray:
    """Those of all corners: (corners, channels), without the bias."""
    corners = product(*[(0, each) for each in LEVELS for _ in range(2)])
    n = np.array(list(corners))
    return n[:, :2] @ layer.rows[0][:, 0].T + n[:, 2:] @ layer.rows[1][:, 0].T


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_reach_and_span_are_those_of_the_corners(seed: int, steps: int) -> None:
    layer = replace(drawn(seed), time_steps=steps, margin=0.5)
    found = sums(layer)
    np.testing.assert_allclose(layer.reach, [found.min(0), found.max(0)])
    total = np.concatenate([found, found + steps * layer.bias])
    farthest = np.abs(total).max(0)
    np.testing.assert_allclose(layer.span, farthest + 0.5)
    swinging = replace(layer, swings=True)
    np.testing.assert_allclose(swinging.span, total.max(0) - total.min(0) + 0.5)
    np.testing.assert_allclose(replace(swinging, keeps=True).span, 2 * farthest + 0.5)


def test_a_channel_reaches_as_far_as_any_of_its_neurons() -> None:
    layer = drawn(1)
    rows = np.random.default_rng(1).normal(size=(2, 3, 2))
    alone = [replace(layer, rows=(rows[:, [k]], *layer.rows[1:])).reach for k in range(3)]
    low, high = replace(layer, rows=(rows, *layer.rows[1:])).reach
    np.testing.assert_allclose(low, np.min([each[0] for each in alone], axis=0))
    np.testing.assert_allclose(high, np.max([each[1] for each in alone], axis=0))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_bias_is_pulled_in_to_where_nothing_changes(seed: int) -> None:
    layer = drawn(seed)
    far = replace(layer, bias=layer.bias * 9)
    pulled, found = saturated(far, 7).bias, sums(layer)
    before, after = (np.clip(np.floor(found + each), 0, 7) for each in (far.bias, pulled))
    np.testing.assert_array_equal(before, after)
    low, high = found.min(0), found.max(0)
    assert (np.abs(pulled) <= np.abs(far.bias)).all() or (pulled == far.bias).all()
    np.testing.assert_allclose(pulled, np.clip(far.bias, -high - 1, 8 - low))


def test_peaks_are_those_of_weights_that_are_kept() -> None:
    layer = drawn(3)
    peaks = [np.abs(rows).max((1, 2)) for rows in layer.rows]
    np.testing.assert_array_equal(layer.peak(1), peaks[1])
    kept = replace(layer, clips=(np.ones(2), np.array([0.5, 1.0])))
    np.testing.assert_array_equal(kept.peak(1), peaks[1] * [0.5, 1.0])


def test_a_shortcut_has_one_synapse_a_neuron_beside_others() -> None:
    layer, single = drawn(0), np.array([[[0.0, 2.0]], [[0.0, 0.0]]])
    joined = replace(layer, rows=(np.ones((2, 1, 2)), single))
    assert (joined.is_narrow(0), joined.is_narrow(1)) == (False, True)
    assert not replace(joined, rows=(single,)).is_narrow(0)
    assert layer.joined.shape == (2, 4)


@pytest.mark.parametrize(
    ("weights", "one", "two"),
    [
        (MIXED, (-128, 127), (-16383, 16383)),
        (POSITIVE, (0, 255), (0, 32767)),
        (NEGATIVE, (-255, 0), (-32767, 0)),
        (POSITIVE / 9, (0, 255), (0, 32767)),
    ],
)
def test_a_sign_that_does_not_come_has_no_room(
    weights: np.ndarray, one: tuple[int, int], two: tuple[int, int]
) -> None:
    precision = Precision(LOIHI, 16)
    assert precision.weight_range(weights, wide=False) == one
    assert precision.weight_range(weights, wide=True) == two


def test_what_rounding_did_is_told_in_levels() -> None:
    """Whatever the rows and the bias were made larger by, and whatever they are worth."""
    layer, gain = drawn(0), np.array([4.0, 0.5])
    lost = tuple(0.01 * rows for rows in layer.rows)
    plain = layer.rounded(lost, layer.bias + 0.25)
    np.testing.assert_allclose(plain.shift, 0.25)
    worth = (3.0, 7.0)
    large = replace(
        layer,
        rows=tuple(r * gain[:, None, None] / n for r, n in zip(layer.rows, worth, strict=True)),
        bias=layer.bias * gain / 5,
        worth=worth,
        bias_worth=5.0,
        magnification=gain,
    )
    found = large.rounded(tuple(0.01 * rows for rows in large.rows), large.bias + 0.05 * gain)
    np.testing.assert_allclose(found.shift, plain.shift)
    for ours, theirs, parts in zip(found.lost, plain.lost, lost, strict=True):
        np.testing.assert_allclose(theirs, parts)
        np.testing.assert_allclose(ours, parts)
