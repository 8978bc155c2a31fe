"""The inner names of the golden model meet none of the network's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.integer_law import evaluate
from support.onnx_models import Graph

import snnc
from snnc.api.running import load
from snnc.runtime.engines.golden import Golden


@pytest.mark.parametrize("code", ["rate", "offset-spike"])
def test_weights_of_16_bits_run_on_the_golden_model(code: str, tmp_path: Path) -> None:
    graph = Graph("batch", 2, 4, 4)
    graph.conv(3, 2, 3, 3)
    graph.qcfs(3)
    graph.node("Flatten")
    graph.dense(3, 12)
    check_golden(graph.model(), tmp_path, code=code, weight_bits=16)


def named(*names: str) -> onnx.ModelProto:
    """A network whose layers have these names."""
    graph = Graph("batch", 2, 4, 4)
    graph.conv(3, 2, 3, 3, name=names[0])
    graph.qcfs(3, name=names[1])
    start = graph.last
    graph.conv(3, 3, 1, 1, name=names[2])
    graph.node("Add", start, graph.last, name=names[3])
    graph.qcfs(3)
    graph.node("Flatten")
    graph.dense(3, 12, name=names[4])
    return graph.model()


NAMES = [
    ("a", "a:bias", "a:Conv", "constant", "a:train"),
    ("x:0", "x:Conv", "x:Cast", "x:1", "x:2"),
    ("model/conv:0", "model/relu:0", "constant:1", "constant:0", "output"),
    ("images", "weights", "bias", "[/red]", "[bold]"),
    ("a.scale", "a.levels", "a.place", "a.relay", "a"),
]


@pytest.mark.parametrize("code", ["bit-serial", "rate", "graded"])
@pytest.mark.parametrize("names", NAMES)
def test_names_that_meet_inner_names_stay_apart(
    names: tuple[str, ...], code: str, tmp_path: Path
) -> None:
    check_golden(named(*names), tmp_path, code=code)


def check_golden(model: onnx.ModelProto, folder: Path, **options: Any) -> None:
    """It compiles, and the golden model gives what plain integers give."""
    path = folder / "model.onnx"
    onnx.save(model, path)
    network = load(snnc.compile(path, folder / "net.h5", **options).path)
    shape = (5, *network.input.shape)
    pixels = np.random.default_rng(0).integers(0, network.input.levels + 1, shape)
    found = Golden(network, every_population=True, threads=1).run(pixels)
    expected = evaluate(network, pixels)
    np.testing.assert_array_equal(found.potential, expected[network.readout.name])
    assert all(np.array_equal(found.sent[name], expected[name]) for name in found.sent)
