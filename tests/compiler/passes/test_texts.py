"""What each pass makes of a network of five lines; the texts are in tests/expected/<pass>."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from support.spiking_networks import chain, chain_of

from snnc.compiler.laws import BitSerial, Rate
from snnc.compiler.network import Builder, Network
from snnc.compiler.operators import (
    Affine,
    AveragePool,
    BatchNorm,
    Clip,
    Conv,
    Curve,
    Floor,
    Function,
    MatMul,
    MaxPool,
    Operator,
    Product,
    Reshape,
    Source,
    Staircase,
)
from snnc.compiler.options import CompileOptions
from snnc.compiler.pipeline import PIPELINE, job_of
from snnc.compiler.spiking import SpikingNetwork

OPTIONS = CompileOptions()
PASSES = {each.name: each.run for each in PIPELINE}
HOOKS = {"calibrate_activations"}
"""What they do is up to the caller."""


@dataclass(frozen=True)
class Case:
    """A network before a pass, and the options that the pass heeds."""

    before: Network | SpikingNetwork
    options: CompileOptions = OPTIONS


def flow(*operators: Operator, shape: tuple[int, ...]) -> Network:
    """One operator after the other."""
    builder = Builder()
    last = builder.add("x", Source(shape))
    for name, operator in zip("abcdefg", operators, strict=False):
        last = builder.add(name, operator, last)
    return Network(builder.nodes(last))


def affine(scale: float, offset: float = 0.0) -> Affine:
    return Affine(np.array(scale), np.array(offset))


def clip(low: float, high: float) -> Clip:
    return Clip(np.array(low), np.array(high))


def conv(out: int, width: int, size: int = 3, pad: int = 1) -> Conv:
    bias = np.arange(out).astype(float)
    return Conv(np.ones((out, width, size, size)), bias, (1, 1), (pad,) * 4, (1, 1))


def dense(out: int, features: int) -> MatMul:
    weights = np.arange(out * features).reshape(out, features) - 2.0
    return MatMul(weights, np.arange(out).astype(float))


def skipping() -> SpikingNetwork:
    """x → fc → b → out, and fc → out."""
    fc, out = chain().populations
    (last,) = out.projections
    b = replace(fc, name="b", projections=(last,), neuron=BitSerial(fc.neuron.step, 3))
    ends = replace(out, projections=(replace(last, source="b"), last))
    return chain().replaced((fc, b, ends))


NORM = BatchNorm(np.array([1.0, -2.0]), np.zeros(2), np.array([0.0, 3.0]), np.ones(2), 0.0)
SQUARE, PAIR = ((2, 2), (2, 2), (0,) * 4), ((1, 2), (1, 2), (0,) * 4)
IMAGE, LINE = (1, 4, 4), (2,)
DIP = Curve(((Function("sigmoid"), (0,)), (Product(), (0, 1))))
CASES = {
    "fold_batch_norms/behind_a_convolution": Case(
        flow(conv(2, 1), NORM, clip(0, 1), conv(1, 2), shape=IMAGE)
    ),
    "sink_reshapes/between_floor_and_clip": Case(
        flow(Floor(), Reshape((16,)), clip(0, 7), dense(2, 16), shape=IMAGE)
    ),
    "join_curves/exp_of_a_clip": Case(
        flow(dense(2, 2), clip(-np.inf, 0), Function("exp"), affine(2, -2), dense(1, 2), shape=LINE)
    ),
    "split_max_pools/behind_a_dip": Case(
        flow(conv(1, 1), DIP, MaxPool(*PAIR, (1, 1)), conv(1, 1), shape=IMAGE)
    ),
    "recognize_staircases/qcfs": Case(
        flow(dense(2, 2), affine(3.5, 0.5), Floor(), clip(0, 7), dense(1, 2), shape=LINE)
    ),
    "recognize_staircases/levels_below_zero": Case(
        flow(dense(2, 2), Floor(), clip(-4, 3), affine(0.5), dense(1, 2), shape=LINE)
    ),
    "shift_biases/into_the_affine_map": Case(
        flow(affine(3.5), Staircase(7, np.array(0.5)), affine(2), dense(1, 2), shape=LINE)
    ),
    "shift_biases/behind_a_matrix": Case(
        flow(dense(2, 2), Staircase(7, np.array(0.5)), affine(2), dense(1, 2), shape=LINE)
    ),
    "encode_input/mean_and_std": Case(
        flow(affine(1), Staircase(7), affine(1), dense(1, 2), shape=LINE),
        CompileOptions(mean=(0.5,), std=(0.25,), input_range=(0.0, 255.0)),
    ),
    "encode_input/bits_at_once": Case(
        flow(conv(2, 1), Staircase(7), affine(1), conv(1, 2), shape=IMAGE),
        CompileOptions(code="one-spike", input_code="bits", input_bits=2),
    ),
    "coarsen_staircases/seven_levels_in_two_steps": Case(
        flow(dense(2, 2), Staircase(7), affine(2), dense(1, 2), shape=LINE),
        CompileOptions(timesteps=2),
    ),
    "lower_max_pools/of_levels": Case(
        flow(conv(2, 1), Staircase(7), MaxPool(*PAIR, (1, 1)), conv(1, 2), shape=IMAGE)
    ),
    "lower_max_pools/before_an_activation": Case(
        flow(conv(2, 1), MaxPool(*PAIR, (1, 1)), Staircase(7), conv(1, 2), shape=IMAGE)
    ),
    "drop_repeats/on_its_own_grid": Case(
        flow(Staircase(7), affine(0.25, 0.25), affine(4, -0.5), Staircase(9), shape=LINE)
    ),
    "sum_average_pools/as_asked": Case(
        flow(conv(2, 1), Staircase(3), AveragePool(*SQUARE), conv(1, 2), shape=IMAGE),
        CompileOptions(average_pool="sum"),
    ),
    "compose_chains/up_to_a_staircase": Case(
        flow(affine(0.5, 1), conv(2, 1), Staircase(7), affine(2), conv(1, 2), shape=IMAGE)
    ),
    "quantize_weights/bits": Case(
        flow(dense(2, 2), Staircase(7), dense(1, 2), shape=LINE), CompileOptions()
    ),
    "quantize_weights/rates": Case(
        flow(dense(2, 2), Staircase(7), dense(1, 2), shape=LINE), CompileOptions(code="rate")
    ),
    "spike_at_once/a_rate_network": Case(
        chain_of(Rate(np.array([700]), np.array([350]), 3), bias=40),
        CompileOptions(code="one-spike"),
    ),
    "schedule_populations/a_shortcut": Case(skipping()),
}


def test_every_pass_has_a_text() -> None:
    assert {each.split("/")[0] for each in CASES} == PASSES.keys() - HOOKS


@pytest.mark.parametrize("name", CASES)
def test_a_pass_leaves(name: str, expected) -> None:
    case, run = CASES[name], PASSES[name.split("/")[0]]
    before = case.before
    floats = before if isinstance(before, Network) else flow(shape=before.input.shape)
    after = run.run(before, job_of(floats, case.options, None))
    expected(f"== before\n{before}\n== after\n{after}\n", name)
