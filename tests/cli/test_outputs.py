"""Where commands write: never over an input, and never something that is no file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from support.command_line import snnc
from support.onnx_models import Graph

from snnc import api


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model, its network and images, in the folder where the commands are run."""
    monkeypatch.chdir(tmp_path)
    graph = Graph("batch", 1, 4, 4)
    graph.conv(2, 1, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 8)
    graph.save(tmp_path, "m.onnx")
    np.savez("d.npz", x=np.zeros((2, 1, 4, 4), np.float32), y=np.zeros(2, int))
    Path("d.png").write_bytes(Path("d.npz").read_bytes())
    Path("model.h5").write_bytes(Path("m.onnx").read_bytes())
    Path("link.h5").hardlink_to("m.onnx")
    api.compile("m.onnx", "n.h5")
    model = onnx.load("m.onnx")
    onnx.save(model, "parts.onnx", save_as_external_data=True, location="w", size_threshold=0)
    Path("w.png").symlink_to("w")
    Path("folder").mkdir()
    Path("pipe.png").symlink_to("/dev/full")
    return tmp_path


COMMANDS = [
    "compile m.onnx -o m.onnx",
    "compile m.onnx -o link.h5",
    "compile model.h5",
    "compile m.onnx --calibration d.npz -o d.npz",
    "compile parts.onnx -o w",
    "compare parts.onnx n.h5 d.npz --html w",
    "sweep parts.onnx d.npz --plot w.png",
    "errors parts.onnx d.npz --plot w.png",
    "run n.h5 d.npz -o n.h5",
    "run n.h5 d.npz -o d.npz",
    "compare m.onnx n.h5 d.npz --html m.onnx",
    "compare m.onnx n.h5 d.npz --html n.h5",
    "compare m.onnx n.h5 d.npz --html ./d.npz",
    "sweep m.onnx d.png --plot d.png",
    "errors m.onnx d.png --plot d.png",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_output_that_is_an_input_is_refused(folder: Path, command: str) -> None:
    refused(folder, command, "cannot be written: it is an input of this command")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (".", "it is a folder"),
        ("/", "it is a folder"),
        ("", "it is a folder"),
        ("folder", "it is a folder"),
        ("/dev/full", "it is a device"),
        ("n" * 250 + ".longer", "File name too long"),
        ("none/out.png", "No such file or directory"),
    ],
)
@pytest.mark.parametrize(
    "command", ["compile m.onnx -o", "run n.h5 d.npz -o", "compare m.onnx n.h5 d.npz --html"]
)
def test_a_place_that_is_none_is_refused(
    folder: Path, command: str, place: str, message: str
) -> None:
    refused(folder, command, f"cannot be written: {message}", place)


@pytest.mark.parametrize("command", ["sweep m.onnx d.npz --plot", "errors m.onnx d.npz --plot"])
@pytest.mark.parametrize("place", ["none/out.png", "pipe.png", "n" * 252 + ".png"])
def test_a_figure_that_has_no_place_is_refused(folder: Path, command: str, place: str) -> None:
    refused(folder, command, "cannot be written: ", place)


@pytest.mark.parametrize("command", ["sweep m.onnx d.npz --plot", "errors m.onnx d.npz --plot"])
@pytest.mark.parametrize("place", ["", ".", "..", "figure", ".svg"])
def test_a_figure_without_a_known_ending_is_refused(folder: Path, command: str, place: str) -> None:
    refused(folder, command, "allowed: .png, .pdf, .svg", place)


def refused(folder: Path, command: str, message: str, *more: str) -> None:
    """One message, status 1, and every file as it was."""
    before = {each: each.read_bytes() for each in folder.iterdir() if each.is_file()}
    result = snnc(*command.split(), *more)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 2
    assert {each: each.read_bytes() for each in folder.iterdir() if each.is_file()} == before


def test_the_results_of_a_run_replace_those_of_the_last(folder: Path) -> None:
    for _ in range(2):
        result = snnc("run", "n.h5", "d.npz", "--engine", "golden", "-o", "out.npz", "--json")
        assert json.loads(result.stdout)["images"] == 2
        with np.load("out.npz") as written:
            assert written["logits"].shape == (2, 3)
