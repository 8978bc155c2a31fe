from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from snnc.compiler.errors import SnncError

torch = pytest.importorskip("torch")
from torch import nn

from snnc.frontends.torch import QCFS, export_onnx, quantize_activations

pytestmark = pytest.mark.torch

HAS_DYNAMO = "dynamo" in inspect.signature(torch.onnx.export).parameters
EXPORTERS = [
    False,
    pytest.param(True, marks=pytest.mark.skipif(not HAS_DYNAMO, reason="needs torch>=2.5")),
]
IMAGES = torch.rand(6, 2, 5, 5, generator=torch.Generator().manual_seed(0))


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), QCFS(7, 1.5), nn.Conv2d(3, 3, 3), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(3, 4))


@pytest.mark.parametrize("dynamo", EXPORTERS)
@pytest.mark.parametrize("images", [1, 6])
def test_onnx_runtime_computes_what_pytorch_computes(
    tmp_path: Path, dynamo: bool, images: int
) -> None:
    model = quantize_activations(network(), 15, IMAGES).eval()
    export_onnx(model, IMAGES[:1], tmp_path / "net.onnx", dynamo=dynamo)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    (logits,) = session.run(["logits"], {"input": IMAGES[:images].numpy()})
    np.testing.assert_allclose(logits, model(IMAGES[:images]).detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("dynamo", EXPORTERS)
def test_the_file_is_plain_onnx_with_an_open_batch(tmp_path: Path, dynamo: bool) -> None:
    export_onnx(network(), IMAGES, tmp_path / "net.onnx", dynamo=dynamo)
    graph = onnx.load(tmp_path / "net.onnx").graph
    assert {node.domain for node in graph.node} == {""}
    assert "Floor" in {node.op_type for node in graph.node}
    (first, *_), (last, *_) = (
        each[0].type.tensor_type.shape.dim for each in (graph.input, graph.output)
    )
    assert (first.dim_param, last.dim_param) == ("batch", "batch")


def test_nothing_but_the_file_is_left_and_the_model_is_as_before(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_text("older")
    model = network()
    model[1].eval()
    export_onnx(model, IMAGES, str(tmp_path / "net.onnx"))
    assert [each.name for each in tmp_path.iterdir()] == ["net.onnx"]
    assert [each.training for each in model] == [True, False, *[True] * 5]


def test_a_failed_export_keeps_the_older_file(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_text("older")
    with pytest.raises(RuntimeError):
        export_onnx(network(), IMAGES[:, :1], tmp_path / "net.onnx")
    assert [each.read_text() for each in tmp_path.iterdir()] == ["older"]


def test_a_link_is_followed_and_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.onnx").symlink_to(tmp_path / "folder" / "net.onnx")
    export_onnx(network(), IMAGES, tmp_path / "link.onnx")
    assert (tmp_path / "link.onnx").is_symlink()
    assert onnx.load(tmp_path / "folder" / "net.onnx").graph.node
    with pytest.raises(SnncError, match="cannot be written: it is a folder"):
        export_onnx(network(), IMAGES, tmp_path / "folder")


@pytest.mark.skipif(HAS_DYNAMO, reason="this PyTorch has both exporters")
def test_an_exporter_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnncError) as caught:
        export_onnx(network(), IMAGES, tmp_path / "net.onnx", dynamo=True)
    assert str(caught.value) == (
        f"export_onnx: PyTorch {torch.__version__} lacks the exporter dynamo=True, "
        "2.5 is the first\n  help: leave dynamo=False, or install torch>=2.5"
    )
