"""A check that fails, or is not made, is never a remark: the exit status and the JSON say so."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_models import Graph
from typer.testing import CliRunner, Result

from snnc import api
from snnc.backends import files
from snnc.cli import app
from snnc.compiler.errors import EngineError, Problem, failure
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data
from snnc.runtime.engines import sessions
from snnc.runtime.engines.base import Chunk
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.lava.engine import LavaEngine
from snnc.runtime.engines.slayer.engine import SlayerEngine
from snnc.runtime.engines.source_model import SourceModel

DEATH = Problem("Lava simulation", "a process ended early: exit status -9", "free memory")
RUN, COMPARE = "run n.h5 d.npz", "compare m.onnx n.h5 d.npz"
SWEEP = "sweep m.onnx d.npz --engine lava --codes bit-serial,rate --timesteps 3"
ON_LAVA = pytest.mark.parametrize("command", [RUN, COMPARE, SWEEP])


def snnc(words: str) -> Result:
    return CliRunner().invoke(app, words.split())


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model, its network and images; engines of spikes are stood in for by golden."""
    monkeypatch.chdir(tmp_path)
    graph = Graph("batch", 1, 4, 4)
    graph.conv(2, 1, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(3, 8)
    graph.save(tmp_path, "m.onnx")
    x = np.random.default_rng(0).uniform(size=(9, 1, 4, 4)).astype(np.float32)
    np.savez("d.npz", x=x, y=np.arange(9) % 3)
    api.compile("m.onnx", "n.h5")
    for engine in (LavaEngine, SlayerEngine):
        monkeypatch.setattr(engine, "missing", lambda self: None)
        monkeypatch.setattr(engine, "stream", as_golden)


def as_golden(
    self: object, network: SpikingNetwork, batches: Iterable[Any], **more: object
) -> Generator[Chunk, None, None]:
    golden, first = Golden(network, every_population=True, threads=1), 0
    for batch in batches:
        found = golden.run(batch)
        spikes = {n: law.bit_planes(found.sent[n]) for n, law in network.firing.items()}
        yield Chunk(first, found.potential, spikes)
        first += len(batch)


def dies(*words: object, **more: object) -> Iterator[Chunk]:
    raise EngineError(DEATH)
    yield


def ends_early(*words: Any, **more: object) -> Iterator[Chunk]:
    for chunk in as_golden(*words, **more):
        yield Chunk(0, chunk.logits[:5], {n: each[:5] for n, each in chunk.spikes.items()})


def one_spike_more(*words: Any, **more: object) -> Iterator[Chunk]:
    for chunk in as_golden(*words, **more):
        name, planes = next(iter(chunk.spikes.items()))
        planes = planes.copy()
        planes[0, 0, 0] ^= 128
        yield Chunk(chunk.first, chunk.logits, {**chunk.spikes, name: planes})


@ON_LAVA
def test_all_is_well_with_golden_itself(command: str) -> None:
    assert snnc(command).exit_code == 0


@ON_LAVA
def test_a_simulator_that_dies_ends_the_command(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LavaEngine, "stream", dies)
    result = snnc(command)
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{DEATH}\n")
    found = json.loads(snnc(f"{command} --json").stdout)
    assert found == {"problems": [vars(DEATH)]}


@ON_LAVA
def test_images_that_an_engine_leaves_out_are_missed(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LavaEngine, "stream", ends_early)
    result = snnc(command)
    assert result.exit_code == 1
    assert result.stderr.startswith("Lava (spikes): it gave 5 of 9 images\n")


@pytest.mark.parametrize("command", [COMPARE, SWEEP])
def test_a_spike_that_differs_is_3(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LavaEngine, "stream", one_spike_more)
    assert snnc(command).exit_code == 3
    found = json.loads(snnc(f"{command} --json").stdout)
    points = found.get("points", [{"mismatches": found.get("lava", {}).get("spike_mismatches")}])
    assert [each["mismatches"] for each in points] == [1] * len(points)


def test_a_point_that_its_engine_does_not_know_is_not_compared() -> None:
    words = "sweep m.onnx d.npz --engine slayer --codes bit-serial,rate --timesteps 3"
    result = snnc(words)
    assert result.exit_code == 3
    assert "not compared: " in result.stdout
    serial, rate = json.loads(snnc(f"{words} --json").stdout)["points"]
    assert (serial["mismatches"], serial["problems"]) == (0, [])
    assert rate["mismatches"] is None
    assert rate["accuracy"] is not None
    assert rate["problems"] != []
    assert snnc(words.replace(",rate", "")).exit_code == 0


def test_what_compile_refuses_alone_is_a_remark(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "sweep m.onnx d.npz --codes graded,one-spike --target loihi1"
    result = snnc(words)
    assert result.exit_code == 0
    assert "cannot be compiled: --code: 'graded' on loihi1" in result.stdout
    monkeypatch.setattr(files.os, "fsync", full)
    refused = snnc(words)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "network.h5: cannot be written: No space left on device\n" in refused.stderr


def full(*words: object) -> None:
    raise OSError(28, "No space left on device")


def breaks(*words: object, **more: object) -> None:
    raise RuntimeError("[ONNXRuntimeError] : 6 : no room\nand a second line")


class Broken:
    """A session that opens, and fails at the first batch."""

    run = breaks

    def __init__(self, session: Any) -> None:
        self.get_inputs = session.get_inputs


@pytest.mark.parametrize(
    "command", [f"{RUN} --engine golden", COMPARE, SWEEP, "errors m.onnx d.npz"]
)
def test_a_golden_model_that_fails_is_one_message(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Golden.__init__

    def init(self: Golden, *words: Any, **more: Any) -> None:
        usual(self, *words, **more)
        self.session = Broken(self.session)

    monkeypatch.setattr(Golden, "__init__", init)
    result = snnc(command)
    message = "golden (integers): ONNX Runtime failed: [ONNXRuntimeError] : 6 : no room\n  help: "
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 2


@pytest.mark.parametrize("command", [COMPARE, SWEEP])
def test_a_source_model_that_fails_is_one_message(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SourceModel, "_run", breaks)
    result = snnc(command)
    message = "m.onnx: ONNX Runtime cannot run it: [ONNXRuntimeError] : 6 : no room\n  help: "
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 2


def test_a_session_says_nothing_besides(capfd: pytest.CaptureFixture[str]) -> None:
    """ONNX Runtime would write its errors to stderr too."""
    graph = Graph(2, 3)
    graph.with_constants("Gather", np.array([7]), axis=1)
    model = graph.model().SerializeToString()
    session = sessions.open_session(model)
    with pytest.raises(EngineError, match="ONNX Runtime failed: "), sessions.guarded("it"):
        session.run(None, {"x": np.zeros((2, 3), np.float32)})
    assert capfd.readouterr() == ("", "")


def test_logits_with_places_of_one_are_counted_as_others(tmp_path: Path) -> None:
    """Logits (images, 3, 1, 1) beside labels (images,) would meet each label with each image."""
    graph = Graph("batch", 1, 4, 4)
    graph.conv(2, 1, 3, 3)
    graph.qcfs(7)
    graph.conv(3, 2, 2, 2)
    model = graph.save(tmp_path, "places.onnx")
    with np.load("d.npz") as data:
        images = Data(data["x"], data["y"])
    result = api.sweep(model, images, engine="lava")
    assert 0 <= result.source_accuracy <= 1
    point = result.points[0]
    assert point.accuracy is not None
    assert 0 <= point.accuracy <= 1
    api.compile(model, "places.h5")
    compared = api.compare(model, "places.h5", images)
    assert compared.source.accuracy(images.y) == pytest.approx(result.source_accuracy)
    assert compared.source.agreement(compared.golden) > 0


def test_a_failure_is_no_refusal_of_a_model() -> None:
    error = failure("it", "broke", "mend it")
    assert isinstance(error, EngineError)
    assert str(error) == "it: broke\n  help: mend it"
