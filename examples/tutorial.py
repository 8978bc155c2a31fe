"""The model and the images of docs/tutorial.md: a small ReLU network on handwritten digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

from snnc.frontends.torch import export_onnx

FOLDER = Path("out/tutorial")
TEST_IMAGES = 450


def main() -> None:
    """Train for a few seconds, then write what the tutorial needs."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # sums in one order: the same numbers every time
    pixels, digits = load_digits(return_X_y=True)
    images = (pixels * 255 / 16).round().astype(np.uint8).reshape(-1, 1, 8, 8)
    x, y = torch.tensor(images) / 255, torch.tensor(digits)
    order = torch.randperm(len(x))
    test, training = order[:TEST_IMAGES], order[TEST_IMAGES:]
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 4 * 4, 10),
    )
    train(model, x[training], y[training])
    FOLDER.mkdir(parents=True, exist_ok=True)
    export_onnx(model, x[:1], FOLDER / "model.onnx")
    for name, chosen in (("calibration", training[:500]), ("test", test)):
        np.savez(FOLDER / f"{name}.npz", x=images[chosen], y=digits[chosen])


def train(model: nn.Module, x: Tensor, y: Tensor, epochs: int = 15) -> None:
    """As you train yours; snnc asks for nothing here."""
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(epochs):
        for chosen in torch.randperm(len(x)).split(64):
            loss = nn.functional.cross_entropy(model(x[chosen]), y[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()


if __name__ == "__main__":
    main()
