"""The source model: what the spiking network is held against.

A quantised model runs without graph optimisation: fused kernels round otherwise than the model
says, and saturate on some processors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from snnc.compiler.errors import SnncError, first_line, refusal
from snnc.compiler.network import Network
from snnc.compiler.operators import Source
from snnc.runtime.engines.float_network import FloatNetwork
from snnc.runtime.engines.sessions import open_session

if TYPE_CHECKING:
    import onnx
    from onnxruntime import InferenceSession

Tensor: TypeAlias = npt.NDArray[np.float32]
STANDARD = ("", "ai.onnx")
RUNNABLE = (*STANDARD, "com.microsoft")
"""The domains whose operators ONNX Runtime has."""
DTYPES = {"tensor(double)": "float64", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}


class Executable(Protocol):
    """Something that gives the logits of the source model."""

    engine: str

    def run(self, images: Tensor) -> Tensor:
        """The logits (images, ...) for normalised images (images, *shape) as the model has them."""
        ...


class SourceModel:
    """The model in ONNX Runtime, batch by batch; one of a fixed batch size is given just that."""

    engine = "onnxruntime"

    def __init__(self, model: onnx.ModelProto, name: str) -> None:
        self.name = name
        self.session = _session(model, name)
        (self.input,) = self.session.get_inputs()
        batch = self.input.shape[0]
        self.batch = batch if isinstance(batch, int) and batch > 0 else None
        self.shape = tuple(self.input.shape[1:])

    def run(self, images: Tensor) -> Tensor:
        """The logits (images, ...) for normalised images (images, *shape).

        Raises:
            SnncError: where ONNX Runtime cannot run it.
        """
        size = self.batch or len(images)
        starts = range(0, len(images), size)
        try:
            return np.concatenate([self._run(images[i : i + size], size) for i in starts])
        except Exception as error:
            raise _refused(self.name, error) from None

    def _run(self, images: Tensor, size: int) -> Tensor:
        missing = size - len(images)
        filled = np.concatenate([images, np.repeat(images[-1:], missing, 0)]) if missing else images
        filled = filled.reshape(size, *self.shape)
        feeds: dict[str, Any] = {self.input.name: filled.astype(_dtype(self.input.type))}
        logits = np.asarray(self.session.run(None, feeds)[0], np.float32)
        return logits.reshape(size, *logits.shape[1:] or (-1,))[: len(images)]


class SourceNetwork:
    """The network that was read from a model that ONNX Runtime cannot run."""

    engine = "snnc, in floats"

    def __init__(self, network: Network) -> None:
        operator = network.input.operator
        self.channels_last = isinstance(operator, Source) and operator.channels_last
        self.shape = network.input.shape
        self.network = FloatNetwork(network)

    def run(self, images: Tensor) -> Tensor:
        """The logits (images, ...) for normalised images (images, *shape)."""
        planes = np.moveaxis(images, -1, 1) if self.channels_last else images
        results = self.network.run(planes.reshape(len(images), *self.shape))
        return np.asarray(next(iter(results.values())), np.float32)


def is_runnable(model: onnx.ModelProto) -> bool:
    """Whether ONNX Runtime has all operators of a model, and is told which set they are of."""
    told = any(each.domain in STANDARD for each in model.opset_import)
    return told and all(node.domain in RUNNABLE for node in model.graph.node)


def _session(model: onnx.ModelProto, name: str) -> InferenceSession:
    quantised = any("Quantize" in n.op_type or "QLinear" in n.op_type for n in model.graph.node)
    try:
        return open_session(model.SerializeToString(), optimises=not quantised)
    except Exception as error:
        raise _refused(name, error) from None


def _refused(name: str, error: Exception) -> SnncError:
    what = f"ONNX Runtime cannot run it: {first_line(error)}"
    return refusal(name, what, "export it again with a newer operator set")


def _dtype(kind: str) -> str:
    return DTYPES.get(kind, "float32")
