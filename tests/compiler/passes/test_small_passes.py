import numpy as np
import pytest

from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import (
    Add,
    Affine,
    Clip,
    Conv,
    Floor,
    MaxPool,
    Operator,
    Reshape,
    Source,
    Staircase,
)
from snnc.compiler.passes.drop_repeats import drop_repeats
from snnc.compiler.passes.sink_reshapes import sink_reshapes

SHAPE = (2, 3, 4)
FLAT = Reshape((24,))
HALF = Affine(np.array(0.5), np.array(0.25))


def chain(*operators: Operator) -> Network:
    builder = Builder()
    last = builder.add("x", Source(SHAPE))
    for index, operator in enumerate(operators):
        last = builder.add(f"n{index}", operator, last)
    return Network(builder.nodes(last))


def kinds(network: Network) -> list[str]:
    return [type(each.operator).__name__ for each in network][1:]


def assert_same(found: Network, network: Network) -> None:
    x = np.random.default_rng(0).integers(0, 16, (5, *SHAPE)).astype(float)
    expected = evaluate(network, x)[network.output.name]
    np.testing.assert_allclose(evaluate(found, x)[found.output.name], expected, atol=1e-12)


def test_a_reshape_sinks_below_what_treats_all_alike() -> None:
    network = chain(HALF, FLAT, Clip(np.array(0.0), np.array(3.0)), Floor(), HALF)
    found = sink_reshapes(network)
    assert kinds(found) == ["Affine", "Clip", "Floor", "Affine", "Reshape"]
    assert_same(found, network)


def test_a_reshape_stays_above_what_tells_elements_apart() -> None:
    network = chain(FLAT, Floor(), Affine(np.arange(24.0), np.array(0.0)))
    found = sink_reshapes(network)
    assert kinds(found) == ["Floor", "Reshape", "Affine"]
    assert_same(found, network)


def test_branches_may_differ_in_their_shapes() -> None:
    builder = Builder()
    builder.add("x", Source(SHAPE))
    parts = [builder.add(f"f{i}", FLAT, "x") for i in range(2)]
    floor = builder.add("floor", Floor(), parts[1])
    both = builder.add("both", Add(), parts[0], floor)
    rows = builder.add("rows", Reshape((6, 4)), both)
    network = Network(builder.nodes(builder.add("end", HALF, rows)))
    found = sink_reshapes(network)
    assert kinds(found)[-1] == "Reshape"
    assert_same(found, network)


@pytest.mark.parametrize(
    ("again", "kept"),
    [
        (Affine(np.array(4.0), np.array(0.5 - 1.0)), 1),
        (Affine(np.array(4.0), np.array(0.5)), 2),
        (Affine(np.array(3.0), np.array(0.0)), 2),
    ],
)
def test_a_staircase_of_its_own_levels_goes(again: Affine, kept: int) -> None:
    quarter = Affine(np.array(0.25), np.array(0.25))
    network = chain(Staircase(7), quarter, again, Staircase(9), HALF)
    found = drop_repeats(network, 255)
    assert kinds(found).count("Staircase") == kept
    assert_same(found, network)


def test_an_input_on_its_own_grid_is_not_quantised_again() -> None:
    network = chain(HALF, Affine(np.array(2.0), np.array(0.0)), Staircase(255))
    assert_same(drop_repeats(network, 255), network)
    assert "Staircase" in kinds(drop_repeats(network, 256))


@pytest.mark.parametrize("levels", [3, 7])
def test_fewer_levels_are_no_repeat(levels: int) -> None:
    found = drop_repeats(
        chain(Staircase(7), HALF, Affine(np.array(2.0), np.array(0.0)), Staircase(levels)), 9
    )
    assert kinds(found).count("Staircase") == (2 if levels == 3 else 1)


def test_nothing_to_do_gives_the_same_object() -> None:
    network = chain(Conv(np.ones((2, 2, 1, 1)), np.zeros(2), (1, 1), (0,) * 4, (1, 1)), FLAT)
    assert sink_reshapes(network) is network
    assert drop_repeats(network, 255) is network
    pooled = chain(Staircase(3), MaxPool((1, 1), (1, 1), (0,) * 4, (1, 1)), Staircase(3))
    assert drop_repeats(pooled, 255) is pooled
