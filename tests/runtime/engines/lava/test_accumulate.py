"""The neurons' law, without a simulator: the spikes are the bits of the integer staircase."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnc.compiler.laws import BitSerial, Integers, Neuron, Readout, bits_for
from snnc.compiler.rules.timing import Slot, Window
from snnc.compiler.spiking import Population
from snnc.runtime.engines.lava.accumulate import BitSerialNeurons, ReadoutNeurons
from snnc.runtime.engines.lava.membrane import HIGHEST_STATE, LOWEST_STATE, Membrane

NEURONS = 4


def population(neuron: Neuron, bias: npt.ArrayLike) -> Population:
    bias = np.asarray(bias)
    return Population("p", bias.shape, (), bias, neuron)


def listen(law: Membrane, slot: Slot, period: int, images: npt.NDArray[np.int32]) -> Integers:
    """Feed images (images, steps from the first window on, neurons); give what was fired."""
    first = min(each.start for each in slot.windows)
    steps = slot.fire + period * len(images) + slot.turn
    arrived = np.zeros((steps, *images.shape[2:]), np.int32)
    for index, image in enumerate(images):
        begin = first + index * period
        arrived[begin : begin + len(image)] += image
    fired = np.array([law.step(now, each).copy() for now, each in enumerate(arrived)], np.int64)
    assert not fired[: slot.fire].any()
    begins = [slot.fire + index * period for index in range(len(images))]
    return np.array([fired[begin : begin + slot.turn] for begin in begins])


def numbers(bits: Integers) -> Integers:
    """Read (…, T, neurons) spikes as numbers, the highest bit first."""
    weights = 2 ** np.arange(bits.shape[-2])[::-1]
    return np.asarray(np.einsum("...tn,t->...n", bits, weights))


def slot_of(*lengths: int, turn: int, start: int = 1) -> Slot:
    """Give windows one after another."""
    starts = [start + sum(lengths[:index]) for index in range(len(lengths))]
    windows = tuple(Window(start, length) for start, length in zip(starts, lengths, strict=True))
    return Slot(windows, windows[-1].last, turn)


def integers(low: int, high: int, *shape: int) -> st.SearchStrategy[npt.NDArray[np.int32]]:
    size = int(np.prod(shape))
    lists = st.lists(st.integers(low, high), min_size=size, max_size=size)
    return lists.map(lambda values: np.array(values, np.int32).reshape(shape))


@st.composite
def cases(draw: st.DrawFn) -> tuple[int, Integers, Integers, Slot, npt.NDArray[np.int32]]:
    levels = draw(st.integers(1, 40))
    reach = 4 * 50 * (levels + 1)
    lengths = draw(st.sampled_from([(1,), (3,), (5,), (1, 4), (3, 2, 3)]))
    reach //= 2 ** max(lengths) - 1
    arrived = draw(integers(-reach, reach, 2, sum(lengths), NEURONS))
    step = draw(integers(1, 50, NEURONS)).astype(np.int64)
    bias = draw(integers(-500, 500, NEURONS)).astype(np.int64)
    turn = bits_for(levels) + draw(st.integers(0, 3))
    return levels, step, bias, slot_of(*lengths, turn=turn), arrived


def sums(slot: Slot, image: npt.NDArray[np.int32]) -> Integers:
    """Σ a·2^(bit) over every window of one image."""
    total = np.zeros(image.shape[1:], np.int64)
    for each in slot.windows:
        begin = each.start - slot.windows[0].start
        total += numbers(image[begin : begin + each.length].astype(np.int64))
    return total


@given(cases())
def test_spikes_are_the_bits_of_the_staircase(
    case: tuple[int, Integers, Integers, Slot, npt.NDArray[np.int32]],
) -> None:
    levels, step, bias, slot, images = case
    period = slot.fire + slot.turn
    law = BitSerialNeurons(population(BitSerial(step, levels), bias), slot, period)
    fired = listen(law, slot, period, images)
    z = np.array([sums(slot, image) for image in images])
    expected = np.clip((z + bias) // step, 0, levels)
    np.testing.assert_array_equal(numbers(fired), expected)
    assert law.overflows == 0


@given(integers(-4000, 4000, 5, 1, NEURONS), st.integers(1, 20), st.sampled_from([1, 23]))
def test_pipelined_images_do_not_touch_each_other(
    images: npt.NDArray[np.int32], levels: int, start: int
) -> None:
    slot = slot_of(1, turn=bits_for(levels), start=start)
    firing = BitSerial(np.full(NEURONS, 30), levels)
    law = BitSerialNeurons(population(firing, np.full(NEURONS, 45)), slot, slot.turn)
    fired = listen(law, slot, slot.turn, images)
    expected = np.clip((images[:, 0] + 45) // 30, 0, levels)
    np.testing.assert_array_equal(numbers(fired), expected)


@given(integers(-400, 400, 3, 4, NEURONS), integers(-9, 9, NEURONS))
def test_readout_shows_the_sum_and_the_bias_once(
    images: npt.NDArray[np.int32], bias: npt.NDArray[np.int32]
) -> None:
    slot = slot_of(4, turn=1)
    law = ReadoutNeurons(population(Readout(np.ones(NEURONS)), bias), slot, 4)
    shown = listen(law, slot, 4, images)
    np.testing.assert_array_equal(shown[:, 0], [sums(slot, image) + bias for image in images])


def spikes_of(pre_activations: Iterator[float] | list[float], half_step: int) -> list[str]:
    """QCFS with 7 levels and λ = 7, so that one level is 1.0; Δ = 10."""
    z = np.array([round(10 * each) for each in pre_activations], np.int32)
    slot = slot_of(1, turn=3)
    firing = BitSerial(np.full(len(z), 10), 7)
    law = BitSerialNeurons(population(firing, np.full(len(z), half_step)), slot, 3)
    (fired,) = listen(law, slot, 3, z[None, None])
    return ["".join(map(str, bits)) for bits in fired.T]


def test_worked_example() -> None:
    assert spikes_of([3.7, 8.2, 0.8, 2.6], half_step=5) == ["100", "111", "001", "011"]


def test_without_the_half_step_the_staircase_is_another() -> None:
    assert spikes_of([0.8, 2.6], half_step=0) == ["000", "010"]


@pytest.mark.parametrize("value", [HIGHEST_STATE + 1, LOWEST_STATE - 1])
def test_a_value_beyond_24_bits_is_counted_and_not_wrapped(value: int) -> None:
    slot = slot_of(1, turn=1)
    law = ReadoutNeurons(population(Readout(np.ones(2)), [0, 0]), slot, 1)
    shown = listen(law, slot, 1, np.array([[[value, 7]]], np.int32))
    assert shown.tolist() == [[[value, 7]]]
    assert law.overflows > 0


@pytest.mark.parametrize(
    ("windows", "arrived", "bias"),
    [
        ((1,), [HIGHEST_STATE], 1),  # v + B
        ((1, 1), [HIGHEST_STATE, 1], -9),  # v
        ((1, 2), [-9, 2**22, 0], 0),  # u
        ((2,), [-9, HIGHEST_STATE + 1], 0),  # a
    ],
)
def test_one_excess_is_counted_once_wherever_it_is(
    windows: tuple[int, ...], arrived: list[int], bias: int
) -> None:
    slot = slot_of(*windows, turn=4)
    law = BitSerialNeurons(population(BitSerial(np.array([3]), 15), [bias]), slot, 8)
    listen(law, slot, 8, np.array(arrived, np.int32).reshape(1, -1, 1))
    assert law.overflows == 1


@pytest.mark.parametrize("value", [HIGHEST_STATE, LOWEST_STATE])
def test_the_ends_of_24_bits_are_allowed(value: int) -> None:
    slot = slot_of(1, turn=4)
    law = BitSerialNeurons(population(BitSerial(np.array([3]), 15), [0]), slot, 4)
    listen(law, slot, 4, np.array([[[value]]], np.int32))
    assert law.overflows == 0
