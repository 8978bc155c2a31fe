import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.errors import SnncError
from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import (
    Add,
    Affine,
    Conv,
    MaxPool,
    Operator,
    Reshape,
    Select,
    Source,
    Staircase,
)
from snnc.compiler.passes.lower_max_pools import lower_max_pools
from snnc.compiler.rules.float_ir import POOLED, require_rules

SHAPE = (2, 9, 8)


def chain(*operators: Operator) -> Network:
    builder = Builder()
    last = builder.add("x", Source(SHAPE))
    for index, operator in enumerate(operators):
        last = builder.add(f"n{index}", operator, last)
    return Network(builder.nodes(last))


def random_pool(rng: np.random.Generator) -> MaxPool:
    """Overlapping, apart or dilated, with and without uneven pads."""
    kernel, strides = (tuple(int(n) for n in rng.integers(1, high, 2)) for high in (5, 4))
    dilations = tuple(int(n) for n in rng.integers(1, 3, 2))
    pads = tuple(int(rng.integers(k)) for k in kernel * 2)
    return MaxPool(kernel, strides, pads, dilations)


def affine(rng: np.random.Generator) -> Affine:
    return Affine(rng.uniform(0.1, 2, (2, 1, 1)), rng.normal(size=(2, 1, 1)))


def check(network: Network, levels: int, seed: int) -> Network:
    lowered = lower_max_pools(network, levels)
    require_rules(lowered, POOLED, "lower_max_pools")
    x = np.random.default_rng(seed).integers(0, levels + 1, (3, *SHAPE)).astype(float)
    expected = evaluate(network, x)[network.output.name]
    found = evaluate(lowered, x)[lowered.output.name]
    np.testing.assert_allclose(found, expected, atol=1e-9)
    return lowered


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_a_pool_of_levels_is_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    levels = int(rng.integers(1, 20))
    check(chain(affine(rng), random_pool(rng)), levels, seed)
    check(
        chain(Staircase(5), affine(rng), random_pool(rng), Affine(np.array(2.0), np.array(1.0))),
        9,
        seed,
    )


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_an_activation_after_a_pool_is_pulled_before_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel = Conv(rng.normal(size=(2, 2, 3, 3)), np.zeros(2), (1, 1), (1,) * 4, (1, 1))
    check(chain(kernel, random_pool(rng), affine(rng), Staircase(7)), 15, seed)


def test_pools_follow_one_another() -> None:
    pool = MaxPool((3, 3), (2, 2), (1,) * 4, (1, 1))
    check(chain(Staircase(7), pool, pool), 9, 0)


def test_a_concatenation_is_pooled_part_by_part() -> None:
    builder = Builder()
    builder.add("x", Source(SHAPE))
    halves = [builder.add(f"s{n}", Staircase(n), "x") for n in (3, 9)]
    scaled = [
        builder.add(f"a{i}", Affine(np.array(0.5 + i), np.array(i)), n)
        for i, n in enumerate(halves)
    ]
    places = [builder.add(f"p{i}", Select.placed(2, 2 * i, 4), n) for i, n in enumerate(scaled)]
    builder.add("cat", Add(), *places)
    pooled = builder.add("pool", MaxPool((2, 2), (2, 2), (0,) * 4, (1, 1)), "cat")
    check(Network(builder.nodes(pooled)), 15, 0)


def test_the_usual_window_takes_three_populations() -> None:
    lowered = check(chain(MaxPool((2, 2), (2, 2), (0,) * 4, (1, 1))), 15, 0)
    assert sum(isinstance(each.operator, Staircase) for each in lowered) == 3


def test_a_network_without_pools_stays() -> None:
    network = chain(Staircase(3))
    assert lower_max_pools(network, 3) is network


@pytest.mark.parametrize(
    "after", [(), (Affine(np.array(-1.0), np.array(0.0)), Staircase(3)), (Reshape((32,)),)]
)
def test_sums_that_no_activation_follows_are_refused(after: tuple[Operator, ...]) -> None:
    kernel = Conv(np.ones((2, 2, 1, 1)), np.zeros(2), (1, 1), (0,) * 4, (1, 1))
    pool = MaxPool((2, 2), (2, 2), (0,) * 4, (1, 1))
    with pytest.raises(SnncError) as caught:
        lower_max_pools(chain(kernel, pool, *after), 3)
    assert str(caught.value) == (
        "n1: MaxPool reads sums; allowed: an activation, or sums right before one\n"
        "  help: put the activation before the pool, or use an average"
    )


def residual(*behind: Operator) -> Network:
    """Levels and a projection of them, added up and pooled."""
    builder = Builder()
    x = builder.add("x", Source(SHAPE))
    conv = Conv(
        np.random.default_rng(0).normal(size=(2, 2, 1, 1)), np.zeros(2), (1, 1), (0,) * 4, (1, 1)
    )
    sums = builder.add("sum", Add(), x, builder.add("conv", conv, x))
    last = builder.add("pool", MaxPool((2, 2), (2, 2), (0,) * 4, (1, 1)), sums)
    for index, operator in enumerate(behind):
        last = builder.add(f"n{index}", operator, last)
    return Network(builder.nodes(last))


def test_levels_beside_a_projection_are_sums() -> None:
    with pytest.raises(SnncError, match=r"^pool: MaxPool reads sums"):
        lower_max_pools(residual(), 7)
    check(residual(Staircase(9)), 7, 0)
