"""What calibration data are good for, from the file of a model to the numbers of its network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph, random_graph

import snnc
from snnc.compiler.laws import Firing
from snnc.runtime.data import Data, as_source
from snnc.runtime.engines.source_model import SourceModel


def images(count: int, *shape: int) -> Data:
    x = np.random.default_rng(5).uniform(size=(count, *shape)).astype(np.float32)
    return Data(np.cumsum(x, axis=-1) / np.arange(1, shape[-1] + 1, dtype=np.float32))


def error(graph: Graph, folder: Path, calibration: Data | None) -> float:
    """Of the logits of 4-bit weights, relative to their spread."""
    path = graph.save(folder)
    compiled = snnc.compile(path, weight_bits=4, calibration=calibration)
    data = images(100, 2, 8, 8)
    logits = snnc.run(compiled.path, data, engine="golden").result.logits
    expected = SourceModel(graph.model(), "").run(as_source(data.x, compiled.network.input))
    return float(np.std(logits - expected) / np.std(expected))


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_error_feedback_loses_less(tmp_path: Path, seed: int) -> None:
    graph = random_graph(seed)
    assert error(graph, tmp_path, images(200, 2, 8, 8)) < error(graph, tmp_path, None)


def test_every_layer_says_what_it_lost(tmp_path: Path) -> None:
    path = random_graph(2).save(tmp_path)
    losses = snnc.compile(path, weight_bits=4, calibration=images(50, 2, 8, 8)).losses
    network = snnc.load(path.with_suffix(".h5"))
    assert {each.layer for each in losses} <= {each.name for each in network}
    *firing, readout = losses
    assert all(0 <= each.changed <= 1 for each in firing)
    assert 0 <= readout.changed <= 1
    assert readout.farthest is None
    assert all(each.snr > 5 for each in losses)


@pytest.mark.parametrize("code", ["graded", "one-spike", "rate", "offset-spike"])
def test_every_code_rounds_with_error_feedback(tmp_path: Path, code: str) -> None:
    path = random_graph(2).save(tmp_path)
    data = images(50, 2, 8, 8)
    plainly = snnc.compile(path, code=code, weight_bits=4)
    taught = snnc.compile(path, code=code, weight_bits=4, calibration=data)
    assert {e.changed is None for e in taught.losses[:-1]} == {code != "graded"}
    worst = [max(p.error for p in each.projections) for each in plainly.network]
    better = [max(p.error for p in each.projections) for each in taught.network]
    assert np.mean(better) < np.mean(worst)


def plain(folder: Path) -> Path:
    graph = Graph("batch", 2, 8, 8)
    graph.conv(6, 2, 3, 3)
    graph.node("Relu", name="relu")
    graph.node("Flatten")
    graph.dense(3, 216)
    return graph.save(folder)


def test_plain_relus_get_levels(tmp_path: Path) -> None:
    result = snnc.compile(plain(tmp_path), calibration=images(80, 2, 8, 8), levels=15)
    first = result.network.populations[0].neuron
    assert isinstance(first, Firing)
    assert first.levels == 15
    assert [each.name for each in result.calibration.layers] == ["relu"]
    assert result.calibration.loss.calibrated.agreement > 0.9


def test_levels_without_images_are_refused(tmp_path: Path) -> None:
    with pytest.raises(snnc.SnncError) as caught:
        snnc.compile(plain(tmp_path), levels=7)
    assert str(caught.value) == (
        "`levels`: 7 levels, and no images to fit them to\n"
        "  help: give some with `calibration='images.npz'`"
    )
    assert not plain(tmp_path).with_suffix(".h5").exists()


def test_images_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(snnc.SnncError, match=r"^data: x has shape \(5, 3\)"):
        snnc.compile(plain(tmp_path), calibration=Data(np.zeros((5, 3), np.float32)))


def test_a_budget_is_shared_out_among_layers(tmp_path: Path) -> None:
    graph = Graph("batch", 2, 8, 8)
    graph.conv(4, 2, 3, 3, name="few", pads=[1] * 4)
    graph.qcfs(7)
    graph.conv(16, 4, 3, 3, name="many", pads=[1] * 4)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 1024)
    data = images(60, 2, 8, 8)
    weights = np.array([72, 576, 3072])
    budget = int(np.ceil(weights * 3 / 64).sum())
    options = {"weight_bits": "auto", "budget": budget, "calibration": data}
    result = snnc.compile(graph.save(tmp_path), **options)
    bits = np.array([each.weight_bits for each in snnc.load(result.path)])
    assert np.ceil(weights * bits / 64).sum() <= budget
    assert bits[0] > bits[2]
    assert [each.weight_bits for each in result.losses] == bits.tolist()
    remarks = result.network.provenance.remarks
    assert any(each.endswith(f"of {budget} words of 64 bits") for each in remarks)
