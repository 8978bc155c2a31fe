"""What the pages in docs/codes say of each law, as a table."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
    bits_for,
)
from snnc.compiler.laws.base import Bounds, levels_fit, over_images, per_neuron, span_of
from snnc.compiler.limits import COUNTED

STEP, THRESHOLD, HALF = np.array([100]), np.array([700]), np.array([350])
THRESHOLDS = np.array([[9], [99], [999]])
OFFSET = OffsetSpike(THRESHOLD, HALF, 5, rho=3, iterations=3)
LONG = OffsetSpike(THRESHOLD, HALF, 2, rho=4, light=True)
NEURONS: tuple[Neuron, ...] = (
    BitSerial(STEP, 9, lead=2),
    Graded(STEP, 9),
    Current(STEP, 9, turn=5, delay=2),
    Delta(STEP, 9),
    Copies(THRESHOLDS),
    Rate(THRESHOLD, HALF, 5),
    OFFSET,
    LONG,
    Readout(np.ones(1)),
    Readout(np.ones(1), 5),
    DeltaReadout(np.ones(1)),
)
COLUMNS = (
    *("levels", "turn", "planes", "summed_steps", "potential_steps", "copies"),
    *("is_constant", "accumulates", "integrates", "window", "fires_at"),
)
# a window onto a source of 4 fire steps; the first spike arrives in step 10, the last in step 13
FACTS = """
    9  6  6 1  6 1   - a -   4 13
    9  1  4 1  1 1   - a -   4 13
    9  5  4 1  1 1   c - -   1 12
    9  1  5 1  1 1   - a -   4 13
    3  1  3 1  1 3   - - -   4 13
    5  5  5 5  5 1   - - i   5 10
    5 16 16 5 16 1   - - i  16 21
    4  8  8 4  8 1   - - i   8 14
    0  1  - 1  1 1   - a -   4 13
    0  1  - 5  1 1   - - -   5 13
    0  1  - 1  1 1   - a -   4 13
"""


def fact(neuron: Neuron, column: str) -> Any:
    if column == "window":
        return neuron.window(neuron.accepts[0], 4)
    if column == "fires_at":
        return neuron.fires_at(10, 13)
    return getattr(neuron, column, "-")


ROWS = [line.split() for line in FACTS.strip().splitlines()]


@pytest.mark.parametrize(("neuron", "row"), zip(NEURONS, ROWS, strict=True), ids=map(repr, ROWS))
def test_facts(neuron: Neuron, row: list[str]) -> None:
    for column, expected in zip(COLUMNS, row, strict=True):
        found = fact(neuron, column)
        shown = {True: column[3 if column == "is_constant" else 0], False: "-"}
        assert (shown[found] if isinstance(found, bool) else str(found)) == expected, column


CIRCUITS = {Copies: "stock", Readout: "any", DeltaReadout: "any"}
SETTINGS = (
    *({},) * 5,
    {"T": 5},
    {"T": 5, "rho": 3, "iterations": 3},
    {"T": 2, "rho": 4, "iterations": 1},
    {},
    {"T": 5},
    {},
)


@pytest.mark.parametrize(("neuron", "settings"), zip(NEURONS, SETTINGS, strict=True))
def test_circuits_settings_and_thresholds(neuron: Neuron, settings: dict[str, int]) -> None:
    assert neuron.circuit == CIRCUITS.get(type(neuron), "programmable")
    assert neuron.settings == settings
    first = {BitSerial: [800], Copies: THRESHOLDS.tolist(), Rate: [700], OffsetSpike: [700]}
    expected = None if neuron.circuit == "any" else first.get(type(neuron), [800])
    found = neuron.first_threshold
    assert (None if found is None else found.tolist()) == expected
    step = None if neuron.circuit != "programmable" else [700 if neuron.integrates else 100]
    assert (None if neuron.step_of_level is None else neuron.step_of_level.tolist()) == step


@pytest.mark.parametrize("neuron", NEURONS)
def test_more_fire_steps_are_silent_ones_of_bits(neuron: Neuron) -> None:
    longer = neuron.stretched(9)
    assert longer is neuron or (longer.turn, longer.levels) == (9, neuron.levels)
    assert (longer is neuron) != isinstance(neuron, BitSerial)


def test_what_rounding_reads_of_rate_neurons() -> None:
    found = [(e.margin, e.swings, e.keeps_residual) for e in (NEURONS[5], OFFSET, LONG)]
    assert found == [(1.0, False, False), (9.0, True, False), (6.0, True, True)]


@pytest.mark.parametrize("neuron", NEURONS[:8])
def test_a_relay_gives_its_source_again(neuron: Any) -> None:
    """Weights of 1, no bias: every law sends on the numbers, or the train, that it receives."""
    for constant in (False, True) if neuron.integrates else (False,):
        relay = neuron.relay(2, 6, constant=constant)
        assert next(relay.parameters()).shape == (2,)
        if isinstance(relay, Copies):
            assert relay.thresholds.tolist() == [[j, j] for j in range(6)]
        elif isinstance(relay, Rate | OffsetSpike):
            assert (relay.threshold.tolist(), relay.initial.tolist()) == ([1, 1], [0, 0])
            assert relay.settings == neuron.settings
        else:
            assert (relay.step.tolist(), relay.levels) == ([1, 1], 6)
            assert isinstance(relay, Current) == (constant or isinstance(neuron, Current))
        if constant:
            assert (relay.turn, relay.fires_at(0, 0)) == (neuron.turn, getattr(neuron, "wait", 0))


@pytest.mark.parametrize("neuron", NEURONS)
def test_every_array_of_a_law_is_a_parameter(neuron: Neuron) -> None:
    """Of copies each has its own."""
    arrays = [each for each in vars(neuron).values() if isinstance(each, np.ndarray)]
    sizes = [each.size // neuron.copies for each in arrays]
    assert [prod(each.shape) for each in neuron.parameters()] == sizes


TWO = np.array([10, 700])
UNITS = "a unit is not finite and above 0"
START = "initial potential {}; allowed: from 0 to below the threshold"
FAULTS: dict[str, tuple[Neuron, int, list[str]]] = {
    "sound": (Rate(TWO, TWO // 2, 5), 700, []),
    "a threshold beyond the state": (
        *(Rate(TWO, TWO // 2, 5), 699),
        ["threshold reaches 700; allowed: up to 699"],
    ),
    "one begins below 0": (Rate(TWO, np.array([0, -1]), 5), 900, [START.format("-1..0")]),
    "one begins at its threshold": (
        Rate(TWO, np.array([10, 20]), 5),
        900,
        [START.format("10..20")],
    ),
    "units": (Readout(np.array([1e-9, 1e9])), 900, []),
    "a unit of 0": (Readout(np.array([1.0, 0.0])), 900, [UNITS]),
    "a unit without end": (Readout(np.array([1.0, np.inf])), 900, [UNITS]),
    "steps without end": (
        *(Readout(np.ones(2), COUNTED.most + 1), 900),
        [f"{COUNTED.most + 1} time steps counted; allowed: {COUNTED}"],
    ),
}


@pytest.mark.parametrize(("neuron", "state_max", "said"), FAULTS.values(), ids=FAULTS)
def test_faults(neuron: Neuron, state_max: int, said: list[str]) -> None:
    assert [each.what for each in neuron.faults(state_max)] == said


def test_the_potential_of_a_read_out_has_its_bias() -> None:
    sums, bias = Bounds(np.array([-5]), np.array([7])), np.array([3])
    found = Readout(np.ones(1)).potential(sums, bias, (1,), steady=False)
    assert (found.low.tolist(), found.high.tolist()) == ([-2], [10])


def test_a_residual_that_is_kept_lies_as_many_sums_away_as_there_are_rounds() -> None:
    sums, bias = Bounds(np.array([-50]), np.array([70])), np.array([-3])
    found = LONG.potential(sums, bias, (1,), steady=False)
    low = -50 - 3 * LONG.span
    assert (found.low.tolist(), found.high.tolist()) == ([2 * low], [2 * 70 + 350])


@given(st.integers(0, 1 << 24))
def test_bits_hold_a_number(levels: int) -> None:
    bits = bits_for(levels)
    assert levels < 1 << bits
    assert bits == 1 or 1 << (bits - 1) <= levels


@given(st.integers(0, 9), st.integers(0, 40), st.integers(1, 300))
@example(levels=2, step=3, state_max=8)
@example(levels=2, step=3, state_max=7)
def test_thresholds_and_ceilings_are_states(levels: int, step: int, state_max: int) -> None:
    faults = [*levels_fit(levels, np.array([1, step]), state_max)]
    if levels < 1 or step < 1:
        assert [each.is_size for each in faults] == [False]
    else:
        top = max(step << (bits_for(levels) - 1), (levels + 1) * step - 1)
        assert [each.is_size for each in faults] == [True] * (top > state_max)


def test_helpers() -> None:
    assert (span_of(np.array([3, 1])), span_of(np.array([2, 2]))) == ("1..3", "2")
    one, plane = np.arange(2), np.zeros((2, 3, 4))
    assert per_neuron(one, (2, 3, 4)).shape == (2, 1, 1)
    assert per_neuron(plane, (2, 3, 4)) is plane
    summed = over_images(np.full((300, 2), 255, np.uint8))
    assert (summed.tolist(), summed.dtype) == ([76500, 76500], np.int64)
