"""What verbs return, as Python shows it: in words, in a notebook, as a page and as a figure."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_models import Graph

import snnc
from snnc.compiler.errors import SnncError

X = np.random.default_rng(0).integers(0, 256, (12, 1, 6, 6)).astype(np.uint8)
Y = np.arange(12) % 4
VERBS = ("compile", "run", "compare", "sweep", "errors", "map", "cost")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    graph = Graph("batch", 1, 6, 6)
    graph.conv(3, 1, 3, 3, name="<conv>")
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(4, 48, name="fc")
    return graph.save(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def results(model: Path) -> dict[str, Any]:
    from snnc import api
    from snnc.runtime.engines import installing

    net, data = model.with_suffix(".h5"), (X, Y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installing, "find_spec", lambda name: None)
        return {
            "compile": snnc.compile(model, net, calibration=X),
            "run": snnc.run(net, data, engine="golden"),
            "compare": snnc.compare(model, net, data),
            "sweep": snnc.sweep(model, data, codes=("rate", "graded"), timesteps=(2, 4)),
            "errors": snnc.errors(model, data, timesteps=2),
            "map": api.map(net),
            "cost": api.cost(net, data),
        }


FIRST = {
    "compile": "model.h5: 2 layers, pipelined, an image every 3 time steps, latency 5",
    "run": "golden: 12 images, accuracy",
    "compare": "12 images: source ",
    "sweep": "12 images, 3 of 3 points measured",
    "errors": "model.onnx, rate, 12 images",
    "map": "3 cores on 1 chip of",
    "cost": "",
}


@pytest.mark.parametrize("verb", VERBS)
def test_print_is_short_and_repr_is_its_first_line(results: dict[str, Any], verb: str) -> None:
    lines = str(results[verb]).splitlines()
    assert FIRST[verb] in lines[0]
    assert len(lines) <= 12
    assert repr(results[verb]) == f"<{type(results[verb]).__name__}: {lines[0]}>"


@pytest.mark.parametrize("verb", VERBS)
def test_notebooks_and_pages_have_every_cell(
    results: dict[str, Any], verb: str, tmp_path: Path
) -> None:
    from html import escape, unescape

    fragment = results[verb]._repr_html_()
    results[verb].save_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    for table in results[verb].presentation().tables:
        for row in table.cells:
            assert all(f">{escape(cell)}</td>" in fragment for cell in row)
            assert all(f">{escape(cell)}</td>" in page for cell in row)
    assert "<conv>" not in fragment
    assert "<conv>" in unescape(fragment) or verb in ("run", "compare", "sweep")
    assert fragment.count("<table") == fragment.count("</table>") > 0
    with pytest.raises(SnncError, match="cannot be written: it is a folder"):
        results[verb].save_html(tmp_path)


@pytest.mark.parametrize("verb", VERBS)
def test_every_result_has_a_figure(results: dict[str, Any], verb: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    results[verb].plot(tmp_path / "figure.svg")
    assert "</svg>" in (tmp_path / "figure.svg").read_text()
    with pytest.raises(SnncError, match="no picture that can be written"):
        results[verb].plot(tmp_path / "figure.txt")


def test_a_figure_of_a_network_replaces_no_network(results: dict[str, Any]) -> None:
    pytest.importorskip("matplotlib")
    found = results["compile"]
    link = found.path.with_suffix(".svg")
    link.symlink_to(found.path)
    with pytest.raises(SnncError, match="it is an input"):
        found.plot(link)


def test_remarks_are_logged_once_and_not_by_the_command_line(
    model: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from typer.testing import CliRunner

    from snnc.cli import app

    net, data = tmp_path / "n.h5", tmp_path / "d.npz"
    options = {"timesteps": 2, "output": net}
    remarks = snnc.compile(model, **options).network.provenance.remarks
    assert [(each.name, each.levelno) for each in caplog.records] == [("snnc", logging.WARNING)]
    assert [each.getMessage() for each in caplog.records] == list(remarks)
    caplog.clear()
    np.savez(data, x=X / 254, y=Y)
    words = ["run", net, data, "--engine", "golden", "--clip-input"]
    result = CliRunner().invoke(app, list(map(str, words)))
    assert result.exit_code == 0
    assert not caplog.records
    assert result.stderr.count("note: ") >= 1


def test_a_sweep_takes_time_steps_by_name(results: dict[str, Any], model: Path) -> None:
    grid = snnc.SweepGrid(("rate", "graded"), timesteps=(2, 4))
    by_grid = snnc.sweep(model, (X, Y), grid)
    assert by_grid.as_json() == results["sweep"].as_json()
    one = snnc.sweep(model, (X, Y), grid, codes="rate", timesteps=3)
    assert [each.setting.time_steps for each in one.points] == [3]
