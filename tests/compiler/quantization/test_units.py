"""The search for units, held against what every unit costs."""

from dataclasses import replace

import numpy as np
import pytest

from snnc.compiler.network import Builder, Network
from snnc.compiler.operators import Add, Conv, Source, Staircase
from snnc.compiler.quantization.feedback import Statistics, rounded
from snnc.compiler.quantization.layer import Layer, Precision, layer_of
from snnc.compiler.quantization.scale import placed, steps
from snnc.compiler.quantization.units import UnitCosts, fitted
from snnc.compiler.target import LOIHI

RNG = np.random.default_rng(0)


def convolution(kernel: int, channels: int = 6) -> Conv:
    weights = RNG.normal(size=(channels, 4, kernel, kernel)) / 9
    pad = (kernel // 2,) * 4
    return Conv(weights, np.zeros(channels), (1, 1), pad, (1, 1))


def white(fan_in: int) -> Statistics:
    return Statistics(4 * np.eye(fan_in)[None])


def layer(*kernels: int) -> Layer:
    builder = Builder()
    sources = [builder.add(f"x{k}", Source((4, 8, 8))) for k in kernels]
    sums = [
        builder.add(f"c{k}", convolution(k), source)
        for k, source in zip(kernels, sources, strict=True)
    ]
    if len(sums) > 1:
        sums = [builder.add("sum", Add(), *sums)]
    builder.add("levels", Staircase(7), sums[0])
    network = Network(builder.nodes("levels"))
    levels = dict.fromkeys((*sources, "levels"), 7)
    found = layer_of(network.output, network.by_name, levels)
    return replace(found, statistics=tuple(white(4 * k * k) for k in kernels))


def cost(wanted: Layer, precision: Precision) -> float:
    """Of the whole weights that the clips of a layer lead to."""
    scale = steps(wanted, 7, precision)
    total = 0.0
    for k, rows in enumerate(wanted.rows):
        shift, _ = placed(wanted, k, scale, precision)
        units, statistics = 2.0**shift / scale[:, None], wanted.statistics[k]
        span = precision.weight_range(rows, wide=False)
        whole = rounded(rows[:, 0] / units, statistics, *span)
        total += float(statistics.cost(rows[:, 0] - whole * units).sum())
    return total


@pytest.mark.parametrize("bits", [2, 3, 4])
@pytest.mark.parametrize("kernels", [(3,), (3, 1)])
def test_units_that_were_searched_for_lose_less(bits: int, kernels: tuple[int, ...]) -> None:
    precision = Precision(LOIHI, bits)
    plain = layer(*kernels)
    assert cost(fitted(plain, precision), precision) < 0.8 * cost(plain, precision)


def test_two_bits_leave_half_of_the_peak_out() -> None:
    clips = fitted(layer(3), Precision(LOIHI, 2)).clips[0]
    assert clips.max() < 0.75


def test_without_data_nothing_is_clipped() -> None:
    bare = replace(layer(3), statistics=())
    assert fitted(bare, Precision(LOIHI, 2)) is bare


def test_with_two_synapses_nothing_is_clipped() -> None:
    plain = layer(3)
    assert fitted(plain, Precision(LOIHI, 16)) is plain


def test_a_unit_below_the_first_clips_all_and_one_above_the_last_is_as_good() -> None:
    costs = UnitCosts(np.array([3]), np.array([[5.0, 4.0, 6.0]]), np.array([9.0]))
    assert costs.at(np.array([[1, 2, 3, 4, 5, 9]])).tolist() == [[9, 9, 5, 4, 6, 6]]


@pytest.mark.parametrize("kernels", [(3,), (3, 1)])
def test_units_scale_with_the_weights_and_a_row_of_zeros_has_none(
    kernels: tuple[int, ...],
) -> None:
    plain = layer(*kernels)
    rows = tuple(each.copy() for each in plain.rows)
    for each in rows:
        each[1] = 0
    found = [
        fitted(replace(plain, rows=tuple(scale * each for each in rows)), Precision(LOIHI, 2))
        for scale in (1.0, 2.0**-20)
    ]
    for one, other in zip(found[0].clips, found[1].clips, strict=True):
        np.testing.assert_allclose(one, other)
        assert one[1] == 1


def test_no_unit_rounds_a_channel_much_better() -> None:
    """Of inputs that go their own ways, each weight is rounded to the nearest."""
    found, precision = fitted(layer(3), Precision(LOIHI, 3)), Precision(LOIHI, 3)
    low, high = precision.weight_range(found.rows[0], wide=False)
    units = found.peak(0)[:, None, None] / high

    def lost(scale: float) -> np.ndarray:
        rows = found.rows[0]
        whole = np.clip(np.round(rows / (units * scale)), low, high)
        return np.square(rows - whole * units * scale).sum((1, 2))

    best = np.min([lost(2.0**octave) for octave in np.linspace(-1, 1, 129)], axis=0)
    assert (lost(1.0) <= 1.1 * best).all()
    assert lost(1.0).sum() <= 1.04 * best.sum()
