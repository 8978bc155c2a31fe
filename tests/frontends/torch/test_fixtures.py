from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

DATA = Path(__file__).parents[2] / "data"
PIXELS = np.random.default_rng(0).integers(0, 256, (64, 1, 8, 8))


def logits(name: str) -> np.ndarray:
    session = onnxruntime.InferenceSession(DATA / f"{name}.onnx")
    return session.run(["logits"], {"input": (PIXELS / 255).astype(np.float32)})[0]


@pytest.mark.parametrize("name", ["dynamo_2_13", "published_qcfs", "ste_detach"])
def test_every_way_of_writing_qcfs_is_the_same_network(name: str) -> None:
    np.testing.assert_allclose(logits(name), logits("torchscript_2_13"), atol=1e-6)
