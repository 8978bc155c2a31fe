from __future__ import annotations

from pathlib import Path

import pytest
from support.onnx_models import Graph

from snnc import api
from snnc.runtime.output.report import parts_of


def pooled(pool: str) -> Graph:
    graph = Graph("batch", 1, 8, 8)
    graph.conv(2, 1, 3, 3, pads=[1, 1, 1, 1])
    before = graph.qcfs(7)
    graph.conv(2, 2, 3, 3, pads=[1, 1, 1, 1])
    graph.qcfs(7)
    graph.node("Add", graph.last, before)
    graph.qcfs(7)
    graph.node(pool, kernel_shape=[2, 2], strides=[2, 2])
    graph.node("Flatten")
    graph.dense(3, 32)
    return graph


@pytest.mark.parametrize(
    ("pool", "besides"),
    [
        ("MaxPool", ", 3 populations for max pools"),
        ("AveragePool", ", 1 population for average pools"),
    ],
)
def test_layers_are_those_of_the_model(tmp_path: Path, pool: str, besides: str) -> None:
    """Three activations and the read-out; a pool has a population for each axis, and one more."""
    found = api.compile(pooled(pool).save(tmp_path), average_pool="sum").network
    relays = sum(each.is_relay for each in found)
    assert relays > 0
    said = f"4 layers{besides}, {relays} relay{'s' * (relays > 1)}"
    assert parts_of(found) == said
    assert sum(int(each.split()[0]) for each in said.split(", ")) == len(found.populations)
