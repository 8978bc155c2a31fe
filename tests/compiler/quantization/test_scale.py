"""How large Δ may be: what weights, sums and thresholds leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph, run_onnx

import snnc
from snnc.api.running import executable
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import BitSerial
from snnc.frontends.onnx.loading import load_model
from snnc.runtime.data import Data


def two_rows(largest: float, levels: int = 255) -> Graph:
    """One neuron with a single weight, in levels of it for one level of a pixel; one with many."""
    graph = Graph("batch", 440)
    weights = graph.rng.uniform(0.5, 1, (2, 440)) * graph.rng.choice([-1, 1], 440) * levels
    weights[0] = 0
    weights[0, 0] = largest * levels
    graph.with_constants("Gemm", weights, np.zeros(2), transB=1)
    graph.qcfs(7, 7.0)
    graph.dense(2, 2)
    return graph


def test_weights_are_shifted_where_no_threshold_is_left_otherwise(tmp_path: Path) -> None:
    """Though the other neuron, whose sums fill the state, rounds the worse for it."""
    network = snnc.compile(two_rows(300.4).save(tmp_path), tmp_path / "n.h5").network
    first = network.populations[0]
    assert isinstance(first.neuron, BitSerial)
    assert first.neuron.step[0] == 1
    (projection,) = first.projections
    weights = projection.connection.weights[0]
    assert weights[0] << projection.exponent == pytest.approx(300.4, abs=4)


def test_weights_that_no_shift_holds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SnncError) as caught:
        snnc.compile(two_rows(50_000.3, 15).save(tmp_path), tmp_path / "n.h5", input_bits=4)
    (problem,) = caught.value.problems
    assert problem.what == (
        "its weights reach 3.08 times what synapses hold, with a threshold of 1 unit; "
        "allowed: up to 1 times"
    )
    assert "`weight_bits`" in problem.mend


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
