import numpy as np
import pytest

from snnc.runtime.spikes import bit_planes, count_differences, count_spikes


def test_the_highest_bit_comes_first() -> None:
    levels = np.array([[[[4, 7]], [[0, 1]]]])
    planes = np.unpackbits(bit_planes(levels, 3), axis=2)[0, :, :4]
    assert planes.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 1]]


def test_planes_are_packed_image_by_image() -> None:
    planes = bit_planes(np.ones((5, 3, 3), np.uint8), 2)
    assert planes.shape == (5, 2, 2)
    assert planes.dtype == np.uint8
    assert planes[0].tolist() == [[0, 0], [255, 128]]


def test_weighted_planes_are_the_levels() -> None:
    levels = np.random.default_rng(0).integers(0, 32, (4, 13))
    bits = np.unpackbits(bit_planes(levels, 5), axis=2, count=13).astype(int)
    np.testing.assert_array_equal(np.tensordot([16, 8, 4, 2, 1], bits, (0, 1)), levels)


def test_spikes_and_differences_are_counted() -> None:
    first, second = bit_planes(np.array([[3, 0]]), 2), bit_planes(np.array([[1, 2]]), 2)
    assert count_spikes(first) == 2
    assert count_differences(first, second) == 2
    assert count_differences(first, first) == 0


def test_trains_of_other_shapes_are_not_compared() -> None:
    one, two = bit_planes(np.ones((1, 8), int), 1), bit_planes(np.ones((1, 8), int), 2)
    with pytest.raises(ValueError, match=r"^spike trains of shapes \(1, 1, 1\) and \(1, 2, 1\)$"):
        count_differences(one, two)
