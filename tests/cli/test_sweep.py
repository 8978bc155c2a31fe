"""The commands sweep and errors as their users meet them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.command_line import snnc
from support.onnx_models import Graph

from snnc.runtime.studies import compare

POINT = {
    *("series", "code", "time_steps", "rho", "iterations", "light", "groups", "error_free"),
    *("accuracy", "accuracies", "spread", "spread_of", "loss_in_points", "spikes_per_image"),
    *("spikes_per_neuron", "synaptic_operations_per_image", "latency", "period", "mismatches"),
    "deployment",
    "problems",
}
LAYER = {
    *("name", "neurons", "mean_squares", "shares", "accumulated_unevenness", "own_offsets"),
    *("accumulated_offsets", "unevenness_without_clipping", "accumulated_without_clipping"),
}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return _model(tmp_path, 0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).uniform(size=(8, 1, 6, 6)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(8) % 4)
    return tmp_path / "data.npz"


def _model(folder: Path, seed: int) -> Path:
    graph = Graph("batch", 1, 6, 6, seed=seed)
    graph.conv(3, 1, 3, 3)
    graph.qcfs(7)
    graph.conv(2, 3, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(4, 8)
    return graph.save(folder, f"model{seed}.onnx")


def test_a_sweep_as_json(model: Path, data: Path, tmp_path: Path) -> None:
    words = ["--timesteps", "1,2", "--iterations", "1,2", "--light", "--limit", 6, "--json"]
    also = _model(tmp_path, 1)
    result = snnc("sweep", model, data, *words, "--also", also)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert set(found) == {
        *(
            "images",
            "remarks",
            "engine",
            "workers",
            "scheduler",
            "models",
            "source_accuracy",
            "points",
            "notes",
        ),
    }
    assert found["notes"] == [
        "no point at 2 time steps: one-spike, graded, delta (on this network 1)"
    ]
    assert [each["name"] for each in found["models"]] == [str(model), str(also)]
    assert (found["images"], found["engine"]) == (6, "golden")
    assert [(each["code"], each["time_steps"]) for each in found["points"]] == [
        *[("bit-serial", t) for t in (1, 2, 3)],
        *[("rate", t) for t in (1, 2)],
        *[("offset-spike", t) for t in (1, 2) * 3],
        ("one-spike", 1),
        ("graded", 1),
        ("delta", 1),
    ]
    for each in found["points"]:
        assert set(each) == POINT
        assert len(each["accuracies"]) == 2
        assert each["spread_of"] == "standard deviation between models"
    serial, one_spike = found["points"][2], found["points"][-3]
    assert (serial["latency"], serial["period"], serial["error_free"]) == (8, 3, True)
    assert (one_spike["groups"], one_spike["period"]) == (7, 1)


def test_a_sweep_as_table(model: Path, data: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"
    words = ["--codes", "bit-serial,one-spike", "--timesteps", "2,64"]
    result = snnc("sweep", model, data, *words, "--plot", picture)
    assert result.exit_code == 0
    assert "not error-free" in result.stdout
    assert "7 copies" in result.stdout
    assert "no point at 64 time steps: bit-serial (on this network 2, 3)" in result.stdout
    assert f"{model}: " in result.stdout
    assert "±: binomial standard error over images" in result.stdout
    assert picture.stat().st_size > 1000


def test_wrong_options_of_a_sweep_come_together(model: Path, data: Path) -> None:
    words = ["--codes", "morse,rate", "--timesteps", "0,two,4", "--iterations", "-1", "--rho", 0]
    result = snnc("sweep", model, data, *words)
    assert (result.exit_code, result.stdout) == (1, "")
    for message in (
        "--codes: 'morse' is not a code; allowed: bit-serial, ",
        "--timesteps: 'two' is no whole number",
        "--timesteps, --rho: 0; allowed: 1 to 4096",
        "--iterations: -1; allowed: 1 to 4096",
    ):
        assert message in result.stderr
    assert "help: " in result.stderr


def test_a_sweep_in_which_nothing_works_is_1(model: Path, data: Path) -> None:
    result = snnc("sweep", model, data, "--codes", "graded", "--target", "loihi1")
    assert result.exit_code == 1
    assert "--code: 'graded' on loihi1" in result.stderr
    assert result.stderr.count("help: ") == 1
    assert "graded" in result.stdout
    assert "--code: 'graded' on loihi1, which has no programmable neurons" in result.stdout


def test_an_unknown_target_is_refused_at_once(model: Path, data: Path) -> None:
    result = snnc("sweep", model, data, "--target", "tpu")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("--target: 'tpu' is not a target")


@pytest.mark.lava
def test_a_mismatch_in_a_sweep_is_3(
    model: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lava.magma")
    words = ["--codes", "graded", "--engine", "lava", "--limit", 2, "--json"]
    result = snnc("sweep", model, data, *words)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["points"][0]["mismatches"] == 0
    monkeypatch.setattr(compare, "count_differences", lambda first, second: 1)
    assert snnc("sweep", model, data, *words).exit_code == 3


def test_errors_as_json(model: Path, data: Path, tmp_path: Path) -> None:
    picture = tmp_path / "picture.pdf"
    result = snnc("errors", model, data, "--timesteps", "2,4", "--json", "--plot", picture)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert set(found) == {"model", "code", "images", "remarks", "analyses"}
    assert [each["time_steps"] for each in found["analyses"]] == [2, 4]
    for each in found["analyses"]:
        assert len(each["layers"]) == 2
        assert set(each["overall"]) == set(each["layers"][0]) == LAYER
        assert list(each["overall"]["own_offsets"]) == ["<=-3", "-2", "-1", "0", "1", "2", ">=3"]
    assert picture.read_bytes().startswith(b"%PDF")


def test_errors_of_offset_spike_are_told_by_calibrations(model: Path, data: Path) -> None:
    words = ["--code", "offset-spike", "--timesteps", "4", "--iterations", "2", "--light"]
    found = json.loads(snnc("errors", model, data, *words, "--json").stdout)
    assert [(each["iterations"], each["light"], each["rho"]) for each in found["analyses"]] == [
        *[(0, False, None), (1, False, 4), (2, False, 4), (1, True, 4)],
    ]
    text = snnc("errors", model, data, *words).stdout
    assert "neurons of the last firing layer without an offset" in text
    assert "T = 4, 1 light calibration of 4 steps" in text


def test_wrong_options_of_errors_come_together(model: Path, data: Path) -> None:
    result = snnc("errors", model, data, "--code", "graded", "--timesteps", "0,x")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "--timesteps: 'x' is no whole number" in result.stderr
    assert "--code: 'graded' has no spikes that come unevenly" in result.stderr
    assert "--timesteps: 0; allowed: 1 to 4096" in result.stderr
