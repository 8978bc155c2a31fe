"""A cluster of Dask gives what one process gives, though a worker of it is killed on the way."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.onnx_models import Graph
from support.works import Failing, Square

import snnc
from snnc.compiler.errors import SnncError
from snnc.runtime.parts import Share
from snnc.runtime.places import cluster as module
from snnc.runtime.places.cluster import Cluster
from snnc.runtime.progress import ignore

distributed = pytest.importorskip("distributed", reason="needs Dask: the extra dask")
IMAGES = 48


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(processes=True, **settings) as found:
        yield found


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("network")
    graph = Graph("batch", 1, 6, 6)
    graph.conv(3, 1, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(4, 48)
    return snnc.compile(graph.save(folder), code="delta").path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    x = np.random.default_rng(0).integers(0, 256, (IMAGES, 1, 6, 6)).astype(np.uint8)
    np.save(tmp_path / "x.npy", x)
    return tmp_path / "x.npy"


def run(network: Path, data: Any, cluster: Any, **options: Any) -> Any:
    options = {"engine": "golden", "chunk": 16, **options}
    return snnc.run(network, data, scheduler=cluster.scheduler_address, **options)


def test_tasks_are_done_in_processes_of_their_own(cluster: Any) -> None:
    told: list[tuple[str, int, int]] = []
    with Cluster(cluster.scheduler_address) as place:
        results = place.results(Square(1), range(3), lambda *each: told.append(each))
        assert dict(results) == {k: k * k + 1 for k in range(3)}
        assert sorted(told) == [("square", 1, 10)] * 3 + [("square", 2, 10)] * 3
        with pytest.raises(SnncError, match=r"^layer: task 3 is odd\n"):
            list(place.results(Failing(3), (3, 4), ignore))
        assert dict(place.results(Square(), [], ignore)) == {}


def test_a_run_is_that_of_one_process(
    network: Path, data: Path, cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers read the file themselves, where they have it."""
    monkeypatch.setattr(Share, "carried", None)
    expected = snnc.run(network, data, engine="golden")
    found = run(network, data, cluster)
    np.testing.assert_array_equal(found.result.logits, expected.result.logits)
    assert found.spread.as_json() == {"workers": 1, "scheduler": cluster.scheduler_address}


def test_images_are_sent_to_who_lacks_the_file(network: Path, data: Path, cluster: Any) -> None:
    """What has a number in this process is another file, or none, in others."""
    expected = snnc.run(network, data, engine="golden")
    carried = []

    def kept(share: Share) -> Share:
        carried.append(share.span.first)
        return usual(share)

    usual = Share.carried
    with data.open("rb") as file, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Share, "carried", kept)
        found = run(network, f"/proc/self/fd/{file.fileno()}", cluster)
    np.testing.assert_array_equal(found.result.logits, expected.result.logits)
    assert sorted(carried) == list(range(0, IMAGES, 16))


def test_a_sweep_is_that_of_one_process(network: Path, data: Path, cluster: Any) -> None:
    x, model = np.load(data), network.with_suffix(".onnx")
    options: Any = {"codes": ("graded", "rate"), "timesteps": 2}
    given = (x, np.arange(IMAGES) % 4)
    expected = snnc.sweep(model, given, **options)
    found = snnc.sweep(model, given, scheduler=cluster.scheduler_address, **options)
    assert found.points == expected.points


@pytest.mark.lava
def test_lava_runs_in_a_cluster(network: Path, data: Path, cluster: Any) -> None:
    expected = snnc.run(network, data, engine="lava")
    address = cluster.scheduler_address
    found = snnc.run(network, data, engine="lava", scheduler=address, chunk=24)
    np.testing.assert_array_equal(found.result.logits, expected.result.logits)
    assert (found.spikes, found.time_steps) == (expected.spikes, expected.time_steps)


def test_another_version_is_refused(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "version", lambda name: "0.0.0")
    with Cluster(cluster.scheduler_address) as place, pytest.raises(SnncError) as caught:
        list(place.results(Square(), [1], ignore))
    assert "and was sent work of 0.0.0\n  help: install the same everywhere" in str(caught.value)


def test_a_worker_that_is_killed_is_replaced(network: Path, data: Path, cluster: Any) -> None:
    """The last test: the cluster is not whole any more."""
    expected = snnc.run(network, data, engine="golden")
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        victim = next(iter(client.run(os.getpid).values()))
    killed = []

    def kill(name: str, done: int, total: int) -> None:
        if not killed:
            killed.append(os.kill(victim, signal.SIGKILL))

    found = run(network, data, cluster, chunk=8, progress=kill)
    assert killed
    np.testing.assert_array_equal(found.result.logits, expected.result.logits)


def test_who_does_not_answer_is_told(
    network: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SECONDS", 0.5)
    for address in ("127.0.0.1:9", "no address", "tls://:::"):
        with pytest.raises(SnncError) as caught:
            snnc.run(network, data, engine="golden", scheduler=address)
        assert str(caught.value).startswith(f"`scheduler`: {address!r} gives no workers: ")


def test_a_scheduler_has_workers_of_its_own(network: Path, data: Path) -> None:
    with pytest.raises(
        SnncError, match=r"^`workers`: 2 workers of this machine, and a `scheduler`"
    ):
        snnc.run(network, data, engine="golden", scheduler="tcp://127.0.0.1:9", workers=2)
