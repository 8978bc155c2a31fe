from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from snnc.backends.onnx.blocks import in_blocks, window_of
from snnc.backends.onnx.graph import Graph
from snnc.compiler.spiking import Convolution
from snnc.runtime.engines.sessions import open_session

PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


def convolved(stages: tuple[Convolution, ...], numbers: np.ndarray) -> np.ndarray:
    """What ONNX Runtime makes of convolutions, one after the other."""
    graph, last = Graph(["n"]), "n"
    for each in stages:
        last = graph.convolution("Conv", each, last, graph.constant(each.weights, np.float32))
    given = helper.make_tensor_value_info("n", TensorProto.FLOAT, numbers.shape)
    result = helper.make_tensor_value_info(last, TensorProto.FLOAT, None)
    session = open_session(graph.proto("t", [given], [result]).SerializeToString(), threads=1)
    return session.run(None, {"n": numbers.astype(np.float32)})[0]


def blocky(rng: np.random.Generator, small: tuple[int, ...], window: tuple[int, int]) -> np.ndarray:
    return rng.integers(-9, 10, small).repeat(window[0], 2).repeat(window[1], 3)


@given(
    window=PAIRS,
    kernel=PAIRS,
    strides=PAIRS,
    pads=st.tuples(*[st.integers(0, 4)] * 4),
    extra=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    groups=st.integers(1, 2),
)
def test_blocks_are_summed_first_and_give_the_same(
    window: tuple, kernel: tuple, strides: tuple, pads: tuple, extra: tuple, groups: int
) -> None:
    rng = np.random.default_rng(0)
    weights = blocky(rng, (8 * groups, 3, *kernel), window)
    steps = tuple(a * b for a, b in zip(window, strides, strict=True))
    whole = Convolution(weights, steps, pads, groups=groups)
    size = tuple(
        max(k - p - q, 1) + e
        for k, p, q, e in zip(weights.shape[2:], pads[:2], pads[2:], extra, strict=True)
    )
    numbers = rng.integers(0, 16, (2, 3 * groups, *size))
    wanted = convolved((whole,), numbers)
    stages = in_blocks(whole, numbers.shape[1:], wanted.shape[1:])
    np.testing.assert_array_equal(convolved(stages, numbers), wanted)
    assert window_of(stages) % np.prod(window) == 0 or len(stages) == 1


def test_a_composed_pool_is_taken_apart() -> None:
    weights = blocky(np.random.default_rng(1), (16, 8, 3, 3), (2, 2))
    sums, small = in_blocks(Convolution(weights, (2, 2), (2, 2, 2, 2)), (8, 8, 8), (16, 4, 4))
    assert sums.weights.shape == (8, 1, 2, 2)
    assert small.weights.shape == (16, 8, 3, 3)
    assert small.strides == (1, 1)
    assert small.pads == (1, 1, 1, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"weights": (1, 1)},
        {"strides": (1, 1)},
        {"dilations": (2, 2)},
        {"weights": "one differs"},
    ],
)
def test_what_is_not_constant_in_blocks_stays_whole(other: dict) -> None:
    weights = blocky(np.random.default_rng(1), (16, 8, 3, 3), (2, 2))
    if other.get("weights") == "one differs":
        weights[5, 3, 2, 4] += 1
    elif "weights" in other:
        weights = np.random.default_rng(1).integers(-9, 9, weights.shape)
    rest = {k: v for k, v in other.items() if k != "weights"}
    whole = Convolution(weights, **{"strides": (2, 2), **rest})
    assert in_blocks(whole, (8, 16, 16), (16, 6, 6)) == (whole,)
