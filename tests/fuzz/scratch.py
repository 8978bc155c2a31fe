"""A folder as users have one: models, networks, images, and things that are none of these."""

from __future__ import annotations

import io
import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from support.onnx_models import Graph

import snnc

MODELS = ("m.onnx", "plain.onnx")
NETWORKS = ("n.h5", "rate.h5", "spikes.h5", "stock.h5", "delta.h5")
DATA = ("d.npz", "unlabelled.npz", "x.npy")
ODD = (
    *("missing", "folder", "pipe", "empty", "text", "dangling", "link.onnx", "link.h5", "locked"),
    *("Δ \x1b[31m[bold].h5", "broken.h5", "broken.onnx", "broken.npz", "a" * 250, "", ".", "/"),
    *("locked/x.h5", "folder/x.h5", "missing/x.h5", "/dev/full", "/dev/null", "m.onnx", "n.h5"),
)
"""Names that are no good, or good for something else."""


def fill(folder: Path) -> None:
    """Put everything into an empty folder."""
    for name, content in contents().items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    (folder / "locked").mkdir()
    (folder / "locked").chmod(0o555)
    os.mkfifo(folder / "pipe")
    for name, place in (("link.onnx", "m.onnx"), ("link.h5", "n.h5"), ("dangling", "nowhere.h5")):
        (folder / name).symlink_to(place)


@cache
def contents() -> dict[str, bytes]:
    """The regular files, by their names."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(3, 1, 4, 4)).astype(np.float32)
    found = {
        "m.onnx": _model(7).SerializeToString(),
        "plain.onnx": _model(0).SerializeToString(),
        "d.npz": _saved(x=x, y=np.arange(3) % 3),
        "unlabelled.npz": _saved(x=x),
        "x.npy": _alone(x),
        "empty": b"",
        "text": b"some text\n" * 20,
    }
    codes = ("bit-serial", "rate", "offset-spike", "one-spike", "delta")
    with TemporaryDirectory() as folder:
        path, target = Path(folder) / "m.onnx", Path(folder) / "n.h5"
        path.write_bytes(found["m.onnx"])
        for name, code in zip(NETWORKS, codes, strict=True):
            snnc.compile(path, target, code=code)
            found[name] = target.read_bytes()
    for name in ("n.h5", "m.onnx", "d.npz"):
        broken = bytearray(found[name])
        broken[len(broken) // 2 : len(broken) // 2 + 40] = bytes(40)
        found[f"broken{Path(name).suffix}"] = bytes(broken)
    return found


def _model(levels: int) -> onnx.ModelProto:
    graph = Graph("batch", 1, 4, 4)
    graph.conv(2, 1, 3, 3, name="Δ/conv")
    if levels:
        graph.qcfs(levels)
    else:
        graph.node("Relu")
    graph.node("Flatten")
    graph.dense(3, 8)
    return graph.model()


def _saved(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def _alone(x: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, x)
    return file.getvalue()
