"""A run that ends at any moment goes on there, and its result is that of one that did not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import snnc
from snnc.compiler.errors import SnncError
from snnc.runtime.checkpoint import RUN
from snnc.runtime.engines.running import EngineWork

IMAGES, CHUNK = 70, 8


def run(folder: Path, kept: Path, **options: Any) -> Any:
    given = {"engine": "golden", "chunk": CHUNK, "checkpoint": kept, **options}
    network = folder / given.pop("network", "delta.h5")
    return snnc.run(network, given.pop("data", folder / "d.npz"), **given)


class Counting:
    """Counts the parts that are computed, and fails at one of them."""

    def __init__(self, patch: pytest.MonkeyPatch, at: int | None = None) -> None:
        self.done = 0
        usual = EngineWork.__call__

        def call(work: EngineWork, *given: Any) -> Any:
            if self.done == at:
                raise MemoryError
            self.done += 1
            return usual(work, *given)

        patch.setattr(EngineWork, "__call__", call)


def same(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(found.result.logits, expected.result.logits)
    assert (found.spikes, found.time_steps) == (expected.spikes, expected.time_steps)


@pytest.mark.parametrize("at", [0, 1, 5, 8])
def test_a_run_goes_on_where_it_failed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    expected = snnc.run(folder / "delta.h5", folder / "d.npz", engine="golden")
    with monkeypatch.context() as patch:
        Counting(patch, at)
        with pytest.raises(MemoryError):
            run(folder, tmp_path / "kept")
    assert len(list((tmp_path / "kept").glob("golden-*.npz"))) == at
    with monkeypatch.context() as patch:
        counting = Counting(patch)
        same(run(folder, tmp_path / "kept"), expected)
        assert counting.done == 9 - at
        same(run(folder, tmp_path / "kept"), expected)
        assert counting.done == 9 - at


KILLED = """
import os, signal, sys, snnc

done = 0

def progress(name, images, total):
    global done
    done += images
    if done > 30:
        os.kill(os.getpid(), signal.SIGKILL)

network, data, kept, engine, workers = sys.argv[1:]
options = {"engine": engine, "chunk": 8, "checkpoint": kept, "workers": int(workers)}
snnc.run(network, data, progress=progress, **options)
"""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("engine", ["golden", pytest.param("lava", marks=pytest.mark.lava)])
def test_a_run_goes_on_where_it_was_killed(
    folder: Path, tmp_path: Path, engine: str, workers: int
) -> None:
    kept = tmp_path / "kept"
    words = [folder / "delta.h5", folder / "d.npz", kept, engine, workers]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-c", KILLED, *map(str, words)]
    assert subprocess.run(program, env=environment).returncode == -signal.SIGKILL
    assert 2 <= len(list(kept.glob(f"{engine}-*.npz"))) <= 5
    told = []
    found = run(
        folder, kept, engine=engine, workers=3 - workers, progress=lambda *e: told.append(e)
    )
    same(found, snnc.run(folder / "delta.h5", folder / "d.npz", engine=engine))
    assert told[0][1] >= 2 * CHUNK
    assert sum(done for _, done, _ in told) == IMAGES


@pytest.mark.lava
def test_a_comparison_goes_on(folder: Path, tmp_path: Path) -> None:
    words = (folder / "model.onnx", folder / "bit-serial.h5", folder / "d.npz")
    options: Any = {"chunk": 20, "checkpoint": tmp_path / "kept"}
    expected = snnc.compare(*words)
    for _ in range(2):
        found = snnc.compare(*words, **options)
        assert found.is_exact
        assert found.spikes == expected.spikes
        np.testing.assert_array_equal(found.source.logits, expected.source.logits)
        np.testing.assert_array_equal(found.golden.logits, expected.golden.logits)
        for path in (tmp_path / "kept").glob("lava-2*.npz"):
            path.unlink()
    assert {each.name.split("-")[0] for each in (tmp_path / "kept").glob("*-0-*")} == {
        "golden",
        "lava",
        "slayer",
        "source",
    }


def other_images(folder: Path, tmp_path: Path) -> Path:
    x = np.load(folder / "d.npz")["x"]
    x[-1, 0, 5, 5] ^= 1
    np.savez(tmp_path / "other.npz", x=x, y=np.arange(IMAGES) % 4)
    return tmp_path / "other.npz"


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"network": "bit-serial.h5"}, "its network is "),
        ({"data": "other"}, "its data is "),
        ({"limit": 8}, "its data is "),
        ({"engine": "lava"}, "its engine is golden, not lava"),
        ({"chunk": 9}, "its chunk is 8, not 9"),
        ({"lava_model": "network"}, "its lava_model is layers, not network"),
    ],
)
def test_the_folder_of_another_run_is_refused(
    folder: Path, tmp_path: Path, change: dict[str, Any], what: str
) -> None:
    kept = tmp_path / "kept"
    run(folder, kept)
    if "data" in change:
        change = {"data": other_images(folder, tmp_path)}
    if change.get("engine") == "lava":
        pytest.importorskip("lava")
    with pytest.raises(SnncError) as caught:
        run(folder, kept, **change)
    assert str(caught.value).startswith(f"{kept}: it belongs to another run: {what}")


def test_the_same_images_may_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    """Nor need they be in a file, or be run by as many."""
    expected = run(folder, tmp_path / "kept")
    found = np.load(folder / "d.npz")
    same(run(folder, tmp_path / "kept", data=(found["x"], found["y"]), workers=2), expected)


@pytest.mark.parametrize("kind", ["a file", "in no folder", "with things", "a run that is none"])
def test_a_folder_that_is_none_is_refused(folder: Path, tmp_path: Path, kind: str) -> None:
    kept, what = tmp_path / "kept", "it is no folder of finished parts: "
    if kind == "a file":
        kept.write_text("text")
        what = "cannot be a folder of finished parts: File exists"
    elif kind == "in no folder":
        kept = kept / "kept"
        what = "cannot be a folder of finished parts: No such file or directory"
    else:
        kept.mkdir()
        (kept / (RUN if kind == "a run that is none" else "text")).write_text("[" * 9999)
        what += "run.json cannot be read" if kind == "a run that is none" else "it holds text"
    with pytest.raises(SnncError) as caught:
        run(folder, kept)
    assert str(caught.value).startswith(f"{kept}: {what}\n  help: ")


@pytest.mark.parametrize("content", [b"", b"PK", "swapped"])
def test_a_part_that_is_damaged_is_refused(folder: Path, tmp_path: Path, content: Any) -> None:
    run(folder, tmp_path / "kept")
    part, other = (tmp_path / "kept" / f"golden-{each}.npz" for each in ("8-8", "64-6"))
    part.write_bytes(other.read_bytes() if content == "swapped" else content)
    with pytest.raises(SnncError, match=r"^.*golden-8-8.npz: it is no") as caught:
        run(folder, tmp_path / "kept")
    assert str(caught.value).endswith("\n  help: delete it; what it kept is computed again")
    part.unlink()
    run(folder, tmp_path / "kept")


def test_what_a_killed_writer_left_is_no_other_thing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / ".1.abc.partial").write_bytes(b"half")
    run(folder, tmp_path / "kept")
