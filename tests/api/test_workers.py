"""Commands give the same with workers as without."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import snnc
from snnc.cli import app

IMAGES = 70


def command(*words: object) -> tuple[int, str, str]:
    found = CliRunner().invoke(app, list(map(str, words)))
    return found.exit_code, found.stdout, found.stderr


def without_time(found: Any) -> Any:
    """Without rates, and without the number of workers."""
    if isinstance(found, dict):
        left_out = ("images_per_second", "workers", "scheduler")
        return {k: without_time(each) for k, each in found.items() if k not in left_out}
    return found


@pytest.mark.parametrize("engine", ["golden", pytest.param("lava", marks=pytest.mark.lava)])
@pytest.mark.parametrize("code", ["bit-serial", "delta"])
def test_run(folder: Path, tmp_path: Path, engine: str, code: str) -> None:
    written, told = [], []
    for workers in (1, 2):
        out = tmp_path / f"{workers}.npz"
        words = ("run", folder / f"{code}.h5", folder / "d.npz", "--engine", engine, "-o", out)
        status, stdout, _ = command(*words, "--workers", workers, "--json")
        assert status == 0
        assert json.loads(stdout)["workers"] == workers
        written.append(out.read_bytes())
        told.append(without_time(json.loads(stdout)))
    assert written[0] == written[1]
    assert told[0] == told[1]


@pytest.mark.lava
def test_compare(folder: Path) -> None:
    words = ("compare", folder / "model.onnx", folder / "delta.h5", folder / "d.npz", "--json")
    alone, shared = (command(*words, "--workers", workers) for workers in (1, 2))
    assert alone[0] == shared[0] == 0
    assert without_time(json.loads(alone[1])) == without_time(json.loads(shared[1]))


def test_sweep(folder: Path) -> None:
    """A point that cannot be compiled keeps its place and its reason."""
    words = ("sweep", folder / "model.onnx", folder / "d.npz", "--timesteps", "1,2", "--on-cores")
    options = ("--codes", "rate,graded,one-spike", "--target", "loihi1", "--json")
    alone, shared = (command(*words, *options, "--workers", workers) for workers in (1, 2))
    assert (alone[0], alone[2]) == (shared[0], shared[2])
    assert without_time(json.loads(alone[1])) == without_time(json.loads(shared[1]))
    assert "problems" in alone[1]


def test_progress_is_that_of_all_images(folder: Path) -> None:
    told: list[tuple[str, int, int]] = []
    data = np.load(folder / "d.npz")
    snnc.run(
        folder / "delta.h5",
        (data["x"], data["y"]),
        engine="golden",
        workers=2,
        progress=lambda *each: told.append(each),
    )
    assert sum(done for _, done, _ in told) == IMAGES
    assert {(name, total) for name, _, total in told} == {("golden", IMAGES)}


@pytest.mark.parametrize("workers", [0, -1, 5000])
def test_a_number_of_workers_that_is_none(folder: Path, workers: int) -> None:
    words = ("run", folder / "delta.h5", folder / "d.npz", "--engine", "golden")
    status, _, stderr = command(*words, "--workers", workers)
    assert status == 1
    assert stderr.startswith(f"--workers: {workers} workers; allowed: 1 to 1024\n  help: ")


def test_an_option_that_is_none(folder: Path) -> None:
    with pytest.raises(TypeError, match=r"^run\(\) got an unexpected keyword argument 'worker'$"):
        snnc.run(folder / "delta.h5", folder / "d.npz", worker=2)  # type: ignore[call-arg]


def test_a_scheduler_needs_dask(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    words = ("run", folder / "delta.h5", folder / "d.npz", "--engine", "golden")
    status, _, stderr = command(*words, "--scheduler", "tcp://127.0.0.1:9")
    first, mend = stderr.splitlines()
    assert status == 1
    assert first.startswith("--scheduler: it needs Dask, and ")
    assert mend == "  help: pip install 'snnc[dask]'"
