"""Whole-number weights beside shortcuts with units of their own."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import pytest

from snnc.compiler.laws import BitSerial, Integers
from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import Add, Affine, Conv, Floats, MatMul, Source, Staircase
from snnc.compiler.passes.compose_chains import compose_chains
from snnc.compiler.quantization.layer import Precision, layer_of
from snnc.compiler.quantization.lowering import Lowered, LoweringContext, on_levels, shown
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
