"""How large Δ may be: what weights, sums and thresholds leave."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph

import snnc
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import BitSerial


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
