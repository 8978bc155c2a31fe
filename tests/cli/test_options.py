"""An option is refused under its own name, in every command that takes it, before work begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.command_line import snnc
from support.onnx_models import Graph

COMMANDS = [
    "compile m.onnx",
    "compile m.onnx --calibration d.npz",
    "sweep m.onnx d.npz",
    "sweep m.onnx d.npz --calibration d.npz",
    "errors m.onnx d.npz",
    "errors m.onnx d.npz --calibration d.npz",
]
STUDIES = ["sweep m.onnx d.npz", "errors m.onnx d.npz"]
NORM = "allowed: 1e-12 to 1e+12"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    graph = Graph("batch", 2, 4, 4)
    graph.conv(2, 2, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 8)
    graph.save(tmp_path, "m.onnx")
    np.savez("d.npz", x=np.zeros((2, 2, 4, 4), np.float32), y=np.zeros(2, int))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--input-bits 0", "0 bits; allowed: 1 to 16"),
        ("--input-bits -1", "-1 bits; allowed: 1 to 16"),
        ("--input-bits 1000000000", "1000000000 bits; allowed: 1 to 16"),
        ("--mean 1,2,3", "3 values for 2 channels; allowed: 1 or 2"),
        ("--std 1,2,3", "3 values for 2 channels; allowed: 1 or 2"),
        ("--mean inf", "inf; allowed: -1e+12 to 1e+12"),
        ("--mean 1e308", "1e+308; allowed: -1e+12 to 1e+12"),
        ("--std 0", f"0; {NORM}"),
        ("--std -1", f"-1; {NORM}"),
        ("--std nan", f"nan; {NORM}"),
        ("--std 1e308", f"1e+308; {NORM}"),
        ("--std 1e-320", f"9.99989e-321; {NORM}"),
        ("--input-range 1 1", "the range 1 to 1 is empty"),
        ("--input-range nan 1", "the range nan to 1 is empty or not finite"),
        ("--input-range -1e308 1e308", "the range -1e+308 to 1e+308 is empty or not finite"),
        ("--weight-bits 1", "1 bits; allowed: 2 to 8"),
        ("--weight-bits four", "'four' is no whole number; allowed besides: auto"),
        ("--budget 5", "5 words, for weights that all have 8 bits"),
        ("--labels a\udcff", r"'a\udcff' is no UTF-8"),
    ],
)
def test_a_wrong_option_is_refused_under_its_name(command: str, option: str, message: str) -> None:
    name, *values = option.split()
    result = snnc(*command.split(), name, *values)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{name}: {message}")
    assert result.stderr.count("\n") == 2
    assert sorted(each.name for each in Path().iterdir()) == ["d.npz", "m.onnx"]


@pytest.mark.parametrize("command", STUDIES)
@pytest.mark.parametrize("number", ["--5", "1.5", "²", "1e3", "9" * 5000, "0x10", "1_0"])
def test_what_is_no_whole_number_is_refused(command: str, number: str) -> None:
    result = snnc(*command.split(), "--timesteps", number)
    expected = f"--timesteps: {number!r} is no whole number\n  help: write 1,2,4\n"
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", expected)


@pytest.mark.parametrize("command", STUDIES)
def test_an_empty_list_is_refused(command: str) -> None:
    result = snnc(*command.split(), "--timesteps", ", ")
    assert result.stderr.startswith("--timesteps: it is empty; at least one is needed\n")


AUTO = [
    ("--weight-bits auto --budget 9", "--weight-bits: 'auto', and no images to find out"),
    ("--weight-bits auto --calibration d.npz", "--weight-bits: 'auto', and no budget"),
    ("--weight-bits auto --calibration d.npz --budget 0", "--budget: 0 words; allowed: 1"),
]


@pytest.mark.parametrize("command", ["compile m.onnx", "sweep m.onnx d.npz", "errors m.onnx d.npz"])
@pytest.mark.parametrize(("options", "message"), AUTO)
def test_widths_are_chosen_for_images_and_a_budget(
    command: str, options: str, message: str
) -> None:
    result = snnc(*command.split(), *options.split())
    assert result.exit_code == 1
    assert message in result.stderr


def test_a_budget_below_the_narrowest_weights_is_refused() -> None:
    options = ("--weight-bits", "auto", "--calibration", "d.npz", "--budget", 2)
    result = snnc("compile", "m.onnx", *options)
    expected = (
        "--budget: 2 words; allowed: 3 or more, which weights of 2 bits take\n  help: use 3\n"
    )
    assert (result.exit_code, result.stderr) == (1, expected)
