"""The search for units, held against what every unit costs."""

from dataclasses import replace

import numpy as np
import pytest

from snnc.compiler.network import Builder, Network
from snnc.compiler.operators import Add, Conv, Source, Staircase
from snnc.compiler.quantization.feedback import Statistics, rounded
from snnc.compiler.quantization.layer import Layer, Precision, layer_of
from snnc.compiler.quantization.scale import placed, steps
from snnc.compiler.quantization.units import fitted
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
