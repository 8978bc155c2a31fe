"""A model of two layers, and the network that it becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.onnx_models import Graph

import snnc


@pytest.fixture
def model(tmp_path: Path) -> Path:
    graph = Graph("batch", 1, 6, 6)
    graph.conv(3, 1, 3, 3, name="conv")
    graph.qcfs(7, name="qcfs")
    graph.node("Flatten", name="flatten")
    graph.dense(4, 48, name="fc")
    return graph.save(tmp_path)


@pytest.fixture
def net(model: Path) -> Path:
    return snnc.compile(model).path
