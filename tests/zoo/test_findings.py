"""The smallest networks of what the zoo found wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph, run_onnx

import snnc
from snnc.compiler.errors import SnncError
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import as_source, encode
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.result import logits_of

SUMS = "MaxPool reads sums; allowed: an activation, or sums right before one"


def compiled(graph: Graph, folder: Path, **options: object) -> SpikingNetwork:
    return snnc.compile(graph.save(folder), **options).network


def branches(graph: Graph, *kinds: Callable[[Graph], object]) -> list[str]:
    """Convolutions of one source, each with an activation and what is done to that."""
    start, ends = graph.last, []
    for kind in kinds:
        graph.last = start
        graph.conv(2, 2, 3, 3, pads=[1] * 4)
        graph.qcfs(7)
        kind(graph)
        ends.append(graph.last)
    return ends


def nothing(graph: Graph) -> None:
    """The activation itself."""


def alone(graph: Graph) -> None:
    """A concatenation of one tensor."""
    graph.node("Concat", axis=1)


def pool(graph: Graph, size: int = 2) -> None:
    graph.node("MaxPool", kernel_shape=[size] * 2, strides=[size] * 2)


def finished(graph: Graph, features: int) -> Graph:
    graph.node("Flatten")
    graph.dense(3, features)
    return graph


def check_source(graph: Graph, folder: Path) -> None:
    """With weights of 16 bits few levels differ, and logits hardly."""
    network = compiled(graph, folder, weight_bits=16)
    x = np.random.default_rng(0).integers(0, 256, (64, *network.input.shape)).astype(np.uint8)
    expected = run_onnx(graph.model(), as_source(x, network.input))
    found = logits_of(Golden(network).run(encode(x, network.input)).potential, network)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.999


def concatenated(graph: Graph) -> Graph:
    """Two activations side by side."""
    graph.node("Concat", *branches(graph, nothing, nothing), axis=1)
    return graph


def test_pixels_may_skip_a_layer_of_fine_steps(tmp_path: Path) -> None:
    graph = Graph("batch", 4)
    graph.with_constants("Gemm", graph.rng.normal(size=(4, 4)) / 50, transB=1)
    graph.qcfs(7)
    hidden, graph.last = graph.last, "x"
    graph.dense(4, 4)
    graph.node("Add", hidden, graph.last)
    graph.qcfs(7)
    graph.dense(2, 4)
    assert compiled(graph, tmp_path).schedule == "pipelined"


def test_many_pixels_have_weights_of_16_bits(tmp_path: Path) -> None:
    graph = Graph("batch", 784)
    graph.dense(20, 784)
    graph.qcfs(15)
    graph.dense(10, 20)
    first = compiled(graph, tmp_path, weight_bits=16).populations[0]
    assert len(first.projections) == 2
    assert first.projections[0].error < 4e-3


def test_a_shortcut_is_as_exact_as_what_it_meets(tmp_path: Path) -> None:
    graph = Graph("batch", 2, 6, 6)
    graph.conv(2, 2, 3, 3, pads=[1] * 4)
    graph.qcfs(7)
    start = graph.last
    graph.conv(2, 2, 3, 3, pads=[1] * 4)
    graph.node("Add", graph.last, start)
    graph.qcfs(7, threshold=0.8)
    join = compiled(finished(graph, 72), tmp_path, weight_bits=16).populations[1]
    assert max(each.error for each in join.projections) < 1e-4


@pytest.mark.parametrize("after", [pool, lambda graph: pool(graph, 1)])
def test_a_max_pool_reads_a_pooled_concatenation(
    tmp_path: Path, after: Callable[[Graph], None]
) -> None:
    graph = concatenated(Graph("batch", 2, 8, 8))
    pool(graph)
    after(graph)
    check_source(finished(graph, 16 if after is pool else 64), tmp_path)


def test_a_max_pool_reads_nested_concatenations(tmp_path: Path) -> None:
    graph = concatenated(Graph("batch", 2, 8, 8))
    inner, graph.last = graph.last, "x"
    graph.node("Concat", *branches(graph, nothing), inner, axis=1)
    pool(graph)
    check_source(finished(graph, 96), tmp_path)


def test_a_sum_of_concatenations_is_none(tmp_path: Path) -> None:
    graph = Graph("batch", 2, 8, 8)
    graph.node("Add", *branches(graph, alone, alone))
    pool(graph)
    with pytest.raises(SnncError, match=SUMS):
        compiled(finished(graph, 32), tmp_path)


def test_a_map_before_a_max_pool_is_refused(tmp_path: Path) -> None:
    graph = Graph("batch", 2, 8, 8)
    branches(graph, lambda g: g.with_constants("Mul", g.rng.uniform(0.5, 2, (2, 8, 8))))
    pool(graph)
    with pytest.raises(SnncError, match=SUMS):
        compiled(finished(graph, 32), tmp_path)


def test_a_channel_that_a_norm_scales_away_is_constant(tmp_path: Path) -> None:
    graph = Graph("batch", 2, 6, 6)
    graph.conv(3, 2, 3, 3)
    scale, shift = np.array([1.0, 0.0, -0.7]), np.array([0.1, 1.3, 0.4])
    graph.with_constants("BatchNormalization", scale, shift, *graph.rng.uniform(0.5, 1.5, (2, 3)))
    graph.qcfs(7)
    finished(graph, 48)
    check_source(graph, tmp_path)
    network = snnc.load(tmp_path / "model.h5")
    levels = np.zeros((1, *network.input.shape), np.int32)
    first, _ = network
    sent = Golden(network, every_population=True, threads=1).run(levels).sent[first.name]
    assert np.ptp(sent[:, 1]) == 0


def test_a_population_is_called_by_its_weights_behind_a_concatenation(tmp_path: Path) -> None:
    graph = concatenated(Graph("batch", 2, 8, 8))
    graph.conv(2, 4, 1, 1, name="behind")
    graph.qcfs(7)
    names = [each.name for each in compiled(finished(graph, 128), tmp_path)]
    assert names[2] == "behind"
