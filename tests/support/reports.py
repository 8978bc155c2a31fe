"""A report of a small network with a shortcut, names that are markup, and decisions that change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from support.onnx_models import Graph

import snnc
from snnc.runtime.studies.report import Report

MARKUP = "<b onclick='alert(1)'>&amp;\"x"
CLASSES = ("<i>kat</i>", "dog", "cow", "{{ 7*7 }}", "owl")


def residual(folder: Path) -> Path:
    graph = Graph("batch", 3, 8, 8, seed=4)
    graph.conv(6, 3, 3, 3, pads=[1] * 4, name=MARKUP)
    skip = graph.qcfs(7)
    graph.conv(6, 6, 3, 3, pads=[1] * 4)
    graph.qcfs(7)
    second = graph.conv(6, 6, 3, 3, pads=[1] * 4)
    graph.node("Add", skip, second)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(5, 6 * 64)
    return graph.save(folder)


def written(folder: Path, *, code: str = "bit-serial", weight_bits: int = 2) -> tuple[Report, Path]:
    """A report of 120 images, and its page."""
    model, page = residual(folder), folder / "page.html"
    found = snnc.compile(model, code=code, weight_bits=weight_bits, labels=CLASSES)
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 256, (120, 3, 8, 8)) / 255).astype(np.float32)  # on the input's levels
    np.savez(folder / "d.npz", x=x, y=rng.integers(0, 5, 120))
    return snnc.report(model, found.path, folder / "d.npz", page), page
