"""Write one small network in the forms that ONNX exporters and QCFS implementations give it.

Run `python tests/data/make_exports.py`. The names of two files carry the version of PyTorch, so
another version adds its own and replaces none; the exporter with dynamo needs PyTorch 2.5.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from snnc.frontends.torch import QCFS, export_onnx

FOLDER = Path(__file__).parent
LEVELS = 7
THRESHOLDS = (1.2, 0.4)


class PublishedQCFS(nn.Module):
    """As published with the paper: scaled to 0 … 1 and clipped first, floored afterwards."""

    def __init__(self, levels: int, threshold: float) -> None:
        super().__init__()
        self.levels = levels
        self.threshold = nn.Parameter(torch.tensor([threshold]))

    def forward(self, x: Tensor) -> Tensor:
        """Clip x/λ to 0 … 1, round it to a whole number of L-ths, scale it back."""
        share = torch.clamp(x / self.threshold, 0, 1)
        return torch.floor(share * self.levels + 0.5) / self.levels * self.threshold


class StraightThroughQCFS(nn.Module):
    """Floored by adding a constant: that is how the gradient passes, and what the graph shows."""

    def __init__(self, levels: int, threshold: float) -> None:
        super().__init__()
        self.levels = levels
        self.threshold = nn.Parameter(torch.tensor(threshold))

    def forward(self, x: Tensor) -> Tensor:
        """Floor x·L/λ + ½, clip it to 0 … L, scale it back."""
        shifted = x * self.levels / self.threshold + 0.5
        floored = (torch.floor(shifted) - shifted).detach() + shifted
        return floored.clamp(0, self.levels) * self.threshold / self.levels


def network(activation: type[nn.Module]) -> nn.Sequential:
    """Images (N, 1, 8, 8) from 0 to 1 to logits (N, 10), with the same weights every time."""
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(4)
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    nn.init.normal_(norm.bias, 0.3, 0.3)
    nn.init.normal_(norm.running_mean, 0.0, 0.2)
    nn.init.uniform_(norm.running_var, 0.02, 0.2)
    first, second = (activation(LEVELS, threshold) for threshold in THRESHOLDS)
    narrow = nn.Conv2d(4, 6, 3, stride=2)
    layers = [nn.Conv2d(1, 4, 3, padding=1), norm, first, narrow, second, nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(6 * 3 * 3, 10))


def forget_paths(path: Path) -> None:
    """Drop the stack traces that the exporter attaches to nodes: they name local folders."""
    model = onnx.load(path)
    for node in model.graph.node:
        kept = [each for each in node.metadata_props if not each.key.endswith("stack_trace")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save(model, path)


def main() -> None:
    """Write the files beside this one."""
    version = "_".join(torch.__version__.split(".")[:2])
    example = torch.zeros(1, 1, 8, 8)
    export_onnx(network(PublishedQCFS), example, FOLDER / "published_qcfs.onnx")
    export_onnx(network(StraightThroughQCFS), example, FOLDER / "ste_detach.onnx")
    export_onnx(network(QCFS), example, FOLDER / f"torchscript_{version}.onnx")
    export_onnx(network(QCFS), example, FOLDER / f"dynamo_{version}.onnx", dynamo=True)
    forget_paths(FOLDER / f"dynamo_{version}.onnx")


if __name__ == "__main__":
    main()
