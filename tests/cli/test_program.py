"""The program itself: its commands, what a shell completes, and its line of progress."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console
from support.command_line import snnc
from support.onnx_models import Graph

from snnc.cli import progress, results
from snnc.cli.commands import COMMANDS, command
from snnc.frontends.onnx.registry import READERS


@pytest.fixture
def model(tmp_path: Path) -> Path:
    graph = Graph("batch", 1, 4, 4)
    graph.conv(2, 1, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 8)
    return graph.save(tmp_path)


def test_operators_are_those_that_have_readers() -> None:
    found = json.loads(snnc("operators", "--json").stdout)
    assert set(found["anywhere"]) == set(READERS)
    assert {"ArgMax", "Softmax"} <= set(found["at_the_end"])
    lines = snnc("operators", COLUMNS="70").stdout.splitlines()
    assert max(map(len, lines[:-1])) <= 70
    assert ", ".join(lines).startswith("Abs, Add, AveragePool")


def test_operators_that_are_not_supported_point_there(tmp_path: Path) -> None:
    graph = Graph("batch", 3)
    graph.node("Asin", name="asin")
    result = snnc("compile", graph.save(tmp_path))
    assert result.stderr == (
        "asin: Asin is not supported\n"
        "  help: rewrite it with others; `snnc operators` lists those that are\n"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    assert command(name).help.splitlines()[0] == COMMANDS[name].summary


def test_help_imports_no_compiler() -> None:
    code = "import sys; from snnc.cli import app; app(['--help'], standalone_mode=False)"
    ask = f"{code}; sys.exit(any(each in sys.modules for each in ('numpy', 'snnc.compiler')))"
    assert (
        subprocess.run([sys.executable, "-c", ask], check=False, capture_output=True).returncode
        == 0
    )


@pytest.mark.parametrize("words", [(), ("compile",), ("sweep",)])
def test_h_is_help(words: tuple[str, ...]) -> None:
    assert snnc(*words, "-h").stdout == snnc(*words, "--help").stdout


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("snnc com", {"compile", "compare"}),
        ("snnc compile --code o", {"offset-spike", "one-spike"}),
        ("snnc compile --target l", {"loihi1", "loihi2"}),
        ("snnc run --engine g", {"golden"}),
    ],
)
def test_shells_complete_commands_and_names(line: str, expected: set[str]) -> None:
    count = str(len(line.split()) - 1)
    result = snnc(_SNNC_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=count)
    assert set(result.stdout.split()) == expected


@pytest.mark.parametrize("patience", [0.0, 60.0])
def test_a_compilation_that_takes_long_says_which_pass_is_at_work(
    model: Path, monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(progress, "stderr", terminal)
    monkeypatch.setattr(
        progress.sys, "stderr", type("Tty", (io.StringIO,), {"isatty": lambda _: True})()
    )
    monkeypatch.setattr(progress, "PATIENCE", patience)
    with progress.progress_bars() as bars:
        bars.watch("read", None)
        for timer in bars._timers:
            timer.join(timeout=0.01 if patience else None)
        bars.watch("fold_batch_norms", None)
    assert ("compile: sink_reshapes" in terminal.file.getvalue()) == (not patience)


def test_nothing_is_said_where_stderr_is_no_terminal(model: Path) -> None:
    assert snnc("compile", model).stderr == ""


def test_sentences_are_cut_between_words_on_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = "those of `code='one-spike'` are, and a long-name/without/an/end"
    for is_terminal in (True, False):
        out = type("Out", (io.StringIO,), {"isatty": lambda _, is_it=is_terminal: is_it})()
        monkeypatch.setattr(results.sys, "stdout", out)
        monkeypatch.setenv("COLUMNS", "20")
        results.print_sentences([line])
        said = ["those of --code", "  one-spike are, and", "  a", "  long-name/without/an/end"]
        assert out.getvalue().splitlines() == (
            said if is_terminal else [line.replace("`code='one-spike'`", "--code one-spike")]
        )
