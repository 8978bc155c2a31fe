"""Units of the membrane: as fine as what they count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph, run_onnx

import snnc
from snnc.api.running import executable
from snnc.frontends.onnx.loading import load_model
from snnc.runtime.data import Data


def network(scale: float) -> Graph:
    """Rows of zeros, whole and in part, in two layers of tiny or of large weights."""
    graph = Graph("batch", 2, 8, 8)
    kernels = graph.rng.normal(size=(4, 2, 3, 3)) * scale
    kernels[1], kernels[2, 0] = 0, 0
    graph.with_constants("Conv", kernels, graph.rng.normal(size=4) * scale)
    graph.qcfs(7, 2.0 * scale)
    graph.node("Flatten")
    rows = graph.rng.normal(size=(3, 144)) * scale
    rows[1], rows[2, :70] = 0, 0
    graph.with_constants("Gemm", rows, graph.rng.normal(size=3) * scale**2, transB=1)
    return graph


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_no_scale_of_the_weights_costs_accuracy(scale: float, tmp_path: Path) -> None:
    graph = network(scale)
    path, x = graph.save(tmp_path), graph.rng.integers(0, 256, (9, 2, 8, 8)).astype(np.uint8)
    snnc.compile(path, weight_bits=16)
    found = snnc.run(path.with_suffix(".h5"), Data(x), engine="golden").result.logits
    expected = run_onnx(graph.model(), x / 255)
    np.testing.assert_allclose(found[:, 1], expected[:, 1], rtol=1e-3)
    assert np.corrcoef(found[:, 0], expected[:, 0])[0, 1] > 0.999


@pytest.mark.parametrize("version", [1, 8])
def test_a_model_without_operator_sets_runs_as_it_is_read(version: int, tmp_path: Path) -> None:
    graph = network(1.0)
    model = graph.model()
    model.ir_version = version
    del model.opset_import[:]
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    snnc.compile(path)
    x = graph.rng.uniform(size=(3, 2, 8, 8)).astype(np.float32)
    found = executable(load_model(path), "model").run(x)
    np.testing.assert_allclose(found, run_onnx(graph.model(), x), atol=1e-4)
