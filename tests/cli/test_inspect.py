"""`snnc inspect --program`: listings of the layers that are asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.spiking_networks import chain
from typer.testing import CliRunner, Result

from snnc.backends.netx.writer import write
from snnc.cli import app
from snnc.compiler.programs import programs_of


def snnc(*words: object) -> Result:
    return CliRunner().invoke(app, ["inspect", *map(str, words)])


@pytest.fixture
def net(tmp_path: Path) -> Path:
    write(chain(), tmp_path / "net.h5")
    return tmp_path / "net.h5"


def test_every_layer_has_its_program(net: Path) -> None:
    expected = "".join(f"{each}\n\n" for each in programs_of(chain()).values())
    result = snnc("--program", net)
    assert (result.exit_code, result.stdout, result.stderr) == (0, expected, "")
    assert "neuron program (register transfer), not Loihi 2 assembly" in expected


def test_one_layer_as_json(net: Path) -> None:
    (found,) = json.loads(snnc("--program", net, "--layer", "out", "--json").stdout)
    assert (found["layer"], found["first"], found["period"]) == ("out", 2, 3)
    assert [each["name"] for each in found["states"]] == ["u", "v"]
    assert found["blocks"][0] == {
        "when": "bits arrive",
        "steps": [0, 1, 2],
        "k": [],
        "code": ["u <- u << 1", "u <- u + a"],
    }
    assert found["operations"][0]["most"]["shift"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--program", "m.onnx"], "--program: of a model, which has no neurons yet"),
        (["{net}", "--layer", "out"], "--layer: without --program"),
        (
            ["--program", "{net}", "--layer", "x", "--layer", "out"],
            "--layer: 'x'; allowed: fc, out",
        ),
    ],
)
def test_what_says_nothing_is_refused(net: Path, words: list[str], message: str) -> None:
    result = snnc(*(each.format(net=net) for each in words))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(message)
