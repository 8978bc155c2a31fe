"""What other tools exported: tests/data/make_foreign_exports.py wrote the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import snnc
from snnc.api.running import executable
from snnc.compiler.network import Network, evaluate
from snnc.compiler.operators import Floats, Source, Transpose
from snnc.compiler.passes.sink_reshapes import sink_reshapes
from snnc.frontends.onnx.loading import load_model
from snnc.frontends.onnx.reader import read_onnx
from snnc.runtime.data import Data

DATA = Path(__file__).parents[2] / "data"
KERAS = ("keras_branches", "keras_line", "keras_upsampling")


def values(network: Network, x: Floats) -> Floats:
    """What the network gives for images as the model has them."""
    assert isinstance(network.input.operator, Source)
    assert network.input.operator.channels_last
    planes = np.moveaxis(x, -1, 1).reshape(len(x), *network.input.shape)
    return evaluate(network, planes.astype(np.float64))[network.output.name]


@pytest.mark.parametrize("name", KERAS)
def test_keras_means_what_onnx_runtime_makes_of_it(name: str) -> None:
    network, model = read_onnx(DATA / f"{name}.onnx")
    shape = network.input.shape
    x = np.random.default_rng(0).uniform(size=(3, *shape[1:], shape[0])).astype(np.float32)
    expected = executable(model, name).run(x)
    found = sink_reshapes(network)
    np.testing.assert_allclose(values(found, x), expected, atol=1e-5)
    # nothing moves a pixel but the upsampling
    assert any(isinstance(n.operator, Transpose) for n in found) == (name == KERAS[2])


@pytest.mark.parametrize("name", KERAS[1:])
def test_keras_compiles_by_calibration(name: str, tmp_path: Path) -> None:
    path = DATA / f"{name}.onnx"
    shape = read_onnx(path)[0].input.shape
    x = np.random.default_rng(0).uniform(size=(16, *shape[1:], shape[0])).astype(np.float32)
    out = tmp_path / "net.h5"
    snnc.compile(path, out, calibration=Data(x), levels=15)
    found = snnc.run(out, Data(x), engine="golden").result.logits
    expected = executable(load_model(path), name).run(x)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


@pytest.mark.parametrize("bits", [8, 16])
def test_qonnx_with_channels_last_is_what_its_own_executor_makes_of_it(
    tmp_path: Path, bits: int
) -> None:
    stored = np.load(DATA / "qonnx_channels_last.npz")
    path, out = DATA / "qonnx_channels_last.onnx", tmp_path / "net.h5"
    snnc.compile(path, out, weight_bits=bits)
    found = snnc.run(out, Data(stored["x"]), engine="golden").result.logits
    largest = np.abs(stored["logits"]).max()
    np.testing.assert_allclose(found, stored["logits"], atol=1e-3 * largest)
    floats = executable(load_model(path), "qonnx").run(stored["x"].astype(np.float32) / 255)
    np.testing.assert_allclose(floats, stored["logits"], atol=1e-3 * largest)


@pytest.mark.lava
def test_lava_is_golden_where_a_shortcut_has_synapses_of_its_own(tmp_path: Path) -> None:
    pytest.importorskip("lava.magma")
    path, out = DATA / "qonnx_channels_last.onnx", tmp_path / "net.h5"
    network = snnc.compile(path, out).network
    assert len(next(each for each in network if each.name == "Add_0").projections) == 3
    x = np.load(DATA / "qonnx_channels_last.npz")["x"][:3]
    engine = snnc.compare(path, out, Data(x)).engines["lava"]
    assert engine is not None
    assert engine.mismatches == 0


def test_torchs_quantiser_is_what_onnx_runtime_makes_of_it(tmp_path: Path) -> None:
    path, out = DATA / "torch_ao.onnx", tmp_path / "net.h5"
    x = np.random.default_rng(0).integers(0, 256, (32, 3, 8, 8)).astype(np.uint8)
    network, model = read_onnx(path)
    expected = executable(model, "torch").run((x / 255).astype(np.float32))
    found = evaluate(network, x / 255)[network.output.name]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    snnc.compile(path, out, weight_bits=16)
    golden = snnc.run(out, Data(x), engine="golden").result.logits
    assert np.corrcoef(golden.ravel(), expected.ravel())[0, 1] > 0.995
