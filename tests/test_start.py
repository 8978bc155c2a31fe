"""The program in bad weather, as a process: signals, and streams that do not work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_models import Graph

import snnc as package
from snnc import api

FULL = "cannot be written: No space left on device\n  help: "
WORDS = {signal.SIGINT: "interrupted\n", signal.SIGTERM: "terminated\n"}
BOTH = pytest.mark.parametrize("number", list(WORDS))
AT = """
import os, signal, sys
def hit(*words, **more):
    os.kill(os.getpid(), {number})
    raise SystemExit("the signal did nothing")
"""
BEGIN = """
from snnc.start import main
main()
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model, its network and images; and a place for temporary files."""
    monkeypatch.chdir(tmp_path)
    Path("tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    graph = Graph("batch", 1, 4, 4)
    graph.conv(2, 1, 3, 3, name="Δ")
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 8)
    graph.save(tmp_path, "m.onnx")
    x = np.resize(np.float32([0, 1]), (2, 1, 4, 4))
    np.savez("d.npz", x=x, y=np.zeros(2, int))
    api.compile("m.onnx", "n.h5")


def snnc(command: str, before: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process, after some lines of Python."""
    words = ["-c", before + BEGIN] if before else ["-m", "snnc"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "preexec_fn": hears, **more}
    line = [sys.executable, *words, *command.split()]
    return subprocess.run(line, encoding="utf-8", check=False, timeout=60, **pipes)


def hears() -> None:
    """A shell lets what it starts in the background ignore the interrupt."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def left() -> list[str]:
    return sorted(str(each) for each in Path().rglob("*") if each.is_file())


# Signals


@BOTH
def test_a_signal_while_the_program_starts_is_one_word(number: signal.Signals) -> None:
    finder = f"""{AT.format(number=int(number))}
class Finder:
    def find_spec(self, name, *more):
        if name == "typer":
            hit()
sys.meta_path.insert(0, Finder())
"""
    result = snnc("inspect n.h5", finder)
    expected = (128 + number, "", WORDS[number])
    assert (result.returncode, result.stdout, result.stderr) == expected


@BOTH
@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_signal_while_a_file_is_written_leaves_nothing(number: signal.Signals, call: str) -> None:
    code = (
        f"{AT.format(number=int(number))}\nfrom snnc.backends import files\nfiles.os.{call} = hit"
    )
    before = left()
    result = snnc("compile m.onnx -o new.h5", code)
    assert (result.returncode, result.stderr) == (128 + number, WORDS[number])
    assert left() == before


@BOTH
def test_a_signal_in_a_sweep_leaves_no_temporary_folder(number: signal.Signals) -> None:
    code = f"{AT.format(number=int(number))}\nfrom snnc.api import studies\nstudies._stored = hit"
    result = snnc("sweep m.onnx d.npz --codes rate --timesteps 2", code)
    assert (result.returncode, result.stderr) == (128 + number, WORDS[number])
    assert list(Path("tmp").iterdir()) == []


@BOTH
def test_a_signal_that_a_library_makes_an_error_of_is_a_signal(number: signal.Signals) -> None:
    code = f"""{AT.format(number=int(number))}
from snnc.api import compiling
def fails(*words):
    try:
        hit()
    except KeyboardInterrupt as error:
        raise ImportError("initialization failed") from error
compiling.open_model = fails
"""
    result = snnc("compile m.onnx", code)
    assert (result.returncode, result.stderr) == (128 + number, WORDS[number])


@BOTH
def test_a_signal_inside_an_exec_keeps_its_status(number: signal.Signals) -> None:
    code = f"""{AT.format(number=int(number))}
from snnc.api import compiling
compiling.open_model = lambda *words: exec("hit()", {{"hit": hit}})
"""
    result = snnc("compile m.onnx", code)
    assert (result.returncode, result.stderr) == (128 + number, WORDS[number])


def test_a_signal_that_is_held_back_stays_so() -> None:
    code = f"{AT.format(number=2)}\nfrom snnc.api import running\nold = running.load\n"
    code += "running.load = lambda path: (os.kill(os.getpid(), 2), old(path))[1]"

    def ignores() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    result = snnc("run n.h5 d.npz --engine golden", code, preexec_fn=ignores)
    assert (result.returncode, result.stderr) == (0, "")


# Streams

COMMANDS = pytest.mark.parametrize(
    "command",
    [
        "inspect n.h5",
        "inspect n.h5 --json",
        "compile m.onnx",
        "compile m.onnx --dump-after read",
        "run n.h5 d.npz --engine golden",
        "--help",
        "--version",
    ],
)


@COMMANDS
def test_a_full_disk_behind_stdout_is_one_message(command: str) -> None:
    with open("/dev/full", "w") as full:
        result = snnc(command, stdout=full)
    assert result.returncode == 1
    assert result.stderr.startswith(f"stdout: {FULL}")
    assert result.stderr.count("\n") == 2


@COMMANDS
def test_nobody_who_reads_stdout_is_no_message(command: str) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    result = snnc(command, stdout=writes)
    os.close(writes)
    assert result.returncode == (1 if command == "--help" else 141)
    assert result.stderr == ""


def test_a_closed_stdout_is_one_message_and_no_file_takes_its_number() -> None:
    result = snnc("compile m.onnx -o new.h5", preexec_fn=lambda: os.close(1))
    assert result.returncode == 1
    assert result.stderr.startswith("stdout: it is closed\n  help: ")
    assert not Path("new.h5").exists()


def test_closed_streams_beside_stdout_do_no_harm() -> None:
    result = snnc("inspect n.h5 --json", preexec_fn=lambda: (os.close(0), os.close(2)))
    assert (result.returncode, result.stdout[:1]) == (0, "{")
    refused = snnc("inspect none.h5", preexec_fn=lambda: os.close(2))
    assert refused.returncode == 1


@pytest.mark.parametrize("command", ["inspect none.h5", "compile", "compile m.onnx --timesteps 2"])
def test_a_full_disk_behind_stderr_changes_no_status(command: str) -> None:
    status = snnc(command).returncode
    with open("/dev/full", "w") as full:
        assert bool(snnc(command, stderr=full).returncode) == bool(status)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("command", ["inspect n.h5", "inspect m.onnx", "errors m.onnx d.npz"])
def test_signs_that_stdout_does_not_have_are_replaced(encoding: str, command: str) -> None:
    result = snnc(command, env={**os.environ, "PYTHONIOENCODING": encoding}, errors="replace")
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) > 4


def test_warnings_of_libraries_are_not_for_users() -> None:
    code = "import warnings\nfrom snnc.api import running\nold = running.load\n"
    code += "running.load = lambda path: (warnings.warn('w', RuntimeWarning), old(path))[1]"
    result = snnc("run n.h5 d.npz --engine golden", code)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("MemoryError()", "memory: there is not enough: MemoryError"),
        ("OSError(28, 'No space left on device')", "the system: No space left on device"),
        ("OSError(30, 'Read-only', '/place')", "/place: Read-only"),
        ("ImportError('no room', name='library')", "library: cannot be loaded: no room"),
    ],
)
def test_what_the_machine_does_not_give_is_one_message(error: str, message: str) -> None:
    code = (
        f"from snnc.api import running\ndef fails(path):\n    raise {error}\nrunning.load = fails"
    )
    result = snnc("run n.h5 d.npz --engine golden", code)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{message}\n  help: ")
    assert result.stderr.count("\n") == 2


@pytest.mark.parametrize("error", ["ImportError('no room')", "MemoryError('no room')"])
def test_a_program_that_cannot_be_loaded_is_one_message(error: str) -> None:
    finder = f"""
import sys
class Finder:
    def find_spec(self, name, *more):
        if name == "typer":
            raise {error}
sys.meta_path.insert(0, Finder())
"""
    result = snnc("inspect n.h5", finder)
    expected = "snnc: it cannot start: no room\n  help: give it more memory, or install it again\n"
    assert (result.returncode, result.stdout, result.stderr) == (1, "", expected)


# The package


def test_the_package_imports_nothing_before_it_is_used() -> None:
    code = "import sys, snnc, snnc.start, snnc.cli; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_name_of_the_package_is_found() -> None:
    assert all(getattr(package, name) for name in package.__all__)
    assert set(package.__all__) <= {*dir(package)}
    assert package.compile is api.compile
    with pytest.raises(AttributeError, match="no attribute 'compiles'"):
        _ = package.compiles  # type: ignore[attr-defined]


@BOTH
def test_no_exception_crosses_an_extension_that_is_imported(number: signal.Signals) -> None:
    """C++ that calls Python, as onnx does in its import, would abort the program."""
    hook = f"""
import os, signal
from importlib.machinery import ExtensionFileLoader
from snnc import start
execute, hits = ExtensionFileLoader.exec_module, []
def exec_module(self, module):
    if signal.getsignal({number}) is start._interrupt and not hits:
        hits.append(module)
        try:
            os.kill(os.getpid(), {number})
            execute(self, module)
        except KeyboardInterrupt:
            os.abort()
    else:
        execute(self, module)
ExtensionFileLoader.exec_module = exec_module
"""
    result = snnc("inspect n.h5", hook)
    assert (result.returncode, result.stderr) == (128 + number, WORDS[number])
