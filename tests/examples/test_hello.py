from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.torch
def test_hello_prints_the_same_logits_twice(tmp_path: Path) -> None:
    words = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + _program()]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    source, golden = (line.split("[")[1] for line in done.stdout.splitlines() if "[" in line)
    assert source == golden


def _program() -> str:
    return (ROOT / "examples" / "hello.py").read_text()
