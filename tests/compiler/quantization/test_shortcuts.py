"""Whole-number weights beside shortcuts with units of their own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from support.layers import plain_layer

from snnc.compiler.laws import BitSerial, Integers
from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import Add, Affine, Conv, Floats, MatMul, Source, Staircase
from snnc.compiler.passes.compose_chains import compose_chains
from snnc.compiler.quantization.layer import Layer, Precision, layer_of
from snnc.compiler.quantization.lowering import Lowered, LoweringContext, on_levels, shown
from snnc.compiler.quantization.shortcuts import FARTHEST, kept_rows
from snnc.compiler.target import LOIHI, STOCK, Target

SENT, LEVELS, CHANNELS = 15, 15, 6
ONCE = Affine(np.array(1.0), np.array(0.0))
"""Something to compose."""
SCALE = np.sqrt(np.linspace(2, 5, CHANNELS)) / 40
"""Of whole weights beside a shortcut of 0.7: no factor makes both whole."""


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def whole(bits: int) -> Integers:
    top = (1 << (bits - 1)) - 1
    return rng().integers(-top, top + 1, (CHANNELS, CHANNELS, 3, 3))


def convolution(weights: Floats, pad: int) -> Conv:
    zeros = np.zeros(len(weights))
    return Conv(weights, zeros, (1, 1), (pad,) * 4, (1, 1))


def block(weights: Floats, shortcut: Floats, *, fires: bool = True) -> Network:
    """A kernel and a shortcut of one source."""
    builder = Builder()
    builder.add("x", Source((CHANNELS, 4, 4)))
    kernel = builder.add("kernel", convolution(weights, 1), "x")
    added = builder.add("shortcut", convolution(np.diag(shortcut)[:, :, None, None], 0), "x")
    last = builder.add("sum", Add(), builder.add("once", ONCE, kernel), added)
    return Network(builder.nodes(builder.add("end", Staircase(LEVELS), last) if fires else last))


def lowered(network: Network, bits: int = 8, target: Target = LOIHI) -> Lowered:
    composed = compose_chains(network, shifted=target is LOIHI)
    names = {each.name: each.name for each in composed}
    context = LoweringContext(names, Precision(target, bits))
    end = next((each for each in composed if each.name == "end"), composed.output)
    layer = layer_of(end, composed.by_name, dict.fromkeys(names, SENT))
    if layer.highest is None:
        return shown(layer, context)
    return on_levels(layer, LEVELS, context, BitSerial)


def weights_of(found: Lowered) -> tuple[Floats, Floats]:
    """What the file has of the kernel and of the shortcut, in units of the membrane."""
    parts = [each.connection.weights * 2.0**each.exponent for each in found.population.projections]
    kernel = sum(each for each in parts if each.shape[2:] == (3, 3))
    shortcut = sum((each for each in parts if each.shape[2:] == (1, 1)), np.zeros((1, 1, 1, 1)))
    return np.asarray(kernel), np.asarray(shortcut)[..., 0, 0]


@pytest.mark.parametrize("bits", [2, 4, 5, 8])
@pytest.mark.parametrize("size", [0.7, 0.02])
@pytest.mark.parametrize("fires", [True, False])
def test_the_kernel_stays_whole_and_the_shortcut_is_near(
    bits: int, size: float, fires: bool
) -> None:
    shortcut = np.full(CHANNELS, size)
    found = lowered(block(whole(bits) * SCALE[:, None, None, None], shortcut, fires=fires))
    kernel, added = weights_of(found)
    factor = kernel.max((1, 2, 3)) / whole(bits).max((1, 2, 3))
    np.testing.assert_array_equal(kernel, whole(bits) * factor[:, None, None, None])
    off = np.abs(np.diagonal(added) / factor - shortcut / SCALE)
    # of one unit of the sum of whole weights
    assert off.max() <= 2.0**-7
    errors = [each.error for each in found.population.projections]
    assert errors[0] == 0 < max(errors)


def test_levels_are_those_of_exact_fractions_but_where_the_shortcut_is_rounded() -> None:
    network = block(whole(4) * SCALE[:, None, None, None] * 0.4, np.full(CHANNELS, 0.3))
    found = lowered(network).population
    n = rng().integers(0, SENT + 1, (20, CHANNELS, 4, 4))
    sums = evaluate(network, n.astype(float))["sum"]
    kernel, added = weights_of(Lowered(found))
    pads = np.pad(n, [(0, 0), (0, 0), (1, 1), (1, 1)])
    windows = np.lib.stride_tricks.sliding_window_view(pads, (3, 3), axis=(2, 3))
    ours = np.einsum("ncyxij,ocij->noyx", windows, kernel) + np.einsum("ncyx,oc->noyx", n, added)
    assert isinstance(found.neuron, BitSerial)
    step = found.neuron.step[:, None, None]
    levels = np.clip((ours + found.bias[:, None, None]) // step, 0, LEVELS)
    exact = np.vectorize(lambda s: min(max(floor(Fraction(s)), 0), LEVELS))(sums)
    assert np.mean(levels != exact) < 2e-3
    assert np.abs(levels - exact).max() <= 1


@pytest.mark.parametrize(
    ("kernel", "shortcut", "apart"),
    [
        (whole(4) / 7.0, np.sqrt(2.0), True),  # whole numbers that would be none
        (whole(4) / 7.0, 16 / 7.0, False),  # whole numbers all the same
        (whole(4) / 7.0, 500 / 7.0, True),  # more than one synapse holds
        (rng().normal(size=(CHANNELS, CHANNELS, 3, 3)), 1.0, False),
        (rng().normal(size=(CHANNELS, CHANNELS, 3, 3)) / 50, 1.0, True),  # few bits would be left
        (np.full((CHANNELS, CHANNELS, 3, 3), 1 / 9), 1.0, False),
    ],
)
def test_what_is_worth_more_apart_stays_apart(kernel: Floats, shortcut: float, apart: bool) -> None:
    network = block(kernel, np.full(CHANNELS, shortcut))
    found = compose_chains(network)
    assert sum(each.sources == ("x",) for each in found) == 1 + apart
    x = rng().normal(size=(3, CHANNELS, 4, 4))
    expected = evaluate(network, x)[network.output.name]
    np.testing.assert_array_equal(evaluate(found, x)[found.output.name], expected)
    # without exponents it gains nothing, and unmodified netx runs chains alone
    together = compose_chains(network, shifted=False)
    assert sum(each.sources == ("x",) for each in together) == 1


def test_matrices_too() -> None:
    builder = Builder()
    builder.add("x", Source((CHANNELS,)))
    parts = [whole(4)[:, :, 0, 0] / 7.0, np.sqrt(2.0) * np.eye(CHANNELS)]
    ends = [
        builder.add(f"fc{k}", MatMul(each, np.zeros(CHANNELS)), "x") for k, each in enumerate(parts)
    ]
    ends[0] = builder.add("once", ONCE, ends[0])
    found = compose_chains(Network(builder.nodes(builder.add("sum", Add(), *ends))))
    assert sum(isinstance(each.operator, MatMul) for each in found) == 2


def test_stock_neurons_round_both() -> None:
    network = block(whole(4) * SCALE[:, None, None, None], np.full(CHANNELS, 0.7))
    assert len(lowered(network, target=STOCK).population.projections) == 1


EIGHT = Precision(LOIHI, 8)
UNITS = np.array([0.0031, 0.037])
"""What one unit of two channels' whole sums is worth."""
MET = (3, 15, 1, 2)
"""The levels of two kernels' sources, and of two shortcuts'."""


def beside(seed: int) -> tuple[list[Integers], list[Floats], Layer]:
    """Whole weights of three neurons each, shortcuts in units of their sums, the layer of both."""
    draw = np.random.default_rng(seed)
    kernels = [draw.integers(-top, top + 1, (2, 3, 30)) for top in (7, 25)]
    for each, top in zip(kernels, (7, 25), strict=True):
        each[:, 0, 0] = top
    shortcuts = [draw.uniform(5, (9, 30)[seed % 2], (2, 3)) * [1, -1, 1] for _ in range(2)]
    places = [np.eye(3)[None] * each[:, :, None] for each in shortcuts]
    rows = tuple(each * UNITS[:, None, None] for each in (*kernels, *places))
    made = plain_layer(*[[[1.0], [1.0]]] * 4, levels=7)
    return kernels, shortcuts, replace(made, rows=rows, levels=MET)


@pytest.mark.parametrize("seed", range(8))
def test_no_multiple_that_fits_rounds_the_shortcuts_better(seed: int) -> None:
    kernels, shortcuts, layer = beside(seed)
    found = kept_rows(layer, EIGHT)
    assert found is not None
    times = np.round(UNITS / found.r).astype(int)
    np.testing.assert_allclose(found.r * times, UNITS)
    for kept, whole in zip(found.weights, kernels, strict=False):
        np.testing.assert_array_equal(kept, whole * times[:, None, None])
    assert (times % 128 == 0).all()
    for channel, chosen in enumerate(times // 128):
        sizes = [each[channel] for each in shortcuts]
        # 25 is the largest whole weight, and two synapses hold 127·2^7 + 127
        fits = [m for m in range(1, 127 // 25 + 1) if np.abs(sizes).max() * m * 128 <= 16383]
        lost = {
            m: sum(
                n * np.abs(np.round(v * m * 128) - v * m * 128).max() / m
                for v, n in zip(sizes, MET[2:], strict=True)
            )
            for m in fits
        }
        assert all(lost[chosen] <= lost[m] / 0.99 for m in fits)
        assert all(lost[chosen] < lost[m] for m in fits if m < chosen)
    units = found.r[:, None, None]
    for rows, whole, error in zip(layer.rows, found.weights, found.errors, strict=True):
        size = np.linalg.norm(rows - whole * units) / np.linalg.norm(rows)
        np.testing.assert_allclose(error, size, atol=1e-12)


def test_beside_a_kernel_of_zeros_the_largest_shortcut_is_the_unit() -> None:
    made = plain_layer(
        [[3.0, -2.0, 1.0], [0.0, 0.0, 0.0]],
        [[np.pi, 0], [1 / np.pi, 0]],
        [[0.0, 0], [0.0, -np.sqrt(0.5)]],
    )
    found = kept_rows(made, EIGHT)
    assert found is not None
    assert found.weights[2][1, 0, 1] * found.r[1] == pytest.approx(-np.sqrt(0.5), rel=1e-12)
    assert found.errors[0] == 0


@pytest.mark.parametrize(("farthest", "power"), [(32767, 128), (32767.9, 64), (32768, 64)])
@pytest.mark.parametrize("unit", [1.0, 2.0])
def test_the_state_holds_sums_and_as_much_again_for_thresholds(
    farthest: float, power: int, unit: float
) -> None:
    """(2·32767 + 1)·128 units are the last that fit 24 bits."""
    rows = np.array([[127.0, -126.0], [127.0, 125.0]]) * unit, np.eye(2) * np.sqrt(0.5) * unit
    made = replace(plain_layer(*rows), levels=(7, 1))
    reach = made.reach[1][0]
    wide = replace(made, bias=np.array([farthest * unit - reach, 0.0]))
    found = kept_rows(wide, EIGHT)
    assert found is not None
    np.testing.assert_allclose(unit / found.r, power)


@pytest.mark.parametrize(("levels", "power"), [(32766, 128), (32767, 64)])
def test_the_state_holds_one_level_more_than_there_are(levels: int, power: int) -> None:
    rows = [[127.0, -126.0], [127.0, 125.0]], np.eye(2) * np.sqrt(0.5)
    found = kept_rows(replace(plain_layer(*rows, levels=levels), levels=(1, 1)), EIGHT)
    assert found is not None
    np.testing.assert_allclose(1 / found.r, power)


def test_where_a_multiple_of_1_is_too_much_nothing_stays_whole() -> None:
    shortcut = np.eye(2) * np.sqrt(0.5)
    assert kept_rows(plain_layer([[3.0, -2.0], [1.0, 1.0]], shortcut), Precision(LOIHI, 4))
    assert not kept_rows(plain_layer([[9.0, -2.0], [1.0, 1.0]], shortcut), Precision(LOIHI, 4))
    far = plain_layer([[3.0, -2.0], [1.0, 1.0]], shortcut, bias=(1e7, 0.0))
    assert not kept_rows(far, EIGHT)


@pytest.mark.parametrize(("off", "kept"), [(FARTHEST, True), (FARTHEST + 2.0**-20, False)])
def test_a_shortcut_moves_no_sum_far(off: float, kept: bool) -> None:
    """Of a level; the weights and the state leave room for these units alone."""
    rows = [[127.0, -126.0], [127.0, -126.0]], [[3 + off, 0.0], [0.0, 3.0]]
    made = replace(plain_layer(*rows, bias=(3e6, 0.0)), levels=(1, 1))
    assert (kept_rows(made, EIGHT) is not None) == kept


@pytest.mark.parametrize(("levels", "kept"), [(1, True), (3, False)])
def test_of_an_output_it_moves_none_by_more_than_the_largest_unit(levels: int, kept: bool) -> None:
    rows = np.array([[127.0, -126.0], [12700.0, -12600.0]]), np.diag([3.0, 345.0])
    made = plain_layer(*rows, bias=(0.0, 3e8))
    shows = replace(made, node=made.projections[0], levels=(1, levels))
    assert (kept_rows(shows, EIGHT) is not None) == kept
