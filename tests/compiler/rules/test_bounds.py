from dataclasses import replace

import numpy as np
import pytest
from support.spiking_networks import as_current, chain, chain_of

from snnc.compiler.laws import Rate
from snnc.compiler.rules.bounds import greatest_arrival, is_steady, reach, sum_bounds
from snnc.compiler.spiking import Dense, Population, Projection

ONE = np.array([1])
STEPS, LEVELS = 5, 3


def rate_neurons(*sources: str) -> tuple[Population, dict]:
    """Two neurons with weights 1, 4 and −2, −1, which hear a current or a train of spikes."""
    law = Rate(9 * np.ones(2, int), np.zeros(2, int), STEPS)
    current = as_current(replace(chain().input, name="current", levels=LEVELS), STEPS)
    train = replace(chain_of(Rate(ONE, 0 * ONE, STEPS)).populations[0], name="train", shape=(2,))
    weights = Dense(np.array([[1, 4], [-2, -1]]))
    projections = tuple(Projection(each, weights) for each in sources)
    nodes = {"current": current, "train": train}
    return Population("fc", (2,), projections, np.zeros(2, int), law), nodes


@pytest.mark.parametrize(
    ("sources", "arrives"),
    [
        (("current",), LEVELS),
        (("train",), STEPS),
        (("current", "train"), STEPS * (LEVELS + 1)),
        (("train", "current"), STEPS * (LEVELS + 1)),
    ],
)
def test_spikes_add_up_over_all_steps_unless_every_step_is_the_same(sources, arrives) -> None:
    population, nodes = rate_neurons(*sources)
    assert is_steady(population, nodes) == (sources == ("current",))
    bounds = sum_bounds(population, nodes)
    assert bounds.low.tolist() == [0, -3 * arrives]
    assert bounds.high.tolist() == [5 * arrives, 0]
    assert reach(population, nodes) == 5 * arrives


def test_a_number_that_is_said_at_once_arrives_once() -> None:
    assert greatest_arrival(chain().input, 7) == 255
