"""Some networks of the zoo as ONNX files, which are made once, by a process that has PyTorch."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import onnx

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "out" / "zoo"
NAMES = ("mlp", "lenet", "line", "growing", "preactivation")


def are_there() -> bool:
    """Whether there are files, if need be made now; without PyTorch there may be none."""
    if not any(FOLDER.glob("*.onnx")) and find_spec("torch"):
        subprocess.run([sys.executable, "-m", __name__], cwd=ROOT, check=True)
    return bool(models())


@cache
def models() -> list[onnx.ModelProto]:
    """The networks."""
    return [onnx.load(each) for each in sorted(FOLDER.glob("*.onnx"))]


def _make() -> None:
    sys.path.insert(0, str(ROOT / "tests"))
    from zoo.models import ZOO, export

    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        export(ZOO[name], FOLDER / f"{name}.onnx")


if __name__ == "__main__":
    _make()
