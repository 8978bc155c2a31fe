"""Whole networks: proved spike by spike, and held against what the float source computes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from zoo import float_oracle
from zoo.models import MEAN, STD, ZOO, export, images
from zoo.source import Source

import snnc
from snnc.compiler.laws.planes import count_differences, count_spikes
from snnc.compiler.operators import Floats
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.data import as_source, encode
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.lava.simulator import simulate
from snnc.runtime.engines.result import logits_of

pytestmark = pytest.mark.torch

Activations: TypeAlias = tuple[Mapping[str, Floats], Floats]
"""The levels of each population, and the logits."""

SHALLOW = ("mlp", "lenet", "squeezenet", "inception", "growing", "line")
OPTIONS = {
    "pipelined": {},
    "fine": {"schedule": "sequential", "weight_bits": 16},
    "sums": {"average_pool": "sum", "schedule": "sequential", "input_code": "bits"},
    "coarse": {"timesteps": 2, "average_pool": "compose"},
}


class Zoo:
    """Exports each network once, and compiles it with whatever options a test asks for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def model(self, name: str) -> Path:
        path = self.folder / f"{name}.onnx"
        return path if path.exists() else export(ZOO[name], path)

    def network(self, name: str, **options: object) -> SpikingNetwork:
        options = {"mean": (MEAN,), "std": (STD,), **options}
        written = snnc.compile(self.model(name), self.folder / f"{name}.h5", **options)
        return snnc.load(written.path)


@dataclass(frozen=True)
class Agreement:
    """Golden beside its source, and beside a source that is given golden's levels layer by layer.

    The control is the source beside itself, its weights disturbed as much as the worst rounding
    does: with random weights a few levels that differ make many differ some layers later.
    """

    golden: Activations
    source: Activations
    guided: Activations
    control: float

    def shares(self, other: Activations) -> list[float]:
        """For each population the share of levels that are the same."""
        return shares(self.golden, other)

    def error(self, other: Activations) -> float:
        """The mean error of a logit, relative to how far logits lie apart."""
        return float(np.abs(self.golden[1] - other[1]).mean() / other[1].std())

    @property
    def correlation(self) -> float:
        return float(np.corrcoef(self.golden[1].ravel(), self.source[1].ravel())[0, 1])

    @property
    def decisions(self) -> float:
        """The share of images of the same class."""
        return float(np.mean(self.golden[1].argmax(1) == self.source[1].argmax(1)))

    def __str__(self) -> str:
        free, guided = self.shares(self.source), self.shares(self.guided)
        return (
            f"same levels {np.mean(free):.3f} (control {self.control:.3f}, worst {min(free):.3f}), "
            f"given their sources' {np.mean(guided):.4f} (worst {min(guided):.4f}); "
            f"logits: correlation {self.correlation:.4f}, error {self.error(self.source):.4f}, "
            f"given {self.error(self.guided):.5f}; same class {self.decisions:.2f}"
        )


def shares(first: Activations, second: Activations) -> list[float]:
    return [float(np.mean(levels == second[0][name])) for name, levels in first[0].items()]


def agreement(zoo: Zoo, name: str, bits: int) -> Agreement:
    network = zoo.network(name, weight_bits=bits, schedule="sequential")
    pixels = images(ZOO[name].shape, 64, seed=7)
    x = as_source(pixels, network.input)
    source, shape = Source(zoo.model(name)), (64, *network.input.shape)
    found = Golden(network, every_population=True).run(encode(pixels, network.input).reshape(shape))
    free = source.run(x)
    levels = {name: found.sent[name].reshape(values.shape) for name, values in free[0].items()}
    logits = logits_of(found.potential, network).reshape(free[1].shape)
    error = max(each.error for population in network for each in population.projections)
    control = shares(Source(zoo.model(name), disturbed=error).run(x), free)
    guided = source.follow(x, levels)
    return Agreement((levels, logits), free, guided, float(np.mean(control)))


@pytest.fixture
def zoo(zoo_folder: Path) -> Zoo:
    return Zoo(zoo_folder)


def levels_for(network: SpikingNetwork, name: str, count: int) -> np.ndarray:
    pixels = images(ZOO[name].shape, count, seed=5)
    return encode(pixels, network.input).reshape(count, *network.input.shape)


@pytest.mark.lava
@pytest.mark.parametrize("schedule", ["pipelined", "sequential"])
@pytest.mark.parametrize("name", [name for name, specimen in ZOO.items() if specimen.on_lava])
def test_lava_sends_every_spike(zoo: Zoo, name: str, schedule: str) -> None:
    pytest.importorskip("lava.magma")
    network = zoo.network(name, schedule=schedule)
    levels = levels_for(network, name, 2)
    golden = Golden(network, every_population=True, threads=1).run(levels)
    with closing(simulate(network, [levels], chunk=1)) as stream:
        chunks = list(stream)
    np.testing.assert_array_equal(np.concatenate([c.logits for c in chunks]), golden.potential)
    assert np.any(golden.potential[0] != golden.potential[1])
    for each, law in network.firing.items():
        sent = np.concatenate([chunk.spikes[each] for chunk in chunks])
        planes = law.bit_planes(golden.sent[each])
        assert not count_differences(planes, sent), each
        assert count_spikes(sent) or ".axis" in each, f"{each} is silent"


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("name", ZOO)
def test_golden_is_a_float64_network(zoo: Zoo, name: str, kind: str) -> None:
    network = zoo.network(name, **OPTIONS[kind])
    levels = levels_for(network, name, 2)
    golden = Golden(network, every_population=True, threads=1).run(levels)
    expected = float_oracle.evaluate(network, torch.from_numpy(levels))
    for population, found in golden.sent.items():
        np.testing.assert_array_equal(found, expected[population], err_msg=population)
    logits = logits_of(golden.potential, network)
    np.testing.assert_allclose(logits, expected[network.readout.name], atol=1e-9)


@pytest.mark.parametrize("name", ZOO)
def test_golden_is_the_source_but_for_its_weights(zoo: Zoo, name: str) -> None:
    coarse, fine = (agreement(zoo, name, bits) for bits in (8, 16))
    print(f"\n{name}, 8 bits: {coarse}\n{name}, 16 bits: {fine}")
    assert min(coarse.shares(coarse.guided)) > 0.96
    assert min(fine.shares(fine.guided)) > 0.997
    assert 1 - np.mean(coarse.shares(coarse.guided)) > 10 - 10 * np.mean(fine.shares(fine.guided))
    assert fine.error(fine.guided) < 1e-3
    assert coarse.error(coarse.source) > fine.error(fine.source)
    for each in (coarse, fine):
        assert np.mean(each.shares(each.source)) > each.control - 0.05


@pytest.mark.parametrize("name", SHALLOW)
def test_few_layers_decide_as_the_source_does(zoo: Zoo, name: str) -> None:
    coarse, fine = (agreement(zoo, name, bits) for bits in (8, 16))
    assert coarse.correlation > 0.95
    assert fine.correlation > 0.998
    assert coarse.error(coarse.source) > 3 * fine.error(fine.source)
    assert coarse.decisions > 0.75
    assert fine.decisions > 0.95


@pytest.mark.parametrize("name", ["resnet20", "mobilenet_v1", "preactivation", "squeezenet"])
def test_a_sum_population_is_a_composed_pool(zoo: Zoo, name: str) -> None:
    options = {"weight_bits": 16, "schedule": "sequential"}
    one, other = (zoo.network(name, average_pool=kind, **options) for kind in ("sum", "compose"))
    assert len(one.populations) == len(other.populations) + 1
    levels = levels_for(one, name, 16)
    logits = [logits_of(Golden(each).run(levels).potential, each) for each in (one, other)]
    np.testing.assert_allclose(*map(np.ravel, logits), atol=1e-3 * logits[0].std())


@pytest.mark.parametrize("name", ["vgg16", "resnet20", "densenet"])
def test_no_population_fires_longer_than_asked(zoo: Zoo, name: str) -> None:
    network = zoo.network(name, timesteps=2, schedule="sequential", average_pool="compose")
    assert {each.neuron.turn for each in network.populations[:-1]} == {2}
    assert "no longer error-free" in network.provenance.remarks[0]
