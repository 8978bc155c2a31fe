"""`snnc export`: a NIR file beside the network, or every reason against it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.spiking_networks import chain, copies_of_a_plane
from typer.testing import CliRunner, Result

from snnc.backends.netx.writer import write
from snnc.cli import app


def snnc(*words: object) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, words)])


def test_it_writes_a_graph_beside_the_network(tmp_path: Path) -> None:
    nir = pytest.importorskip("nir")
    write(copies_of_a_plane(), tmp_path / "net.h5")
    found = json.loads(snnc(tmp_path / "net.h5", "--json").stdout)
    assert found == {"output": str(tmp_path / "net.nir"), "format": "nir"}
    assert "conv_spikes" in nir.read(tmp_path / "net.nir").nodes


def test_it_never_replaces_its_input(tmp_path: Path) -> None:
    pytest.importorskip("nir")
    write(copies_of_a_plane(), tmp_path / "net.h5")
    before = (tmp_path / "net.h5").read_bytes()
    result = snnc(tmp_path / "net.h5", "-o", tmp_path / "net.h5")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "it is an input of this command" in result.stderr
    assert (tmp_path / "net.h5").read_bytes() == before


def test_another_code_is_refused(tmp_path: Path) -> None:
    write(chain(), tmp_path / "net.h5")
    result = snnc(tmp_path / "net.h5")
    assert result.exit_code == 1
    assert result.stderr.startswith("fc: a spike counts twice as much as the next one")
    assert "--code one-spike" in result.stderr
    assert not (tmp_path / "net.nir").exists()


@pytest.mark.parametrize("command", [["export"], ["report", "m.onnx"]])
def test_a_path_without_a_name_is_refused_like_any_other(command: list[str]) -> None:
    data = ["d.npz"] * (command[0] == "report")
    result = CliRunner().invoke(app, [*command, "/", *data])
    assert result.exit_code == 1
    assert result.stderr.startswith("/: ")
