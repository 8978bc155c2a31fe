from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph

import snnc

IMAGES = 70


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, model.onnx, two networks of it, and images with labels, d.npz."""
    folder = tmp_path_factory.mktemp("networks")
    graph = Graph("batch", 1, 6, 6)
    graph.conv(3, 1, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(4, 48)
    graph.save(folder)
    for code in ("bit-serial", "delta"):
        snnc.compile(folder / "model.onnx", folder / f"{code}.h5", code=code)
    x = np.random.default_rng(0).integers(0, 256, (IMAGES, 1, 6, 6)).astype(np.uint8)
    np.savez(folder / "d.npz", x=x, y=np.arange(IMAGES) % 4)
    return folder
