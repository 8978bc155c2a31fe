"""Cores as users see them."""

from __future__ import annotations

import json
from pathlib import Path

from support.command_line import snnc

import snnc as package


def test_a_mapping_is_shown(net: Path) -> None:
    result = snnc("map", net)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3 cores on 1 chip of 120" in result.stdout
    assert "a neuron with a program of its own has 2 words of state" in result.stdout
    found = json.loads(snnc("map", net, "--json", "--state-words", 3).stdout)
    assert found["options"]["state_words"] == 3
    assert found["layers"][1]["fill"]["neuron words"] == 3 * 48 / 4096
    assert [each["layer"] for each in found["slices"]] == ["x", "conv", "fc"]


def test_a_mapping_is_drawn(net: Path, tmp_path: Path) -> None:
    picture = tmp_path / "cores.svg"
    assert snnc("map", net, "--plot", picture).exit_code == 0
    assert "fill of the scarcest resource" in picture.read_text()
    assert "no picture that can be written" in snnc("map", net, "--plot", "cores.txt").stderr


def test_a_file_says_onto_which_cores_it_goes(model: Path, tmp_path: Path) -> None:
    result = snnc("compile", model, "-o", tmp_path / "mapped.h5", "--map")
    assert result.exit_code == 0
    placement = package.load(tmp_path / "mapped.h5").placement
    assert placement is not None
    assert placement.cuts == ((1, 1, 1),) * 3
    assert placement.chips == (0,)


def test_problems_name_flags(net: Path) -> None:
    result = snnc("map", net, "--chips", 0, "--state-words", 99, "--target", "loihi1")
    assert result.exit_code == 1
    assert "--chips: 0; allowed: 1 or more" in result.stderr
    assert "--state-words: 99; allowed: 1..64" in result.stderr
    assert "help: compile with --code one-spike" in result.stderr
