import numpy as np
import pytest

from snnc.compiler.laws import BitSerial, Copies, Current, Graded, OffsetSpike, Rate
from snnc.compiler.laws.planes import bits_of, count_differences, count_spikes


def test_the_highest_bit_comes_first() -> None:
    levels = np.array([[[[4, 7]], [[0, 1]]]])
    planes = np.unpackbits(bits_of(levels, 3), axis=2)[0, :, :4]
    assert planes.tolist() == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 1, 0, 1]]


def test_planes_are_packed_image_by_image() -> None:
    planes = bits_of(np.ones((5, 3, 3), np.uint8), 2)
    assert planes.shape == (5, 2, 2)
    assert planes.dtype == np.uint8
    assert planes[0].tolist() == [[0, 0], [255, 128]]


def test_weighted_planes_are_the_levels() -> None:
    levels = np.random.default_rng(0).integers(0, 32, (4, 13))
    bits = np.unpackbits(bits_of(levels, 5), axis=2, count=13).astype(int)
    np.testing.assert_array_equal(np.tensordot([16, 8, 4, 2, 1], bits, (0, 1)), levels)


def test_spikes_and_differences_are_counted() -> None:
    first, second = bits_of(np.array([[3, 0]]), 2), bits_of(np.array([[1, 2]]), 2)
    assert count_spikes(first) == 2
    assert count_differences(first, second) == 2
    assert count_differences(first, first) == 0


def test_trains_of_other_shapes_are_not_compared() -> None:
    one, two = bits_of(np.ones((1, 8), int), 1), bits_of(np.ones((1, 8), int), 2)
    with pytest.raises(ValueError, match=r"^spike trains of shapes \(1, 1, 1\) and \(1, 2, 1\)$"):
        count_differences(one, two)


ONE = np.ones(1, np.int64)
TRAIN = np.array([[[1, 0]], [[0, 0]], [[1, 1]]])
"""(time steps, images, neurons)."""


def unpacked(planes: np.ndarray) -> list[list[int]]:
    """The planes of the first image, of two neurons."""
    return np.unpackbits(planes, axis=2, count=2)[0].tolist()


def test_a_rate_neuron_leaves_its_train() -> None:
    neuron = Rate(ONE, 0 * ONE, 3)
    planes = neuron.bit_planes(TRAIN)
    assert unpacked(planes) == [[1, 0], [0, 0], [1, 1]]
    assert (planes.shape[1], neuron.spikes_in(planes)) == (neuron.planes, 3)


def test_a_calibrating_neuron_sends_its_train_again() -> None:
    neuron = OffsetSpike(ONE, 0 * ONE, time_steps=3, rho=1, iterations=3)
    planes = neuron.bit_planes(TRAIN)
    whole = [[1, 0], [0, 0], [1, 1]]
    assert unpacked(planes) == [*whole, [1, 0], [1, 0], *whole]
    assert (planes.shape[1], neuron.spikes_in(planes)) == (neuron.planes, 8)


def test_copies_fire_from_the_first_on() -> None:
    neuron = Copies(np.array([[1], [2], [3]]))
    planes = neuron.bit_planes(np.array([[2, 0]]))
    assert unpacked(planes) == [[1, 0], [1, 0], [0, 0]]
    assert neuron.spikes_in(planes) == 2


def test_a_payload_is_one_spike_each_time_it_is_sent() -> None:
    levels = np.array([[7, 0], [3, 4]])
    for neuron, spikes in ((Graded(ONE, 7), 3), (Current(ONE, 7, turn=5), 15)):
        planes = neuron.bit_planes(levels)
        np.testing.assert_array_equal(planes, bits_of(levels, 3))
        assert neuron.spikes_in(planes) == spikes
    neuron = BitSerial(ONE, 7)
    assert neuron.spikes_in(neuron.bit_planes(levels)) == 6
