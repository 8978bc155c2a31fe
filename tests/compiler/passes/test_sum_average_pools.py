import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.network import Builder, Network, evaluate
from snnc.compiler.operators import (
    Affine,
    AveragePool,
    Conv,
    MatMul,
    Operator,
    Reshape,
    Source,
    Staircase,
)
from snnc.compiler.passes.sum_average_pools import sum_average_pools


def chain(*operators: Operator, size: int = 8) -> Network:
    builder = Builder()
    last = builder.add("x", Source((4, size, size)))
    for index, operator in enumerate(operators):
        last = builder.add(f"n{index}", operator, last)
    return Network(builder.nodes(last))


def populations(network: Network) -> list[int]:
    return [n.operator.levels for n in network if isinstance(n.operator, Staircase)]


HALF = AveragePool((2, 2), (2, 2), (0,) * 4)
WIDE = Conv(np.ones((16, 4, 3, 3)), np.zeros(16), (1, 1), (1,) * 4, (1, 1))


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_the_sum_is_the_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel = tuple(int(n) for n in rng.integers(1, 4, 2))
    pads = tuple(int(rng.integers(k)) for k in kernel * 2)
    pool = AveragePool(kernel, (2, 1), pads, bool(rng.integers(2)))
    offset = rng.normal(size=(4, 1, 1)) * rng.integers(2)
    network = chain(Staircase(5), Affine(rng.uniform(0.1, 2, (4, 1, 1)), offset), pool, WIDE)
    found = sum_average_pools(network, "sum", "pipelined", 255)
    x = rng.integers(0, 7, (2, 4, 8, 8)).astype(float)
    expected = evaluate(network, x)[network.output.name]
    np.testing.assert_allclose(evaluate(found, x)[found.output.name], expected, atol=1e-9)
    whole = not any(pads) or (pool.counts_pads and not offset.any())
    assert len(populations(found)) == 1 + whole


def test_auto_saves_synapses_where_no_image_waits_longer() -> None:
    network = chain(Staircase(7), HALF, WIDE, Staircase(7))
    assert sum_average_pools(network, "auto", "pipelined", 255) is network
    assert populations(sum_average_pools(network, "auto", "sequential", 255)) == [7, 28, 7]
    slow = chain(Staircase(7), HALF, WIDE, Staircase(31))
    assert populations(sum_average_pools(slow, "auto", "pipelined", 255)) == [7, 28, 31]


def test_auto_composes_what_costs_more_alone() -> None:
    single = Conv(np.ones((1, 4, 1, 1)), np.zeros(1), (1, 1), (0,) * 4, (1, 1))
    network = chain(Staircase(7), HALF, single)
    assert sum_average_pools(network, "auto", "sequential", 255) is network


def test_a_global_pool_before_a_matrix_is_worth_a_population() -> None:
    pool = AveragePool((8, 8), (1, 1), (0,) * 4)
    network = chain(Staircase(3), pool, Reshape((4,)), MatMul(np.ones((10, 4)), np.zeros(10)))
    assert populations(sum_average_pools(network, "auto", "sequential", 255)) == [3, 192]


@pytest.mark.parametrize("operators", [(Staircase(7), HALF, WIDE), (Staircase(7), WIDE)])
def test_nothing_is_done_unasked(operators: tuple[Operator, ...]) -> None:
    network = chain(*operators)
    assert sum_average_pools(network, "compose", "sequential", 255) is network
