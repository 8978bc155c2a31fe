"""Sizes that a model leaves open are fixed by one option, for every verb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from support.onnx_models import Graph
from typer.testing import CliRunner

import snnc
from snnc.cli import app
from snnc.compiler.errors import SnncError
from snnc.frontends.onnx.loading import load_model
from snnc.frontends.onnx.sizes import fix_open_sizes, sizes_of
from snnc.runtime.data import Data

OPEN = ("batch", 2, "height", "width")


def network(*shape: int | str) -> Graph:
    """Of any size in space."""
    graph = Graph(*shape)
    space = len(shape) - 2
    graph.conv(4, 2, *(3,) * space, pads=[1] * (2 * space))
    graph.qcfs(7)
    graph.node("GlobalAveragePool")
    graph.node("Flatten")
    graph.dense(3, 4)
    return graph


def saved(folder: Path, *shape: int | str) -> tuple[Path, Path]:
    """The model, and images of 6 by 5 pixels."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (8, 2, 6, 5)).astype(np.uint8)
    np.savez(folder / "data.npz", x=x, y=rng.integers(0, 3, 8))
    return network(*shape).save(folder), folder / "data.npz"


def refused(path: Path, *shape: int) -> str:
    with pytest.raises(SnncError) as caught:
        snnc.compile(path, input_shape=shape)
    return str(caught.value)


def test_every_verb_takes_the_sizes(tmp_path: Path) -> None:
    path, data = saved(tmp_path, *OPEN)
    run = CliRunner().invoke
    sizes = ["--input-shape", "2,6,5"]
    once = ["--codes", "bit-serial", "--timesteps", "1", "--json"]
    for verb in (
        ["compile", str(path), *sizes, "--calibration", str(data)],
        ["inspect", str(path), *sizes],
        ["sweep", str(path), str(data), *sizes, *once],
        ["errors", str(path), str(data), *sizes, "--timesteps", "2", "--json"],
    ):
        result = run(app, verb)
        assert result.exit_code == 0, result.output
    result = run(app, ["inspect", str(path)])
    assert result.exit_code == 1
    assert "--input-shape 2,224,224" in result.stderr
    assert run(app, ["inspect", str(path.with_suffix(".h5")), *sizes]).exit_code == 1


@pytest.mark.lava
def test_the_source_runs_with_the_sizes_of_the_network(tmp_path: Path) -> None:
    pytest.importorskip("lava.magma")
    path, data = saved(tmp_path, *OPEN)
    snnc.compile(path, input_shape=(2, 6, 5))
    assert snnc.compare(path, path.with_suffix(".h5"), data, limit=2).is_exact
    with pytest.raises(SnncError, match="2,5,6; the network was compiled for 2,6,5"):
        snnc.compare(path, path.with_suffix(".h5"), data, input_shape=(2, 5, 6))


def test_a_line_of_any_length(tmp_path: Path) -> None:
    path = network("batch", 2, "length").save(tmp_path)
    compiled = snnc.compile(path, input_shape=(2, 9)).network
    assert compiled.input.shape == (2, 1, 9)
    model = load_model(path)
    fix_open_sizes(model.proto.graph, compiled.input.image_shape)
    assert sizes_of(model.proto.graph.input[0]) == ["batch", 2, 9]
    x = Data(np.zeros((2, 2, 9), np.float32))
    assert snnc.run(path.with_suffix(".h5"), x, engine="golden").result.images == 2


def test_a_model_without_any_shape(tmp_path: Path) -> None:
    model = network(*OPEN).model()
    model.graph.input[0].type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "m.onnx")
    assert snnc.compile(tmp_path / "m.onnx", input_shape=(2, 4, 4)).network.input.size == 32


def test_sizes_that_the_file_contradicts_are_refused(tmp_path: Path) -> None:
    path, _ = saved(tmp_path, "batch", 2, 6, "width")
    text = "and the input 'x' has shape ['batch', 2, 6, 'width']\n  help: give the sizes"
    assert refused(path, 2, 5, 5).startswith(f"`input_shape`: 2,5,5, {text}")
    assert refused(path, 2, 6).startswith(f"`input_shape`: 2,6, {text}")
    assert refused(path, 2, 6, 0).startswith("`input_shape`: 2,6,0; allowed: sizes from 1 to")
