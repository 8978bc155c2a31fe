"""What one spike adds, in thresholds, against sums in levels."""

from dataclasses import replace

import numpy as np
import pytest
from support.layers import plain_layer

from snnc.compiler.laws import OffsetSpike, Rate
from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.quantization.layer import Layer
from snnc.compiler.quantization.spikes import in_spikes

ONE, STEPS, LEVELS, SENT = np.ones(2, int), 5, 7, (15, 3)
RATE = Rate(ONE, 0 * ONE, STEPS)
OFFSET = OffsetSpike(ONE, 0 * ONE, STEPS, rho=8, iterations=2, light=True)
MIXED, STEADY, SPIKES = (True, False), (True, True), (False, False)


def layer(bias: tuple[float, ...] = (0.3, -0.6)) -> Layer:
    rows = np.random.default_rng(0).normal(size=(2, 2, 4)) / 9
    return replace(plain_layer(*rows, bias=bias, levels=LEVELS), levels=SENT)


def output(bias: tuple[float, ...] = (0.3, -0.6)) -> Layer:
    return replace(layer(bias), node=layer().projections[0])


@pytest.mark.parametrize("made", [layer(), output()])
@pytest.mark.parametrize("constant", [MIXED, SPIKES])
@pytest.mark.parametrize("law", [RATE, OFFSET])
def test_sums_over_all_steps_are_as_many_thresholds_as_levels_say(
    made: Layer, constant: tuple[bool, bool], law: Rate | OffsetSpike
) -> None:
    """A source of N levels says n of them by n/N spikes a step, or by a current of n."""
    found = in_spikes(made, constant, law, steady_is_exact=False)
    steps, worth = found.time_steps, LEVELS if made.highest else 1
    half = 0.5 if made.highest else 0.0
    assert steps == (law.levels if made.highest else STEPS)
    levels = [np.random.default_rng(1).uniform(0, n, 4) for n in SENT]
    sent = [
        steps * (n if current else n / most)
        for n, most, current in zip(levels, SENT, constant, strict=True)
    ]
    total = sum(rows[:, 0] @ n for rows, n in zip(found.rows, sent, strict=True))
    real = sum(rows[:, 0] @ n for rows, n in zip(made.rows, levels, strict=True))
    np.testing.assert_allclose(
        total + steps * found.bias, steps * (real + made.bias - half) / worth
    )
    np.testing.assert_allclose(found.reach, np.array(made.reach) * steps / worth)
    for lost, rows in zip(found.in_levels(found.rows), made.rows, strict=True):
        np.testing.assert_allclose(lost, rows)


def test_a_layer_of_currents_alone_fires_once_for_all_steps() -> None:
    found = in_spikes(layer(), STEADY, OFFSET, steady_is_exact=False)
    assert (found.time_steps, found.margin, found.swings) == (1, 1.0, False)
    np.testing.assert_allclose(found.reach, np.array(layer().reach) / LEVELS)
    shown = in_spikes(output(), STEADY, OFFSET, steady_is_exact=False)
    assert (shown.time_steps, shown.margin, shown.swings) == (STEPS, 0.0, False)


@pytest.mark.parametrize("law", [RATE, OFFSET])
def test_the_potential_has_the_room_that_the_law_asks_for(law: Rate | OffsetSpike) -> None:
    for constant in (MIXED, SPIKES):
        found = in_spikes(layer(), constant, law, steady_is_exact=True)
        assert (found.margin, found.swings) == (law.margin, law.swings)
        assert found.keeps == law.keeps_residual


@pytest.mark.parametrize(
    ("made", "constant", "exact", "repeated"),
    [
        (layer(), STEADY, True, False),
        (layer(), STEADY, False, True),
        (layer(), MIXED, True, True),
        (layer(), MIXED, False, True),
        (output(), MIXED, False, False),
        (output(), STEADY, True, False),
    ],
)
def test_a_bias_is_rounded_once_or_in_every_step(
    made: Layer, constant: tuple[bool, bool], exact: bool, repeated: bool
) -> None:
    assert in_spikes(made, constant, RATE, steady_is_exact=exact).repeated == repeated


def test_only_whole_sums_have_no_half_step() -> None:
    whole = plain_layer([[1.0, -2.0], [3.0, 0.0]], bias=(1.0, 2.0), levels=LEVELS)
    for made, half in ((whole, 0), (replace(whole, bias=np.array([1.0, 2.5])), 0.5)):
        found = in_spikes(made, (True,), RATE, steady_is_exact=True)
        np.testing.assert_allclose(found.bias, (made.bias - half) / LEVELS)


def test_a_bias_is_pulled_in_to_where_a_neuron_never_fires_or_always() -> None:
    low, high = np.array(layer().reach) / LEVELS
    never = in_spikes(layer((-1e5, -1e5)), MIXED, RATE, steady_is_exact=True)
    np.testing.assert_allclose(never.bias + high, -1)
    always = in_spikes(layer((1e5, 1e5)), MIXED, RATE, steady_is_exact=True)
    np.testing.assert_allclose(always.bias + low, 2)
    shown = in_spikes(output((1e5, 1e5)), MIXED, RATE, steady_is_exact=True)
    np.testing.assert_allclose(shown.bias, 1e5)


def test_errors_cost_what_they_cost_in_levels() -> None:
    x = np.random.default_rng(2).normal(size=(4, 9))
    known = tuple(Statistics((x @ x.T)[None] * n) for n in (1, 2))
    made = replace(layer(), statistics=known)
    found = in_spikes(made, MIXED, RATE, steady_is_exact=True)
    for ours, real, counted, rows in zip(
        found.statistics, known, found.rows, made.rows, strict=True
    ):
        np.testing.assert_allclose(ours.cost(counted[:, 0]) * LEVELS**2, real.cost(rows[:, 0]))
