"""A trained model as an ONNX file that snnc compiles."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from snnc.backends.files import target_of, write_bytes
from snnc.compiler.errors import refusal
from snnc.frontends.torch.evaluation import evaluating

OPSET = 17


def export_onnx(
    model: nn.Module, example: Tensor, path: str | os.PathLike[str], *, dynamo: bool = False
) -> None:
    """Write the model, as it evaluates, to one ONNX file with input `input` and output `logits`.

    The number of images stays open. A reader of the path sees the whole file, or what was there.

    Args:
        model: is left in the mode it is in.
        example: (N, …), one input as the model takes it; its values do not matter.
        path: where the file goes; a file that is there is replaced.
        dynamo: use the newer of PyTorch's two exporters, which chooses the opset itself.

    Raises:
        SnncError: when this PyTorch lacks the newer exporter, or the path cannot be written.
    """
    if dynamo and "dynamo" not in _PARAMETERS:
        what = f"PyTorch {torch.__version__} lacks the exporter dynamo=True, 2.5 is the first"
        raise refusal("export_onnx", what, "leave dynamo=False, or install torch>=2.5")
    path = Path(path)
    target_of(path, option="path")
    with TemporaryDirectory() as folder:
        written = Path(folder) / "model.onnx"
        with evaluating(model):
            _write(model, example, written, dynamo)
        content = written.read_bytes()
    write_bytes(path, content, option="path")


_PARAMETERS = inspect.signature(torch.onnx.export).parameters


def _write(model: nn.Module, example: Tensor, path: Path, dynamo: bool) -> None:
    if dynamo:
        newer = {
            "external_data": False,
            "dynamic_shapes": ({0: torch.export.Dim("batch")},),
            "verbose": False,
        }
        # a single image would be taken for a fixed batch size of 1
        _export(model, torch.cat([example, example]), path, dynamo=True, **newer)
    else:
        older = {
            "opset_version": OPSET,
            "dynamic_axes": {"input": {0: "batch"}, "logits": {0: "batch"}},
        }
        choice = {"dynamo": False} if "dynamo" in _PARAMETERS else {}
        _export(model, example, path, **older, **choice)


def _export(model: nn.Module, example: Tensor, path: Path, **options: object) -> None:
    export: Callable[..., object] = torch.onnx.export
    export(model, (example,), str(path), input_names=["input"], output_names=["logits"], **options)
