"""Costs as users see them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.command_line import snnc

from snnc.runtime.studies.cost.own import EXAMPLE


@pytest.fixture
def data(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).integers(0, 256, (5, 1, 6, 6)).astype(np.uint8)
    np.savez(tmp_path / "data.npz", x=x)
    return tmp_path / "data.npz"


def test_a_cost_is_shown(net: Path, data: Path, tmp_path: Path) -> None:
    picture = tmp_path / "cost.svg"
    result = snnc("cost", net, data, "--plot", picture, "--wide")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "PilotNet LIF, Loihi 2" in result.stdout
    assert "papers, without spikes" in result.stdout
    assert "synaptic operations" in picture.read_text()


def test_json_has_every_number_with_its_source(net: Path, data: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(EXAMPLE)
    found = json.loads(snnc("cost", net, data, "--json", "--constants", own).stdout)
    events = found["stream"]["events_per_image"]
    assert found["stream"]["own_pj_per_image"] == pytest.approx(sum(events.values()))
    assert found["estimate"]["multiply_accumulates"] == 3 * 16 * 9 + 48 * 4
    assert events["neuron"] == (48 + 4) * 3
    for chip in ("loihi1", "loihi2_at_least"):
        assert len(found["constants"][chip]["events"]) == 8
        assert all(each["source"] for each in found["constants"][chip]["events"].values())
    assert len(found["by_step"]["spikes"]) == 3


WRONG = {
    "nothing": ("", "it has no table energy_pj"),
    "no TOML": ("[energy_pj", "it is no TOML"),
    "a part": ("[energy_pj]\nneuron = 1", "energy_pj has no spike"),
    "a word": (EXAMPLE.replace("1.0", "'x'", 1), "neuron is no number"),
    "below 0": (EXAMPLE.replace("1.0", "-1", 1), "neuron is -1; allowed: 0 to 1e+12"),
    "nan": (EXAMPLE.replace("1.0", "nan", 1), "neuron is nan"),
    "another": (EXAMPLE + "nerves = 1", "energy_pj has nerves"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_wrong_constants_are_refused(net, data, tmp_path, text, message) -> None:
    own = tmp_path / "own.toml"
    own.write_text(text)
    result = snnc("cost", net, data, "--constants", own)
    assert result.exit_code == 1
    assert message in result.stderr


def test_cores_come_from_the_file_or_are_chosen(net: Path, data: Path) -> None:
    result = snnc("cost", net, data, "--mapping", "file")
    assert "--mapping: the file does not say onto which cores it goes" in result.stderr
    assert "help: compile with --map" in result.stderr
    assert (
        "'best'; allowed: file, time, cores" in snnc("cost", net, data, "--mapping", "best").stderr
    )
    assert snnc("cost", net, data, "--mapping", "cores").exit_code == 0
