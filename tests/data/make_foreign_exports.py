"""Write small networks as other tools export them: Keras by tf2onnx, QONNX, PyTorch's quantiser.

    python tests/data/make_foreign_exports.py torch

    pip install "tensorflow-cpu<2.17" tf2onnx "onnx<1.18" "numpy<2"
    python tests/data/make_foreign_exports.py keras
    pip install qonnx
    python tests/data/make_foreign_exports.py qonnx MODEL.onnx

The last two want environments of their own. Weights are random; MODEL.onnx is any QONNX model of a
batch of one, which is written with its channels last, beside images and what QONNX's own executor
makes of them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
IMAGES = 6


def keras_branches(layers: Any) -> tuple[Any, Any]:
    """Branches side by side, a border, a crop, and a sigmoid of one logit."""
    source = layers.Input((16, 16, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(source)
    ends = [
        layers.Conv2D(4, 1, activation="relu")(x),
        layers.Conv2D(4, 3, padding="same", activation="relu")(x),
        layers.MaxPooling2D(3, 1, padding="same")(x),
        layers.Conv2D(4, 1, activation="relu")(layers.AveragePooling2D(3, 1, padding="same")(x)),
    ]
    x = layers.ZeroPadding2D(1)(layers.Concatenate()(ends))
    x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, strides=2)(x))
    x = layers.GlobalMaxPooling2D()(layers.Cropping2D(1)(x))
    return source, layers.Dense(1, activation="sigmoid")(x)


def keras_line(layers: Any) -> tuple[Any, Any]:
    """Convolutions over a line, which become those over a plane."""
    source = layers.Input((64, 3))
    x = layers.Conv1D(8, 5, activation="relu")(source)
    x = layers.Conv1D(8, 3, activation="relu")(layers.MaxPooling1D(2)(x))
    return source, layers.Dense(5, activation="softmax")(layers.GlobalAveragePooling1D()(x))


def keras_upsampling(layers: Any) -> tuple[Any, Any]:
    """Every pixel four times, between two convolutions."""
    source = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(source)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(layers.UpSampling2D(2)(x))
    return source, layers.Dense(4)(layers.GlobalAveragePooling2D()(x))


def write_keras() -> None:
    """All networks of Keras, with He's weights."""
    import tensorflow as tf
    import tf2onnx

    for build in (keras_branches, keras_line, keras_upsampling):
        rng = np.random.default_rng(0)
        model = tf.keras.Model(*build(tf.keras.layers))
        for layer in model.layers:
            layer.set_weights([_drawn(rng, each.shape) for each in layer.get_weights()])
        signature = (tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="x"),)
        call = tf.function(lambda x, m=model: m(x, training=False), input_signature=signature)
        path = FOLDER / f"{build.__name__}.onnx"
        tf2onnx.convert.from_function(call, signature, opset=15, output_path=str(path))


def _drawn(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    scale = np.sqrt(2 / np.prod(shape[:-1])) if len(shape) > 1 else 0.1
    return (rng.normal(size=shape) * scale).astype(np.float32)


def write_qonnx(path: Path) -> None:
    """A model with its channels last, and what it gives."""
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
    from qonnx.util.cleanup import cleanup_model

    model = cleanup_model(ModelWrapper(str(path)))
    model = model.transform(ConvertToChannelsLastAndClean(make_input_channels_last=True))
    source, result = model.graph.input[0], model.graph.output[0].name
    shape = [each.dim_value for each in source.type.tensor_type.shape.dim]
    x = np.random.default_rng(0).integers(0, 256, (IMAGES, *shape[1:])).astype(np.uint8)
    rows = [(each[None] / 255).astype(np.float32) for each in x]
    y = [execute_onnx(model, {source.name: each})[result] for each in rows]
    model.save(str(FOLDER / "qonnx_channels_last.onnx"))
    np.savez_compressed(FOLDER / "qonnx_channels_last.npz", x=x, logits=np.concatenate(y))


def write_torch() -> None:
    """A residual network that torch.ao quantised: casts between quantisers and their inverses."""
    import torch
    from torch import nn
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
            self.last = nn.Linear(128, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = torch.relu(self.first(x))
            x = nn.functional.max_pool2d(torch.relu(self.second(x)) + x, 2)
            return self.last(x.flatten(1))

    torch.manual_seed(0)
    x = torch.rand(32, 3, 8, 8)
    model = prepare_fx(Residual().eval(), get_default_qconfig_mapping("x86"), (x,))
    model(x)
    path = str(FOLDER / "torch_ao.onnx")
    torch.onnx.export(convert_fx(model), (x[:1],), path, opset_version=17, input_names=["x"])


if __name__ == "__main__":
    if sys.argv[1] == "torch":
        write_torch()
    elif sys.argv[1] == "keras":
        write_keras()
    else:
        write_qonnx(Path(sys.argv[2]))
