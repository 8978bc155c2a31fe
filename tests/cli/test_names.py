"""Names that strangers gave are shown as they are, and steer no terminal."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.command_line import snnc
from support.onnx_models import Graph

from snnc import api
from snnc.cli.messages import tell
from snnc.compiler.errors import Problem, SnncError, printable

PRINTABLE = ["[/red]", "[bold]x[/bold]", ":warning:"]
NAMES = [*PRINTABLE, "a\x1b[2Jb", "a\nhelp: b", "a\rb", "a\u202eb"]


def model_with(name: str, folder: Path) -> Path:
    graph = Graph("batch", 1, 4, 4)
    graph.conv(2, 1, 3, 3, name=name)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 8)
    np.savez(folder / "d.npz", x=np.zeros((2, 1, 4, 4), np.float32), y=np.zeros(2, int))
    return graph.save(folder, "m.onnx")


def is_harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("name", NAMES)
def test_names_of_a_model_are_shown_whole(tmp_path: Path, name: str) -> None:
    """What is not printable is refused, by a message that is."""
    model = model_with(name, tmp_path)
    for verb in ("inspect", "compile"):
        result = snnc(verb, model)
        assert result.exit_code == (name not in PRINTABLE)
        assert is_harmless(result.stdout)
        assert is_harmless(result.stderr)
        assert bool(result.stderr) == (name not in PRINTABLE)
    if name in PRINTABLE:
        assert name in snnc("inspect", model).stdout


@pytest.mark.parametrize("name", PRINTABLE)
def test_names_are_shown_whole_in_every_table(tmp_path: Path, name: str) -> None:
    model, data, net = model_with(name, tmp_path), tmp_path / "d.npz", tmp_path / "n.h5"
    api.compile(model, net, labels=[name])
    for words in (
        ["inspect", model],
        ["inspect", net],
        ["compile", model, "-o", net, "--calibration", data],
        ["errors", model, data, "--timesteps", 2],
    ):
        result = snnc(*words)
        assert result.exit_code == 0
        assert printable(name) in result.stdout
        assert is_harmless(result.stdout)
        assert is_harmless(result.stderr)
    rows = json.loads(snnc("inspect", net, "--json").stdout)["layers"]
    assert rows[0]["name"] == name


@pytest.mark.parametrize("name", ["$\\frac$", "a$b$c", "_conv"])
def test_names_are_shown_whole_in_figures(tmp_path: Path, name: str) -> None:
    """They are no formulas, and a legend leaves none of them out."""
    model, data, net = model_with(name, tmp_path), tmp_path / "d.npz", tmp_path / "n.h5"
    api.compile(model, net)
    for words in (["map", net], ["cost", net, data]):
        picture = tmp_path / "picture.svg"
        assert snnc(*words, "--plot", picture).exit_code == 0
        assert name in picture.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_whole_in_messages(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    tell(str(SnncError(Problem(name, f"{name} is wrong", f"mend {name}"))))
    shown = printable(name)
    said = capsys.readouterr().err
    assert said == f"{shown}: {shown} is wrong\n  help: mend {shown}\n"
    assert is_harmless(said)


@pytest.mark.parametrize("name", ["[/red]", "\x1b[2J"])
@pytest.mark.parametrize("words", [["run", "n", "d", "--engine"], [], ["inspect"], ["compile"]])
def test_words_of_a_wrong_command_are_shown_whole(words: list[str], name: str) -> None:
    result = snnc(*words, name)
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.stderr
    assert is_harmless(result.stderr)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain Δ ψ ×", "plain Δ ψ ×"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\tb\n", "a\\tb\\n"),
        ("\udcff\u202e\x9b", "\\udcff\\u202e\\x9b"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
