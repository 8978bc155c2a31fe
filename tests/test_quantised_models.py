"""Models that ONNX Runtime's quantiser wrote: their integers become the chip's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)
from support.onnx_models import Graph

import snnc
from snnc.runtime.data import Data
from snnc.runtime.engines.source_model import SourceModel


class Images(CalibrationDataReader):
    def __init__(self, x: np.ndarray) -> None:
        self.batches: Iterator[dict[str, np.ndarray]] = iter([{"x": x}])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


def residual() -> Graph:
    """A residual block, a max pool and a dense layer, with plain ReLUs."""
    graph = Graph("batch", 2, 8, 8, seed=3)
    graph.conv(8, 2, 3, 3, pads=[1] * 4)
    start = graph.node("Relu")
    graph.conv(8, 8, 3, 3, pads=[1] * 4)
    graph.node("Add", graph.last, start)
    graph.node("Relu")
    graph.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    graph.node("Flatten")
    graph.dense(5, 8 * 4 * 4)
    return graph


def quantised(folder: Path, kind: QuantFormat, activations: QuantType) -> Path:
    graph, path = residual(), folder / "quantised.onnx"
    images = np.random.default_rng(0).uniform(size=(64, 2, 8, 8)).astype(np.float32)
    quantize_static(
        str(graph.save(folder)),
        str(path),
        Images(images),
        quant_format=kind,
        activation_type=activations,
        weight_type=QuantType.QInt8,
        per_channel=activations == QuantType.QUInt8,
    )
    return path


@pytest.mark.parametrize("kind", [QuantFormat.QDQ, QuantFormat.QOperator])
@pytest.mark.parametrize("activations", [QuantType.QUInt8, QuantType.QInt8])
def test_decisions_are_onnx_runtimes(
    tmp_path: Path, kind: QuantFormat, activations: QuantType
) -> None:
    path = quantised(tmp_path, kind, activations)
    network = snnc.compile(path).network
    x = np.random.default_rng(1).uniform(size=(200, 2, 8, 8)).astype(np.float32)
    found = snnc.run(path.with_suffix(".h5"), Data(x), engine="golden").result.logits
    expected = SourceModel(onnx.load(path), "quantised").run(x)
    level = np.diff(np.unique(expected.round(5))).min()
    assert np.abs(found - expected).max() < 2.5 * level
    first, second = np.sort(expected, axis=1)[:, -1:-3:-1].T
    clear = first - second > 2.5 * level
    np.testing.assert_array_equal(found.argmax(1)[clear], expected.argmax(1)[clear])
    assert clear.mean() > 0.8
    assert max(each.neuron.turn for each in network) == 8
    assert any("stay unchanged" in each for each in network.provenance.remarks)


def test_their_weights_are_the_chips(tmp_path: Path) -> None:
    path = quantised(tmp_path, QuantFormat.QDQ, QuantType.QUInt8)
    stored = [onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer]
    kernels = [each for each in stored if each.dtype == np.int8 and each.ndim == 4]
    network = snnc.compile(path).network
    taken = [each.projections[0].connection.weights for each in network]
    for kernel in kernels:
        assert any(np.array_equal(kernel, weights) for weights in taken if weights.ndim == 4)


@pytest.mark.parametrize(("kind", "code"), [("Sigmoid", "one-spike"), ("LeakyRelu", "bit-serial")])
def test_other_activations_between_quantisers(tmp_path: Path, kind: str, code: str) -> None:
    """With one-spike what makes up for rounding must not take a bias beyond 13 bits."""
    graph, path = Graph("batch", 2, 8, 8), tmp_path / "quantised.onnx"
    graph.conv(6, 2, 3, 3, pads=[1] * 4)
    graph.node(kind)
    graph.conv(6, 6, 3, 3, strides=[2, 2])
    graph.node(kind)
    graph.node("Flatten")
    graph.dense(5, 54)
    x = np.random.default_rng(0).uniform(size=(64, 2, 8, 8)).astype(np.float32)
    quantize_static(
        str(graph.save(tmp_path)), str(path), Images(x), quant_format=QuantFormat.QOperator
    )
    network = snnc.compile(path, calibration=Data(x), levels=15, code=code).network
    if code == "one-spike":
        assert max(int(np.abs(each.bias).max()) for each in network) > 3000
    found = snnc.run(path.with_suffix(".h5"), Data(x), engine="golden").result.logits
    expected = SourceModel(onnx.load(path), "quantised").run(x)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


@pytest.mark.lava
def test_lava_is_golden(tmp_path: Path) -> None:
    path = quantised(tmp_path, QuantFormat.QDQ, QuantType.QUInt8)
    snnc.compile(path)
    x = np.random.default_rng(1).uniform(size=(3, 2, 8, 8)).astype(np.float32)
    assert snnc.compare(path, path.with_suffix(".h5"), Data(x)).is_exact
