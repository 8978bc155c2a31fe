"""Decisions: the greatest logit, or the sign of a single one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph, run_onnx

import snnc
from snnc.runtime.data import Data
from snnc.runtime.engines.result import classes_of, decisions_of


def test_a_single_logit_decides_by_its_sign() -> None:
    np.testing.assert_array_equal(decisions_of(np.array([[-0.5], [0.0], [2.0]])), [0, 0, 1])
    places = np.array([[[-1.0, 1.0]], [[3.0, -2.0]]])
    np.testing.assert_array_equal(decisions_of(places), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(decisions_of(np.array([[-2.0, -1.0], [0.0, 0.0]])), [1, 0])
    assert [classes_of((n,)) for n in (1, 2, 3)] == [2, 2, 3]


def binary(folder: Path, *, squeezed: bool) -> tuple[Path, Data]:
    """A model that ends in a sigmoid of one logit, and images with what it says of them."""
    graph = Graph("batch", 6)
    graph.dense(8, 6)
    graph.qcfs(7)
    graph.dense(1, 8)
    graph.node("Sigmoid")
    if squeezed:
        graph.with_constants("Squeeze", np.array([1]))
    x = np.random.default_rng(0).integers(0, 256, (40, 6)).astype(np.uint8)
    y = (run_onnx(graph.model(), x / 255).reshape(40) > 0.5).astype(int)
    assert 0 < y.mean() < 1
    return graph.save(folder), Data(x, y)


@pytest.mark.parametrize("squeezed", [False, True])
def test_accuracy_of_two_classes(tmp_path: Path, *, squeezed: bool) -> None:
    path, data = binary(tmp_path, squeezed=squeezed)
    snnc.compile(path, weight_bits=16)
    found = snnc.run(path.with_suffix(".h5"), data, engine="golden")
    assert found.result.accuracy(data.y) > 0.95
    swept = snnc.sweep(path, data, snnc.SweepGrid(("bit-serial",)), weight_bits=16)
    assert swept.models[0].accuracy == 1


@pytest.mark.lava
@pytest.mark.parametrize("squeezed", [False, True])
def test_lava_decides_alike(tmp_path: Path, *, squeezed: bool) -> None:
    pytest.importorskip("lava.magma")
    path, data = binary(tmp_path, squeezed=squeezed)
    snnc.compile(path)
    result = snnc.compare(path, path.with_suffix(".h5"), data, limit=5)
    assert result.is_exact
    assert result.source.accuracy(result.labels) == 1
