"""Whatever the parts of a data set are, their results are those of one run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.golden_spikes import GoldenSpikes
from support.onnx_models import Graph

import snnc
from snnc.compiler.codes import CODES
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import Data
from snnc.runtime.engines import ENGINES
from snnc.runtime.engines.running import EngineWork
from snnc.runtime.parts import Part, joined, share_of, spans_of, whole
from snnc.runtime.progress import ignore
from snnc.runtime.spread import Spread
from snnc.runtime.studies.compare import GoldenWork

IMAGES = 41
X = np.random.default_rng(0).integers(0, 256, (IMAGES, 1, 6, 6)).astype(np.uint8)


@pytest.fixture(scope="module", params=list(CODES))
def network(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp(request.param)
    return snnc.load(snnc.compile(model(folder), code=request.param).path)


def model(folder: Path) -> Path:
    graph = Graph("batch", 1, 6, 6)
    graph.conv(3, 1, 3, 3)
    graph.qcfs(7)
    graph.node("Flatten")
    graph.dense(4, 48)
    return graph.save(folder)


@settings(max_examples=4, deadline=None)
@given(size=st.integers(1, IMAGES + 1))
def test_parts_join_to_the_whole(network: SpikingNetwork, size: int) -> None:
    data = Data(X)
    works = (
        EngineWork(ENGINES["golden"], network),
        EngineWork(GoldenSpikes(), network),
        GoldenWork(GoldenSpikes(), network),
    )
    for work in works:
        expected = work(whole(data), ignore)
        shares = [share_of(data, each, network) for each in spans_of(IMAGES, size)]
        found = joined([work(each, ignore) for each in shares])
        np.testing.assert_array_equal(found.logits, expected.logits)
        assert counts_of(found) == counts_of(expected)
    assert not any(counts_of(found)[1:2])
    assert found.fired


def counts_of(part: Part) -> tuple[Any, ...]:
    return part.fired, part.logit_mismatches, dict(part.mismatches)


def test_only_changes_need_an_image_before(network: SpikingNetwork) -> None:
    shares = [share_of(Data(X), each, network) for each in spans_of(IMAGES, 20)]
    assert [each.before for each in shares] == ([0, 1, 1] if network.code == "delta" else [0, 0, 0])
    assert [each.span.count for each in shares] == [20, 20, 1]


@given(images=st.integers(1, 300), size=st.integers(1, 320))
def test_spans_are_all_images_in_order(images: int, size: int) -> None:
    spans = spans_of(images, size)
    covered = [k for each in spans for k in range(each.first, each.first + each.count)]
    assert covered == list(range(images))
    assert all(1 <= each.count <= size for each in spans)


@given(images=st.integers(1, 10_000), workers=st.integers(1, 64))
def test_no_worker_runs_more_than_its_share(images: int, workers: int) -> None:
    spans = spans_of(images, Spread(workers).size(images))
    assert len(spans) <= workers
    assert max(each.count for each in spans) == -(-images // workers)


def logits(rows: int) -> npt.NDArray[np.float64]:
    return np.zeros((rows, 2))


def test_counts_are_summed() -> None:
    first = Part(logits(2), 1.0, 5, 1, {"a": 1, "b": 2})
    second = Part(logits(1), 2.0, 6, 2, {"a": 4, "b": 0})
    found = joined([first, second])
    assert (found.logits.shape, found.seconds, counts_of(found)) == (
        (3, 2),
        3.0,
        (11, 3, {"a": 5, "b": 2}),
    )
    assert joined([Part(logits(1), 1.0), Part(logits(1), 1.0)]).fired is None
