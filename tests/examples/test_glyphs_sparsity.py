"""Measurements of spikes: what they count, and that none is made twice."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from examples.glyphs import sparsity, train
from examples.glyphs.data import load_glyphs
from examples.glyphs.sparsity import Measurement, grouped, mean_and_spread, measure_all, measured
from examples.glyphs.train import Checkpoint, Course
from torch import nn

from snnc.frontends.torch import export_onnx, spikes_per_image

pytestmark = pytest.mark.torch

CASE = Checkpoint("vgg", 15, 1e-5)
SHORT = Course(epochs=1, learning_rate=0.01, seed=1, images=200)
FOUND = Measurement("vgg", 15, 1e-5, 0, 0.9, 0.8, 0.7, 2000.0, 0.5, 0.125)


@pytest.fixture
def model(tmp_path: Path) -> nn.Module:
    """A network that has learnt little, written where it would be after training."""
    torch.set_num_threads(1)
    network = train.taught(train._fresh(CASE), SHORT)
    export_onnx(network, torch.zeros(1, 1, 32, 32), tmp_path / f"{CASE.name}.onnx")
    return network


def test_spikes_of_the_integers_are_those_of_the_float_network(
    model: nn.Module, tmp_path: Path
) -> None:
    test = load_glyphs("test", 62)
    found = measured(CASE, tmp_path, test)
    right = train.accuracies(model, test)["accuracy"]
    neurons = 16 * 32**2 + 64 * 16**2 + 128 * 8**2 + 192 * 4**2 + 128
    expected = spikes_per_image(model, train.normalised(test))
    assert (found.l1, found.seed, found.float_accuracy) == (1e-5, 0, right)
    assert found.spikes_per_image == pytest.approx(expected, rel=0.03)
    assert found.spikes_per_neuron == pytest.approx(found.spikes_per_image / neurons, rel=1e-4)
    assert found.activity == pytest.approx(found.spikes_per_neuron / 4, rel=1e-4)


def test_what_was_measured_is_neither_trained_nor_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Checkpoint] = []
    results = tmp_path / "results.json"

    def found(case: Checkpoint, *_: object) -> Measurement:
        return replace(FOUND, l1=case.l1, seed=case.seed)

    monkeypatch.setattr(sparsity, "write", lambda case, folder: trained.append(case))
    monkeypatch.setattr(sparsity, "measured", found)
    monkeypatch.setattr(sparsity, "load_glyphs", lambda *_: None)
    other = replace(CASE, seed=1)
    first = measure_all([CASE], results, tmp_path)
    both = measure_all([CASE, other], results, tmp_path)
    assert trained == [CASE, other]
    assert both == [*first, replace(FOUND, seed=1)]
    assert [each["seed"] for each in json.loads(results.read_text())] == [0, 1]


def test_a_network_that_is_there_is_not_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{CASE.name}.onnx").touch()
    monkeypatch.setattr(sparsity, "write", lambda *_: pytest.fail("trained"))
    monkeypatch.setattr(sparsity, "measured", lambda *_: FOUND)
    assert measure_all([CASE], tmp_path / "results.json", tmp_path) == [FOUND]


def test_every_case_is_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparsity, "write", lambda *_: pytest.fail("trained"))
    found = measure_all(sparsity.CASES, sparsity.RESULTS, tmp_path)
    assert len(found) == len(sparsity.CASES)


def test_seeds_are_averaged() -> None:
    groups = grouped([FOUND, replace(FOUND, l1=0.0), replace(FOUND, seed=1, activity=0.375)])
    assert [l1 for _, l1 in groups] == [0.0, 1e-5]
    assert mean_and_spread(groups["vgg", 1e-5], "activity") == (0.25, pytest.approx(0.03125**0.5))
    assert mean_and_spread(groups["vgg", 0.0], "activity", 100) == (12.5, 0.0)


def test_table_and_drawing_come_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    results, drawing = tmp_path / "results.json", tmp_path / "drawing.png"
    results.write_text(json.dumps([{**vars(FOUND), "seed": seed} for seed in (0, 1)]))
    monkeypatch.setattr(sparsity, "CASES", ())
    monkeypatch.setenv("COLUMNS", "140")
    options = ["--results", results, "--plot", drawing, "--folder", tmp_path]
    monkeypatch.setattr(sys, "argv", ["sparsity", *map(str, options)])
    sparsity.main()
    assert "12.50 ± 0.00 %" in capsys.readouterr().out
    assert drawing.stat().st_size > 0
