"""A sweep that places its networks on cores says what `cost` says of each."""

from pathlib import Path

import numpy as np
import pytest
from support.onnx_models import Graph

import snnc
from snnc.compiler.codes import SweepGrid
from snnc.runtime.output.report import sweep_lines
from snnc.runtime.output.tables import sweep_table
from snnc.runtime.studies.cost.report import LOIHI1


@pytest.fixture
def model(tmp_path: Path) -> Path:
    graph = Graph("batch", 1, 6, 6)
    graph.conv(3, 1, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(4, 48)
    return graph.save(tmp_path)


@pytest.fixture
def images() -> snnc.Data:
    x = np.random.default_rng(1).integers(0, 256, (20, 1, 6, 6)).astype(np.uint8)
    return snnc.Data(x, np.arange(20) % 4)


def test_points_cost_what_cost_says(model: Path, images: snnc.Data, tmp_path: Path) -> None:
    grid = SweepGrid(("bit-serial", "rate"), (2, 3))
    picture = tmp_path / "sweep.svg"
    result = snnc.sweep(model, images, grid, on_cores=True, plot=picture)
    for code, steps in (("bit-serial", 3), ("rate", 2)):
        point = next(
            e for e in result.points if (e.setting.code.name, e.setting.time_steps) == (code, steps)
        )
        path = snnc.compile(model, tmp_path / "n.h5", code=code, timesteps=steps).path
        report = snnc.cost(path, images)
        alone, found = report.paces["alone"][LOIHI1], point.as_json()["deployment"]
        assert found["cores"] == report.mapping.cores
        assert found["energy"] == pytest.approx(report.energy("stream") / 1e6)
        assert found["latency"] == pytest.approx(alone.latency / 1000)
        assert found["proxy"] == pytest.approx(report.proxy("stream"))
    assert "µJ per image, Loihi 1" in picture.read_text()
    heads = [column.head for column in sweep_table(result).columns]
    assert heads.index("cores") < heads.index("mismatches")


def test_nobody_asked(model: Path, images: snnc.Data, tmp_path: Path) -> None:
    picture = tmp_path / "sweep.svg"
    result = snnc.sweep(model, images, SweepGrid(("graded",), (1,)), plot=picture)
    assert not result.is_deployed
    assert result.points[0].as_json()["deployment"]["cores"] is None
    assert "Loihi 1" not in picture.read_text()


def test_what_fits_no_core_is_said(tmp_path: Path) -> None:
    graph = Graph("batch", 1, 130, 130)
    graph.node("Flatten")
    graph.dense(2, 130 * 130)
    graph.qcfs(7)
    graph.dense(2, 2)
    images = snnc.Data(np.zeros((2, 1, 130, 130), np.uint8), np.array([0, 1]))
    result = snnc.sweep(graph.save(tmp_path), images, SweepGrid(("graded",), (1,)), on_cores=True)
    assert result.points[0].accuracy is not None
    assert any("16900 input axons of a core; allowed: 16000" in e for e in sweep_lines(result))
