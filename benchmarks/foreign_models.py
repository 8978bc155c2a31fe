"""Write models as other tools export them: `python -m benchmarks.foreign_models TOOL FOLDER`.

TOOL is one of brevitas, onnxruntime, torch, torchvision; brevitas wants an environment of its own
(`pip install brevitas qonnx onnxoptimizer`). Weights are random, statistics of batch norms those of
random images. What PyTorch makes of other images is stored beside each model. Then:
`python -m benchmarks.models FOLDER`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

SHAPE = (3, 16, 16)
IMAGES = 24
TORCHVISION = (
    "densenet121",
    "efficientnet_b0",
    "googlenet",
    "mnasnet0_5",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "regnet_y_400mf",
    "resnet18",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "vit_b_16",
)
PIXELS = 64
"""Of a side, for torchvision's networks."""
Build = Callable[[], nn.Module]


class Sum(nn.Module):
    """A chain, and its source or another chain of it."""

    def __init__(self, chain: nn.Module, end: nn.Module, both: nn.Module | None = None) -> None:
        super().__init__()
        self.chain, self.end, self.both = chain, end, both or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """The sum, and what follows it."""
        return self.end(  # type: ignore[no-any-return]
            self.both(self.chain(x)) + self.both(x)
        )


def brevitas_models() -> Mapping[str, Build]:
    """Chains, residual blocks, depthwise convolutions, and weights of one bit and of two."""
    from brevitas import nn as qnn
    from brevitas import quant

    def conv(i: int, o: int, bits: int = 4, **options: object) -> nn.Module:
        weights = {"weight_quant": quant.Int8WeightPerChannelFloat, "weight_bit_width": bits}
        given = {"kernel_size": 3, "padding": 1, "bias": False, **weights, **options}
        return qnn.QuantConv2d(i, o, **given)

    def relu(bits: int) -> nn.Module:
        return qnn.QuantReLU(bit_width=bits)

    def head(width: int) -> list[nn.Module]:
        return [nn.Flatten(), qnn.QuantLinear(width, 10, bias=True, weight_bit_width=4)]

    def chain(bits: int, levels: int, **options: object) -> nn.Module:
        layers: list[nn.Module] = [qnn.QuantIdentity(bit_width=8)]
        for i, o in ((3, 16), (16, 16), (16, 32)):
            layers += [conv(i, o, bits, **options), nn.BatchNorm2d(o), relu(levels)]
            layers += [nn.MaxPool2d(2)] if o == 32 or i == 16 else []
        return nn.Sequential(*layers, *head(32 * 16))

    def block(shared: bool) -> nn.Module:
        layers = (conv(16, 16), nn.BatchNorm2d(16), relu(4), conv(16, 16), nn.BatchNorm2d(16))
        return Sum(
            nn.Sequential(*layers), relu(4), qnn.QuantIdentity(bit_width=6) if shared else None
        )

    def residual(shared: bool) -> nn.Module:
        start = (qnn.QuantIdentity(bit_width=8), conv(3, 16), nn.BatchNorm2d(16), relu(4))
        return nn.Sequential(
            *start, block(shared), block(shared), nn.AdaptiveAvgPool2d(1), *head(16)
        )

    def mobile() -> nn.Module:
        layers = [qnn.QuantIdentity(bit_width=8), conv(3, 8, 8, stride=2), relu(4)]
        for i, o, stride in ((8, 16, 1), (16, 32, 2), (32, 32, 1)):
            layers += [conv(i, i, stride=stride, groups=i), nn.BatchNorm2d(i), relu(4)]
            layers += [conv(i, o, kernel_size=1, padding=0), nn.BatchNorm2d(o), relu(4)]
        return nn.Sequential(*layers, nn.AvgPool2d(4), *head(32))

    def matrices(activation: Build) -> nn.Module:
        layers: list[nn.Module] = [qnn.QuantIdentity(bit_width=8), nn.Flatten()]
        for i, o in ((3 * 256, 64), (64, 64)):
            layer = qnn.QuantLinear(i, o, bias=True, weight_bit_width=4)
            layers += [layer, nn.BatchNorm1d(o), activation()]
        return nn.Sequential(*layers, *head(64))

    def signs(weights: type) -> nn.Module:
        layers: list[nn.Module] = [qnn.QuantIdentity(bit_width=8)]
        for i in (3, 16, 16):
            sign = qnn.QuantIdentity(act_quant=quant.SignedBinaryActPerTensorConst)
            layers += [qnn.QuantConv2d(i, 16, 3, bias=False, weight_quant=weights)]
            layers += [nn.BatchNorm2d(16), sign]
        last = qnn.QuantLinear(16 * 100, 10, bias=False, weight_quant=weights)
        nn.init.uniform_(last.weight, -1, 1)  # small ones would all become 0
        return nn.Sequential(*layers, nn.Flatten(), last)

    return {
        "w2a2": lambda: chain(2, 2),
        "w4a4": lambda: chain(4, 4),
        "w4a4_powers": lambda: chain(4, 4, weight_quant=quant.Int8WeightPerTensorFixedPoint),
        "w8a8_tensor": lambda: chain(8, 8, weight_quant=quant.Int8WeightPerTensorFloat),
        "residual": lambda: residual(shared=False),
        "residual_shared": lambda: residual(shared=True),
        "mobile": mobile,
        "relu": lambda: matrices(lambda: relu(3)),
        "hardtanh": lambda: matrices(
            lambda: qnn.QuantHardTanh(bit_width=3, min_val=-1.0, max_val=1.0)
        ),
        "sigmoid": lambda: matrices(lambda: qnn.QuantSigmoid(bit_width=4)),
        "tanh": lambda: matrices(lambda: qnn.QuantTanh(bit_width=4)),
        "w1a1": lambda: signs(quant.SignedBinaryWeightPerTensorConst),
        "w2a1": lambda: signs(quant.SignedTernaryWeightPerTensorConst),
    }


def write_brevitas(folder: Path) -> None:
    """All of them, as QONNX and, if they can be, with pairs of quantisers."""
    from brevitas.export import export_onnx_qcdq, export_qonnx

    for name, build in brevitas_models().items():
        model = trained(build, SHAPE)
        for form, export in (("qonnx", export_qonnx), ("qcdq", export_onnx_qcdq)):
            if form == "qcdq" and name.endswith("a1"):
                continue  # Brevitas has no such export for one bit
            path = folder / f"brevitas_{name}_{form}.onnx"
            export(model, args=torch.zeros(1, *SHAPE), export_path=str(path))
            store(model, path, SHAPE)


def plain(activation: Build) -> nn.Module:
    """A residual network of floats."""
    block = nn.Sequential(
        nn.Conv2d(8, 8, 3, padding=1), activation(), nn.Conv2d(8, 8, 3, padding=1)
    )
    start = (nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), activation())
    end = (nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 64, 5))
    return nn.Sequential(*start, Sum(block, activation()), *end)


def write_onnxruntime(folder: Path) -> None:
    """Its static quantisation in both forms, by tensor and by channel; what it executes counts."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.batches = iter([{"x": torch.rand(32, *SHAPE).numpy()}])

        def get_next(self) -> dict[str, object] | None:
            return next(self.batches, None)

    for name, activation in {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "leaky": nn.LeakyReLU}.items():
        source = folder / "source"
        write(trained(lambda a=activation: plain(a), SHAPE), source, SHAPE)  # type: ignore[misc]
        for form in QuantFormat:
            for by_channel in (False, True):
                path = folder / f"ort_{name}_{form.name.lower()}{'_channels' * by_channel}.onnx"
                quantize_static(source, path, Reader(), quant_format=form, per_channel=by_channel)
        source.unlink()


def write_torch(folder: Path) -> None:
    """PyTorch's own quantiser."""
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    for engine in ("x86", "qnnpack"):
        x = torch.rand(32, *SHAPE)
        mapping = get_default_qconfig_mapping(engine)
        model = prepare_fx(trained(lambda: plain(nn.ReLU), SHAPE), mapping, (x,))
        model(x)
        path = folder / f"torch_{engine}.onnx"
        converted = convert_fx(model)
        write(converted, path, SHAPE, axes={})
        store(converted, path, SHAPE)


def write_torchvision(folder: Path) -> None:
    """The definitions of torchvision at their full width, for small images."""
    import torchvision

    for name in TORCHVISION:
        options = {"init_weights": False} if name == "googlenet" else {}
        if name == "vit_b_16":
            options["image_size"] = PIXELS
        shape = (3, PIXELS, PIXELS)
        model = trained(lambda n=name, o=options: getattr(torchvision.models, n)(**o), shape)  # type: ignore[misc]
        write(model, folder / f"torchvision_{name}.onnx", shape)


def trained(build: Build, shape: tuple[int, ...]) -> nn.Module:
    """Random weights, and statistics of random images."""
    torch.manual_seed(0)
    model = build().train()
    with torch.no_grad():
        for _ in range(6):
            model(torch.rand(16, *shape))
    return model.eval()


def write(
    model: nn.Module,
    path: Path,
    shape: tuple[int, ...],
    axes: Mapping[str, Mapping[int, str]] = MappingProxyType({"x": {0: "batch"}}),
) -> None:
    """As PyTorch exports it."""
    options: dict[str, Any] = {"opset_version": 17, "input_names": ["x"]}
    options |= {"dynamic_axes": dict(axes)} if axes else {}
    torch.onnx.export(model, (torch.zeros(1, *shape),), str(path), **options)


def store(model: nn.Module, path: Path, shape: tuple[int, ...]) -> None:
    """Images, and what PyTorch makes of them."""
    x = torch.randint(0, 256, (IMAGES, *shape))
    with torch.no_grad():
        logits = getattr(found := model(x / 255), "value", found)
    np.savez(path.with_suffix(".npz"), x=x.numpy().astype(np.uint8), logits=logits.numpy())


TOOLS: Mapping[str, Callable[[Path], None]] = {
    "brevitas": write_brevitas,
    "onnxruntime": write_onnxruntime,
    "torch": write_torch,
    "torchvision": write_torchvision,
}


def main() -> None:
    """Write the models of one tool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    TOOLS[options.tool](options.folder)


if __name__ == "__main__":
    main()
