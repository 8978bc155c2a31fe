"""The simulation in PyTorch that docs/doubts.md holds the rate code against."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from examples.glyphs.data import load_glyphs

import snnc
from snnc.compiler.laws import Readout

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch
from examples.glyphs import torch_rate


def test_an_even_current_fires_as_often_as_qcfs() -> None:
    current = torch.linspace(-1, 3, 401, dtype=torch.float64) + 1e-6
    neurons = torch_rate.Neurons(1.5)
    spikes = sum(neurons(current) for _ in range(6)) / 1.5
    expected = (6 * current / 1.5 + 0.5).floor().clamp(0, 6)
    assert torch.equal(spikes.round(), expected)


def test_the_graph_becomes_spiking_neurons() -> None:
    """As many as there are activations, with their thresholds; at T = 8 nearly the source."""
    steps = torch_rate.spiking_model(onnx.load(torch_rate.MODEL), lambda weights: weights)
    neurons = [each.operator for each in steps if isinstance(each.operator, torch_rate.Neurons)]
    assert len(neurons) == 13
    images = load_glyphs("test", 62)
    pixels = torch.tensor(images.x).float() / 255
    with torch.no_grad():
        *_, logits = torch_rate.simulated(steps, pixels, 8)
    assert np.mean(logits.argmax(1).numpy() == images.y) > 0.8


def test_torch_computes_the_file_to_the_same_numbers(tmp_path: Path) -> None:
    x, path = load_glyphs("test", 4).x, tmp_path / "net.h5"
    snnc.compile(torch_rate.MODEL, path, code="rate", timesteps=3)
    network = snnc.load(path)
    expected = snnc.run(path, snnc.Data(x), engine="golden").result.logits
    assert isinstance(network.readout.neuron, Readout)
    with torch.no_grad():
        found = torch_rate.whole_logits(network, x) * network.readout.neuron.unit
    np.testing.assert_array_equal(found, expected)
    assert len(np.unique(found)) > 50
