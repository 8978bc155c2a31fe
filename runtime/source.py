"""The source model in ONNX Runtime: what the spiking network is held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import refusal

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Tensor: TypeAlias = npt.NDArray[np.float32]


class SourceModel:
    """A float model, evaluated batch by batch; a model of a fixed batch size is given just that."""

    def __init__(self, model: bytes, name: str) -> None:
        self.session = _session(model, name)
        (self.input,) = self.session.get_inputs()
        batch = self.input.shape[0]
        self.batch = batch if isinstance(batch, int) and batch > 0 else None
        self.shape = tuple(self.input.shape[1:])

    def run(self, images: Tensor) -> Tensor:
        """The logits (images, ...) for normalised images (images, *shape)."""
        size = self.batch or len(images)
        starts = range(0, len(images), size)
        return np.concatenate([self._run(images[i : i + size], size) for i in starts])

    def _run(self, images: Tensor, size: int) -> Tensor:
        missing = size - len(images)
        filled = np.concatenate([images, np.repeat(images[-1:], missing, 0)]) if missing else images
        filled = filled.reshape(size, *self.shape)
        feeds: dict[str, Any] = {self.input.name: filled.astype(_dtype(self.input.type))}
        logits = self.session.run(None, feeds)[0]
        return np.asarray(logits[: len(images)], np.float32)


def _session(model: bytes, name: str) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        what = f"ONNX Runtime cannot run it: {str(error).splitlines()[0]}"
        raise refusal(name, what, "export it again with a newer operator set") from None


def _dtype(kind: str) -> str:
    return {"tensor(double)": "float64", "tensor(float16)": "float16"}.get(kind, "float32")
