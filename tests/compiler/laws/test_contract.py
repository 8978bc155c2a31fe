"""What holds of every law, whatever it computes: one contract, and an example of each law."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from support.integer_law import arriving, evaluate
from support.spiking_networks import (
    CODES,
    behind_a_relay,
    chain,
    chain_of,
    random_network,
    stream,
)
from support.step_by_step import extremes, run_steps

from snnc.backends.netx.inputs import COUNTS
from snnc.backends.netx.laws import LAWS as IN_FILES
from snnc.backends.netx.reader import read
from snnc.backends.netx.writer import write
from snnc.backends.onnx.golden.laws import LAWS as IN_GOLDEN
from snnc.compiler.inputs import INPUTS, Input
from snnc.compiler.laws import (
    LAWS,
    BitSerial,
    Copies,
    Current,
    Delta,
    DeltaReadout,
    Graded,
    Integers,
    Neuron,
    OffsetSpike,
    Rate,
    Readout,
)
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.programs import LAWS as IN_PROGRAMS
from snnc.compiler.rules.bounds import potential_bounds
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.lava.laws import LAWS as IN_LAVA
from snnc.runtime.engines.slayer.laws import LAWS as IN_SLAYER

THRESHOLD, HALF = np.array([700]), np.array([350])
EXAMPLES: Mapping[type[Neuron], tuple[SpikingNetwork, ...]] = {
    BitSerial: (chain(bias=-40), chain_of(BitSerial(np.array([100]), 9, lead=2))),
    Graded: (chain_of(Graded(np.array([100]), 9), bias=50),),
    Current: (
        behind_a_relay(Rate(THRESHOLD, HALF, 5)),
        behind_a_relay(OffsetSpike(THRESHOLD, HALF, 3, rho=2)),
    ),
    Rate: (chain_of(Rate(THRESHOLD, HALF, 5), bias=-9),),
    OffsetSpike: (
        chain_of(OffsetSpike(THRESHOLD, HALF, 5, rho=3, iterations=2), bias=9),
        chain_of(OffsetSpike(THRESHOLD, HALF, 2, rho=4, light=True)),
    ),
    Copies: (chain_of(Copies(np.array([[9], [99], [999]])), bias=7),),
    Delta: (stream(),),
    DeltaReadout: (stream(),),
    Readout: (chain(), chain_of(Rate(THRESHOLD, HALF, 4))),
}
RANDOM = [random_network(seed, code) for code in CODES for seed in range(8)]


def holds(network: SpikingNetwork, law: type[Neuron]) -> bool:
    return any(isinstance(each.neuron, law) for each in network)


def examples() -> list[object]:
    """Those of each law, and two larger networks that have such neurons."""
    found: list[object] = []
    for law in LAWS:
        drawn = [each for each in RANDOM if holds(each, law)][:: len(CODES)][:2]
        networks = (*EXAMPLES.get(law, ()), *drawn)
        found += [pytest.param(each, id=f"{law.__name__}{i}") for i, each in enumerate(networks)]
    return found


every_law = pytest.mark.parametrize("network", examples())


def images_for(network: SpikingNetwork) -> Integers:
    """Random ones behind the darkest and the brightest."""
    shape, levels = network.input.shape, network.input.levels
    images = np.random.default_rng(0).integers(0, levels + 1, (5, *shape))
    images[0], images[1] = 0, levels
    return images


@pytest.mark.parametrize("law", LAWS)
def test_every_law_has_an_example(law: type[Neuron]) -> None:
    assert law in EXAMPLES
    assert all(holds(each, law) for each in EXAMPLES[law])
    assert any(holds(each, law) for each in RANDOM)


@every_law
def test_it_is_written_and_read(network: SpikingNetwork, tmp_path: Path) -> None:
    write(network, tmp_path / "net.h5")
    again = read(tmp_path / "net.h5")
    assert str(again) == str(network)
    for one, two in zip(again, network, strict=True):
        assert type(one.neuron) is type(two.neuron)
        for name, value in vars(two.neuron).items():
            np.testing.assert_array_equal(getattr(one.neuron, name), value)


@every_law
def test_golden_is_the_integer_law(network: SpikingNetwork) -> None:
    require_legal(network)
    images = images_for(network)
    expected = evaluate(network, images)
    found = Golden(network, every_population=True, threads=1).run(images)
    assert found.sent.keys() == network.firing.keys()
    for name, sent in found.sent.items():
        np.testing.assert_array_equal(sent, expected[name], err_msg=name)
    np.testing.assert_array_equal(found.potential, expected[network.readout.name])


@every_law
def test_neurons_leave_its_planes_step_by_step(network: SpikingNetwork) -> None:
    images = images_for(network)
    expected = evaluate(network, images)
    potentials, planes = run_steps(network, images)
    for name, law in network.firing.items():
        np.testing.assert_array_equal(planes[name], law.bit_planes(expected[name]), err_msg=name)
    np.testing.assert_array_equal(potentials, expected[network.readout.name])


@every_law
def test_its_planes_hold_its_spikes(network: SpikingNetwork) -> None:
    sent = evaluate(network, images_for(network))
    for name, law in network.firing.items():
        planes, shape = law.bit_planes(sent[name]), network.nodes[name].shape
        assert planes.shape[:2] == (5, law.planes)
        spikes = law.spikes_by_neuron(sent[name])
        assert spikes.shape == shape
        assert law.spikes_in(planes) == spikes.sum()


@every_law
def test_its_potential_stays_within_its_bounds(network: SpikingNetwork) -> None:
    images = images_for(network)
    sent, reached = evaluate(network, images), extremes(network, images)
    trains = {each.name for each in network if each.neuron.integrates}
    for each in network:
        bounds, law = potential_bounds(each, network.nodes), each.neuron
        low, high = reached[each.name]
        if not law.integrates:
            sums = sum(arriving(each, sent, trains, step) for step in range(law.summed_steps))
            kept = np.cumsum(sums, axis=0) if "changes" in law.accepts else sums
            total = per_neuron(each.bias, each.shape) + kept
            low, high = total.min(0), total.max(0)
        assert (bounds.low <= low).all(), each.name
        assert (high <= bounds.high).all(), each.name


@pytest.mark.parametrize("table", [IN_FILES, IN_GOLDEN, IN_LAVA, IN_SLAYER, IN_PROGRAMS])
def test_every_table_has_a_row_for_every_law(table: Mapping[type[Neuron], object]) -> None:
    assert set(table) == set(LAWS)


def test_every_kind_of_input_has_a_row_in_files() -> None:
    assert set(COUNTS) == set(get_args(Input)) == set(INPUTS.values())


def test_names_in_files_tell_laws_apart() -> None:
    assert len({row.type_name for row in IN_FILES.values()}) == len(LAWS)


@pytest.mark.lava
@pytest.mark.torch
def test_slayer_has_the_neurons_of_its_table() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("lava.magma")
    from snnc.runtime.engines.slayer import neuron

    for name in filter(None, IN_SLAYER.values()):
        assert inspect.isclass(getattr(neuron, name)), name
