"""Networks of slices, splits, shuffles and spread pixels: their whole numbers are the source's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from support.onnx_models import Graph, run_onnx

import snnc
from snnc.compiler.errors import SnncError
from snnc.runtime.data import Data

PIXELS = {"input_range": (0.0, 255.0)}


def whole(graph: Graph, *shape: int) -> np.ndarray:
    """Sixteenths, so that every sum is a whole number of them."""
    return graph.rng.integers(-7, 8, size=shape) / 16


def conv(graph: Graph, out: int, width: int, size: int = 3, **attributes: object) -> None:
    pads = {} if "strides" in attributes else {"pads": [size // 2] * 4}
    weights = whole(graph, out, width, size, size)
    graph.with_constants("Conv", weights, whole(graph, out), **pads, **attributes)


def bent(graph: Graph) -> str:
    return graph.qcfs(7, 7.0)


def ends(graph: Graph, features: int) -> None:
    graph.node("Flatten")
    graph.with_constants("Gemm", whole(graph, 3, features), whole(graph, 3), transB=1)


def shuffled(graph: Graph, groups: int, channels: int, side: int) -> None:
    """As ShuffleNet writes it."""
    apart = [-1, groups, channels // groups, side, side]
    graph.with_constants("Reshape", np.array(apart))
    graph.node("Transpose", perm=[0, 2, 1, 3, 4])
    graph.with_constants("Reshape", np.array([-1, channels, side, side]))


def shuffle_net(graph: Graph) -> None:
    """Two units of ShuffleNet: a half goes on as it is, and its channels are mixed with others."""
    conv(graph, 8, 2)
    bent(graph)
    for _ in range(2):
        halves = [f"half{len(graph.nodes)}", f"other{len(graph.nodes)}"]
        graph.nodes.append(helper.make_node("Split", [graph.last], halves, axis=1))
        graph.last = halves[1]
        conv(graph, 4, 4, 1)
        bent(graph)
        conv(graph, 4, 1, group=4)
        bent(graph)
        conv(graph, 4, 4, 1)
        bent(graph)
        graph.node("Concat", halves[0], graph.last, axis=1)
        shuffled(graph, 2, 8, 6)
    ends(graph, 8 * 36)


def option_a(graph: Graph) -> None:
    """A shortcut that leaves out pixels and adds channels of 0, before and behind."""
    conv(graph, 4, 2)
    start = bent(graph)
    conv(graph, 8, 4, strides=[2, 2], pads=[1] * 4)
    bent(graph)
    conv(graph, 8, 8)
    main, graph.last = graph.last, start
    ranges = ([0, 0], [6, 6], [2, 3], [2, 2])
    graph.with_constants("Slice", *map(np.array, ranges))
    graph.with_constants("Pad", np.array([0, 2, 0, 0, 0, 2, 0, 0]))
    graph.node("Add", main, graph.last)
    bent(graph)
    ends(graph, 8 * 9)


def pooled_parts(graph: Graph) -> None:
    """A max pool of shuffled halves, of which one is taken."""
    conv(graph, 4, 2)
    first = bent(graph)
    conv(graph, 4, 4)
    graph.node("Concat", first, bent(graph), axis=1)
    shuffled(graph, 2, 8, 6)
    graph.with_constants("Gather", np.array([6, 1, 0, 3, 4]), axis=1)
    graph.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    conv(graph, 3, 5)
    bent(graph)
    ends(graph, 27)


def one_part(graph: Graph) -> None:
    """Of a concatenation only what came first: nothing else has a projection."""
    conv(graph, 4, 2)
    first = bent(graph)
    conv(graph, 4, 4)
    graph.node("Concat", first, bent(graph), axis=1)
    graph.with_constants("Slice", *map(np.array, ([0], [4], [1])))
    conv(graph, 3, 4)
    bent(graph)
    ends(graph, 3 * 36)


def spread(graph: Graph) -> None:
    """Fewer pixels, and more again in three ways."""
    conv(graph, 4, 2, strides=[2, 2], pads=[1] * 4)
    bent(graph)
    weights = whole(graph, 4, 2, 3, 3)
    options = {"strides": [2, 2], "pads": [1] * 4, "output_padding": [1, 1]}
    graph.with_constants("ConvTranspose", weights, whole(graph, 2), **options)
    bent(graph)
    graph.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    scales = graph.constant(np.array([1.0, 1.0, 2.0, 2.0]))
    graph.node("Resize", graph.last, "", scales, mode="nearest")
    conv(graph, 4, 2)
    bent(graph)
    graph.node("DepthToSpace", blocksize=2)
    ends(graph, 144)


NETWORKS: dict[str, Callable[[Graph], None]] = {
    "shuffle net": shuffle_net,
    "option A": option_a,
    "pooled parts": pooled_parts,
    "one part": one_part,
    "spread": spread,
}


def saved(name: str, folder: Path) -> tuple[Graph, Path, np.ndarray]:
    graph = Graph("batch", 2, 6, 6)
    graph.with_constants("Mul", 1 / 64)
    NETWORKS[name](graph)
    x = np.random.default_rng(0).integers(0, 256, (32, 2, 6, 6)).astype(np.uint8)
    return graph, graph.save(folder), x


@pytest.mark.parametrize("name", NETWORKS)
def test_whole_numbers_stay_whole(name: str, tmp_path: Path) -> None:
    graph, path, x = saved(name, tmp_path)
    network = snnc.compile(path, **PIXELS).network
    assert {each.error for population in network for each in population.projections} == {0.0}
    found = snnc.run(path.with_suffix(".h5"), Data(x), engine="golden").result.logits
    expected = run_onnx(graph.model(), x)
    assert len(np.unique(expected)) > 20
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_border_above_the_lowest_level_is_no_part_of_a_max_pool(
    value: float, tmp_path: Path
) -> None:
    graph = Graph("batch", 2, 6, 6)
    conv(graph, 4, 2)
    bent(graph)
    graph.with_constants("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), value)
    graph.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    ends(graph, 64)
    if value:
        with pytest.raises(SnncError, match="MaxPool reads sums"):
            snnc.compile(graph.save(tmp_path))
    else:
        assert snnc.compile(graph.save(tmp_path)).network.readout.size == 3


@pytest.mark.lava
@pytest.mark.parametrize("name", ["shuffle net", "spread", "option A", "pooled parts"])
def test_lava_is_golden(name: str, tmp_path: Path) -> None:
    pytest.importorskip("lava.magma")
    _, path, x = saved(name, tmp_path)
    snnc.compile(path, **PIXELS)
    assert snnc.compare(path, path.with_suffix(".h5"), Data(x[:3])).is_exact
