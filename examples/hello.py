"""One small network from PyTorch to spikes; docs/design.md follows its numbers by hand."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

import snnc
from snnc.frontends.torch import QCFS, export_onnx

WEIGHTS = {
    "0.weight": [[[[0.5, -0.25], [0.25, 0.5]]], [[[-0.25, 0.5], [0.5, 0.25]]]],
    "0.bias": [0.0, 0.0],
    "1.weight": [2.0, 1.0],
    "1.bias": [1.0, 1.0],
    "4.weight": [[1.0, -1.0], [0.5, 1.0]],
    "4.bias": [0.0, 0.5],
}


def main() -> None:
    """Build, export, compile and run; two logits come out of PyTorch and of the golden model."""
    layers = nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2, eps=0.0), QCFS(levels=7, threshold=7.0)
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(2, 2)).eval()
    tensors = {name: torch.tensor(each) for name, each in WEIGHTS.items()}
    model.load_state_dict(tensors, strict=False)
    image = np.array([[[[3, 1], [0, 2]]]], np.float32)
    folder = Path("out/hello")
    folder.mkdir(parents=True, exist_ok=True)
    export_onnx(model, torch.from_numpy(image), folder / "hello.onnx")
    chosen = snnc.compile(folder / "hello.onnx", input_bits=2, input_range=(0, 3))
    print(chosen.network)
    result = snnc.run(chosen.path, snnc.Data(image, None), engine="golden").result
    print("PyTorch", model(torch.from_numpy(image)).tolist())
    print("golden ", result.logits.tolist())


if __name__ == "__main__":
    main()
