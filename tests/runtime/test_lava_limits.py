"""What the simulator refuses, because its numbers would not be the network's."""

from __future__ import annotations

import numpy as np
import pytest

from snnc.compiler.spiking import (
    Dense,
    Firing,
    Input,
    InputCode,
    Population,
    Projection,
    Readout,
    Schedule,
    SpikingNetwork,
)
from snnc.runtime.lava.limits import problems_of


def firing(
    name: str, *sources: str, weight: int = 1, exponent: int = 0, levels: int = 15, step: int = 4
) -> Population:
    weights = np.full((2, 2), weight)
    projections = tuple(Projection(each, Dense(weights), exponent) for each in sources)
    neuron = Firing(np.full(2, step), levels)
    return Population(name, (2,), projections, np.zeros(2, np.int64), neuron)


def readout(source: str, bias: int = 0) -> Population:
    projection = Projection(source, Dense(np.ones((2, 2), np.int64)))
    return Population("out", (2,), (projection,), np.full(2, bias), Readout(np.ones(2)))


def found(
    *populations: Population, schedule: Schedule = "pipelined", code: InputCode = "graded"
) -> list[str]:
    network = SpikingNetwork(Input("x", (2,), 255, 0.0, 1.0, code), populations, schedule)
    return [f"{each.where}: {each.what}" for each in problems_of(network)]


@pytest.mark.parametrize("schedule", ["pipelined", "sequential"])
def test_a_chain_is_accepted(schedule: Schedule) -> None:
    chain = (firing("a", "x"), firing("b", "a", levels=5), readout("b"))
    assert found(*chain, schedule=schedule) == []


@pytest.mark.parametrize(
    ("code", "levels"),
    [
        ("bits", 1),  # a new image begins to arrive before the last bit of the one before it
        ("graded", 15),  # a new image is in v before the one before it has fired
    ],
)
def test_a_skip_mixes_images_when_pipelined(code: InputCode, levels: int) -> None:
    skip = (firing("a", "x", levels=1), firing("b", "a", "x", levels=levels), readout("b"))
    (problem,) = found(*skip, code=code)
    assert problem.startswith("b: the bits of its sources mix")
    assert found(*skip, code=code, schedule="sequential") == []


def test_windows_that_overlap_but_end_apart_mix() -> None:
    join = (firing("a", "x"), firing("b", "x", levels=3), firing("c", "a", "b"), readout("c"))
    (problem,) = found(*join, schedule="sequential")
    assert problem.startswith("c: the bits of its sources mix")


def test_windows_that_end_together_are_accepted() -> None:
    join = (firing("a", "x"), firing("b", "x", levels=12), firing("c", "a", "b"), readout("c"))
    assert found(*join) == []


@pytest.mark.parametrize(
    ("population", "what"),
    [
        (
            firing("a", "x", weight=-33_000),
            "a: its sum over x may reach 16830000 << 0, allowed are 16777216 before and 2147483647 "
            "after the shift",
        ),
        (
            firing("a", "x", weight=120, exponent=16),
            "a: its sum over x may reach 61200 << 16, allowed are 16777216 before and 2147483647 "
            "after the shift",
        ),
        (
            firing("a", "x", step=2**20),
            "a: threshold 8388608, but a state of 24 bits ends at 8388607",
        ),
    ],
)
def test_a_sum_or_threshold_out_of_range(population: Population, what: str) -> None:
    assert found(population, readout("a")) == [what]


def test_a_bias_out_of_range() -> None:
    what = "out: bias 9000000, but a state of 24 bits ends at 8388607"
    assert found(readout("x", bias=-9_000_000)) == [what]
