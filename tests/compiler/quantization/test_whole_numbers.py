"""Whole-number weights against exact rational arithmetic."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from snnc.compiler.errors import SnncError
from snnc.compiler.laws import BitSerial, Integers
from snnc.compiler.network import Node
from snnc.compiler.operators import Floats, MatMul, Staircase
from snnc.compiler.quantization import whole_numbers
from snnc.compiler.quantization.common_factors import WholeRows, whole_rows
from snnc.compiler.quantization.layer import Layer, Precision
from snnc.compiler.quantization.lowering import Lowered, LoweringContext, on_levels, shown
from snnc.compiler.quantization.whole_numbers import NotKept, WholeNumbers, on_grid
from snnc.compiler.spiking import Population
from snnc.compiler.target import LOIHI

Drawn: TypeAlias = tuple[Layer, Integers]
NAMES = {"x": "x", "x1": "x1", "end": "fc", "fc": "fc"}
WIDTHS = [2, 3, 4, 5, 6, 7, 8, 16]


def precision(bits: int = 8) -> Precision:
    return Precision(LOIHI, bits)


def layer(rows: Sequence[Floats], bias: Floats, levels: int | None, sent: Sequence[int]) -> Layer:
    """Matrices (neurons, inputs) that meet in a staircase, or in the output."""
    names = ["x", "x1"][: len(rows)]
    matrices = [MatMul(each, bias) for each in rows]
    nodes = [Node(f"fc.{n}", m, (n,), bias.shape) for n, m in zip(names, matrices, strict=True)]
    end = Node("end", Staircase(levels), ("fc",), bias.shape) if levels else nodes[0]
    shapes = tuple(each[:, None] for each in rows)
    return Layer(end, tuple(nodes), shapes, tuple(sent), bias)


def lowered(made: Layer, bits: int = 8) -> Lowered:
    context = LoweringContext({**NAMES, "fc.x": "fc"}, precision(bits))
    if made.highest is None:
        return shown(made, context)
    return on_levels(made, made.highest, context, BitSerial)


def sums_of(population: Population, inputs: Sequence[Integers]) -> Integers:
    """What the file's integers make of inputs (images, neurons of the source)."""
    sources = dict(zip(["x", "x1"], inputs, strict=False))
    return sum(
        (sources[each.source] @ each.connection.weights.T) << each.exponent
        for each in population.projections
    )


def levels_of(population: Population, sums: Integers) -> Integers:
    neuron = population.neuron
    assert isinstance(neuron, BitSerial)
    return np.clip((sums + population.bias) // neuron.step, 0, neuron.levels)


@st.composite
def whole_layers(draw: st.DrawFn, scales: st.SearchStrategy[float]) -> Drawn:
    """Whole weights times a factor a channel; some rows are zero, some even; biases far out."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    bits, channels, inputs = (
        draw(st.integers(2, 8)),
        draw(st.integers(1, 5)),
        draw(st.integers(3, 9)),
    )
    levels = draw(st.sampled_from([1, 2, 3, 7, 15, 255]))
    sent = draw(st.sampled_from([1, 3, 15, 255]))
    top = (1 << (bits - 1)) - 1
    whole = rng.integers(-top - 1, top + 1, (channels, inputs))
    if draw(st.booleans()):
        whole[rng.integers(channels)] = 0
    if draw(st.booleans()):
        whole[rng.integers(channels)] *= 2 if bits < 8 else 0
    assume(whole.any())
    # a scale of exactly so many levels over the reach of the sums, times what is asked for
    reach = np.maximum(np.abs(whole).sum(1) * sent, 1)
    scale = (levels + 1) / reach * rng.uniform(0.5, 4, channels) * draw(scales)
    bias = rng.uniform(-1, levels + 1, channels) * draw(st.sampled_from([1.0, 1.0, 1e3]))
    rows = whole * scale[:, None]
    if draw(st.booleans()):
        rows = rows.astype(np.float32).astype(np.float64)
    return layer([rows], bias, levels, [sent]), whole


def real_levels(made: Layer, whole: Integers, sums: Integers) -> tuple[Integers, Floats]:
    """⌊r·S + b⌋ of exact fractions, and which are so near a step that float32 does not tell."""
    found, clear = np.zeros(sums.shape, int), np.ones(sums.shape, bool)
    assert made.highest is not None
    for c in range(len(whole)):
        peak = np.abs(whole[c]).argmax()
        r = Fraction(0)
        if whole[c, peak]:
            r = Fraction(float(made.rows[0][c, 0, peak])) / int(whole[c, peak])
        for i, s in enumerate(sums[:, c]):
            exact = r * int(s) + Fraction(float(made.bias[c]))
            found[i, c] = min(max(floor(exact), 0), made.highest)
            slack = max(abs(r) / 32, abs(exact) * Fraction(1, 10**14))
            clear[i, c] = abs(exact - round(exact)) > slack or not 0 < round(exact) <= made.highest
    return found, clear


@given(whole_layers(st.just(1.0)), st.sampled_from(WIDTHS), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_levels_are_those_of_exact_fractions(drawn: Drawn, bits: int, seed: int) -> None:
    """Of every sum, or the remark counts the thresholds that are off."""
    made, whole = drawn
    rows = whole_rows(made.rows)
    assert rows is not None
    # jumps of many levels take more than such weights have
    narrow = rows.peak.max() >= 1 << (bits - 1) or rows.r.max() > 1
    try:
        held = lowered(made, bits)
    except SnncError:
        assert narrow
        return
    if not isinstance(held.whole, WholeNumbers):
        assert narrow
        return
    assert_levels(held, made, whole, seed)


SCALES = [1e-12, 1e-8, 1e-4, 1e4, 1e8, 1e12]


@given(whole_layers(st.sampled_from(SCALES)), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_at_any_scale(drawn: Drawn, seed: int) -> None:
    """Of one level whatever it is, a threshold being met or not."""
    made, whole = drawn
    rows = whole_rows(made.rows)
    assert rows is not None
    assert made.highest is not None
    # where one unit of the sum is worth all levels, M must be as many, and is 2^7 at most
    assume(rows.r.max() <= 1 or made.highest < 128)
    held = lowered(made)
    assert_levels(held, made, whole, seed)


def assert_levels(held: Lowered, made: Layer, whole: Integers, seed: int) -> None:
    """Each sum gets its level, but for as many thresholds as are said to be off."""
    assert isinstance(held.whole, WholeNumbers)
    n = np.random.default_rng(seed).integers(0, made.levels[0] + 1, (40, whole.shape[1]))
    real, clear = real_levels(made, whole, n @ whole.T)
    wrong = (levels_of(held.population, sums_of(held.population, [n])) != real) & clear
    assert not wrong.any() or held.whole.moved
    off, unclear = thresholds_off(held.whole, made)
    assert off <= held.whole.moved <= off + unclear


def thresholds_off(found: WholeNumbers, made: Layer) -> tuple[int, int]:
    """Of all that sums can meet, and how many float32 might not tell from their neighbours."""
    rows = whole_rows(made.rows)
    assert rows is not None
    assert made.highest is not None
    lows, highs = (each.tolist() for each in rows.reach(made.levels))
    off = unclear = 0
    for c, (low, high) in enumerate(zip(lows, highs, strict=True)):
        m = int(found.times[c]) << found.exponent
        for j in range(1, made.highest + 1):
            exact = (j - Fraction(float(made.bias[c]))) / Fraction(float(rows.r[c]))
            ours = -(-(j * int(found.step[c]) - int(found.bias[c])) // m)
            met, meets = (min(max(t, low), high + 1) for t in (ceil(exact), ours))
            near = abs(exact - round(exact)) < Fraction(1, 50)
            off += met != meets and not near
            unclear += near
    return off, unclear


def test_the_share_is_that_of_the_sums_on_the_staircase() -> None:
    """Sums spread far beyond their levels, so that 24 bits do not meet every threshold."""
    whole = np.random.default_rng(0).integers(-127, 128, (1, 120))
    whole[0, 0] = 127
    r, bias = 256 / np.abs(whole).sum() / 37, 3.3
    held = lowered(layer([whole * r], np.array([bias]), 255, [255]))
    assert isinstance(held.whole, WholeNumbers)
    sums = np.arange(-int(bias / r), int((256 - bias) / r))
    neuron, m = held.population.neuron, held.whole.times[0] << held.whole.exponent
    assert isinstance(neuron, BitSerial)
    ours = np.clip((sums * m + held.population.bias[0]) // neuron.step[0], 0, 255)
    wrong = ours != np.clip(np.floor(r * sums + bias), 0, 255)
    assert wrong.any()
    assert held.whole.share == pytest.approx(wrong.mean(), rel=0.05)


@pytest.mark.parametrize("bits", [8, 16])
def test_two_s_complement_has_one_number_more(bits: int) -> None:
    made = layer([np.array([[-128.0, 127, 1, 5]]) / 1000], np.array([0.5]), 7, [7])
    held = lowered(made, bits)
    assert isinstance(held.whole, WholeNumbers)
    weights = held.population.projections[0].connection.weights * held.whole.times[:, None]
    np.testing.assert_array_equal(weights, [[-128, 127, 1, 5]])


def test_weights_of_15_bits_take_two_synapses() -> None:
    whole = np.array([[-16383, 9000, 5, 128, 0, 1, 777, -3, 11000, 16000]])
    held = lowered(layer([whole / 9e4], np.array([1.5]), 3, [1]), 16)
    assert isinstance(held.whole, WholeNumbers)
    sent = np.eye(10, dtype=int)
    assert len(held.population.projections) == 2
    np.testing.assert_array_equal(
        sums_of(held.population, [sent])[:, 0], held.whole.times * whole[0]
    )


def test_an_even_row_keeps_its_own_factor() -> None:
    rows = np.array([[2.0, -4.0, 6.0], [0, 0, 0], [3, 1, -5]]) / 77
    held = lowered(layer([rows], np.array([0.5, 2.5, -0.25]), 3, [3]))
    assert isinstance(held.whole, WholeNumbers)
    expected = held.whole.times[:, None] * [[1, -2, 3], [0, 0, 0], [3, 1, -5]]
    np.testing.assert_array_equal(held.population.projections[0].connection.weights, expected)
    assert levels_of(held.population, np.zeros((1, 3), int)).tolist() == [[0, 2, 0]]


REASONS: dict[str, tuple[list[Floats], str]] = {
    "too many bits": (
        [np.array([[200.0, -100, 37, 1]])],
        r"they span -100\.\.200 of their unit; `weight_bits=8` holds -128\.\.127, .*; compile with "
        "`weight_bits=16`",
    ),
    "no common factor": (
        [np.array([[3.0, -100, 37, 1]]), np.array([[1.0, 2, 3, 5]]) * np.sqrt(2)],
        "the sources that meet here have units without a common factor; train .*",
    ),
    "a large sum": (
        [np.full((1, 200), 127.0) - np.arange(200) % 3],
        "their sums reach 252.....; a state holds 8388607; .*`input_bits`",
    ),
}


@pytest.mark.parametrize("name", REASONS)
@pytest.mark.parametrize("levels", [3, None])
def test_what_is_rounded_all_the_same_has_a_reason(name: str, levels: int | None) -> None:
    rows, reason = REASONS[name]
    sent = [1000 if name == "a large sum" else 3] * len(rows)
    found = lowered(layer([r / 1e5 for r in rows], np.array([0.5]), levels, sent)).whole
    assert isinstance(found, NotKept)
    assert re.fullmatch(reason, f"{found.what}; {found.mend}")


def test_thresholds_without_end_are_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whole_numbers, "MOST_THRESHOLDS", 55)
    rows = np.array([[3.0, -100, 37, 1]]).repeat(8, 0) / 1e5
    found = lowered(layer([rows], np.zeros(8), 7, [3])).whole
    assert isinstance(found, NotKept)
    assert found.what == "it has 56 thresholds; allowed: up to 55"
    monkeypatch.setattr(whole_numbers, "MOST_THRESHOLDS", 56)
    assert isinstance(lowered(layer([rows], np.zeros(8), 7, [3])).whole, WholeNumbers)


def test_floats_have_no_reason_to_stay() -> None:
    rows = np.random.default_rng(0).normal(size=(8, 40)) / 40
    assert lowered(layer([rows], np.zeros(8), 7, [7])).whole is None


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_a_read_out_keeps_them_at_any_scale(scale: float) -> None:
    whole = np.array([[3.0, -100, 37, 1], [0, 0, 0, 0], [4, 4, 8, 2]])
    bias = np.array([5, 2, -7]) * scale
    held = lowered(layer([whole * scale], bias, None, [7]))
    n = np.random.default_rng(0).integers(0, 8, (50, 4))
    unit = held.population.neuron.unit
    found = (sums_of(held.population, [n]) + held.population.bias) * unit
    np.testing.assert_allclose(found, n @ (whole.T * scale) + bias, rtol=1e-9)


def kept(
    whole: list[list[int]], r: float, levels: int, sent: int, bias: float = 0.5
) -> WholeNumbers | NotKept:
    """Whole weights of 8 bits, and the levels that 1 of their sum is worth."""
    weights = np.array(whole)
    count = len(weights)
    made = layer([weights * r], np.full(count, bias), levels, [sent])
    rows = WholeRows((weights[:, None],), np.full(count, r), is_certain=True)
    return on_grid(made, levels, rows, precision())


def test_a_sum_may_be_as_large_as_the_state() -> None:
    # 47·178481 is 2^23 − 1
    assert isinstance(kept([[47]], 1e-4, 3, 178481, bias=-0.5), WholeNumbers)
    found = kept([[47]], 1e-4, 3, 178482, bias=-0.5)
    assert isinstance(found, NotKept)
    assert found.what == "their sums reach 8388654; a state holds 8388607"


@pytest.mark.parametrize("seed", range(6))
def test_sums_of_all_channels_stay_in_the_state(seed: int) -> None:
    """Those of one channel are 40 times as large; weights and shifts leave room for more."""
    rng = np.random.default_rng(seed)
    whole = rng.integers(1, 4, (2, 40)) * [[1], [10]]
    found = kept(whole.tolist(), rng.uniform(1, 2) * 1e-2, 63, 1000)
    assert isinstance(found, WholeNumbers)
    times = found.times << found.exponent
    assert (times * whole.sum(1) * 1000 <= LOIHI.state_max).all()
    assert (found.times * whole.max(1) <= 255).all()


def test_the_multiple_that_meets_all_thresholds_is_found() -> None:
    """3/401 levels for one: no power of 2 comes near, 3 is exact, and the last that fits."""
    found = kept([[85, 42, 2], [85, 1, 1]], 3 / 401, 255, 255)
    assert isinstance(found, WholeNumbers)
    assert (found.times.tolist(), found.moved, found.farthest) == ([3, 3], 0, 0)
    np.testing.assert_array_equal(found.step, 401 << found.exponent)


@pytest.mark.parametrize(("r", "levels"), [(1.5037, 255), (100.37, 4000)])
def test_jumps_of_many_levels_are_met_exactly_or_not_at_all(r: float, levels: int) -> None:
    found = kept([[127, -126, 1]], r, levels, 255)
    assert isinstance(found, NotKept)
    assert found.what == (
        f"one unit of the sum is worth {r:.3g} levels, more than these weights and exponents "
        "make of it"
    )


def test_levels_that_no_state_holds_are_told() -> None:
    found = kept([[127, 126, 1]], 1e-6, 255, 30000)
    assert isinstance(found, NotKept)
    assert found.what == "their 255 levels take 2.56e+08 units of the sum; a state holds 8388607"
