"""The slayer network against the integer law, the golden model and the compiler's writer."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.integer_law import evaluate
from support.spiking_networks import as_current, chain, networks, random_network

from snnc.backends.netx.writer import write
from snnc.compiler.errors import SnncError
from snnc.compiler.laws import BitSerial, Graded, Integers, bits_for
from snnc.compiler.spiking import Population, SpikingNetwork
from snnc.runtime.engines import installing
from snnc.runtime.engines.base import Chunk
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.slayer.engine import run_slayer

torch = pytest.importorskip("torch")
pytest.importorskip("lava.magma")

from snnc.runtime.engines.slayer.library import slayer
from snnc.runtime.engines.slayer.network import SlayerNetwork
from snnc.runtime.engines.slayer.neuron import AccumulateThenFire

pytestmark = [pytest.mark.lava, pytest.mark.torch]
few = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def images_for(network: SpikingNetwork, count: int) -> Integers:
    shape = (count, *network.input.shape)
    return np.random.default_rng(0).integers(0, network.input.levels + 1, shape)


def assert_sent(network: SpikingNetwork, chunk: Chunk, sent: dict[str, Integers]) -> None:
    assert list(chunk.spikes) == list(network.firing)
    for name, law in network.firing.items():
        assert isinstance(law, BitSerial)
        planes = law.bit_planes(sent[name])
        np.testing.assert_array_equal(chunk.spikes[name], planes, err_msg=name)


# Spikes


@given(network=networks())
@few
def test_every_spike_is_that_of_the_integer_law(network: SpikingNetwork) -> None:
    images = images_for(network, 3)
    (chunk,) = run_slayer(network, [images])
    expected = evaluate(network, images)
    assert_sent(network, chunk, expected)
    np.testing.assert_array_equal(chunk.logits, expected[network.readout.name])


@pytest.mark.parametrize("seed", range(4))
def test_every_spike_is_that_of_the_golden_model(seed: int) -> None:
    network = random_network(seed)
    images = images_for(network, 5)
    (chunk,) = run_slayer(network, [images])
    golden = Golden(network, every_population=True, threads=1).run(images)
    assert_sent(network, chunk, dict(golden.sent))
    np.testing.assert_array_equal(chunk.logits, golden.potential)


@given(
    st.lists(st.integers(-(2**12), 2**12), min_size=1, max_size=6),
    st.integers(1, 40),
    st.integers(1, 999),
    st.integers(-(2**15), 2**15),
    st.integers(0, 3),
)
def test_a_neuron_fires_the_bits_of_the_staircase(
    arrived: list[int], levels: int, step: int, bias: int, lead: int
) -> None:
    law = BitSerial(np.array([step]), levels, lead)
    neuron = AccumulateThenFire(Population("p", (1, 1, 1), (), np.array([bias]), law))
    train = torch.tensor(arrived, dtype=torch.float64).reshape(1, 1, 1, 1, -1)
    spikes = neuron(train).flatten().tolist()
    z = sum(a << place for place, a in enumerate(reversed(arrived)))
    n = min(max((z + bias) // step, 0), levels)
    assert spikes == [n >> place & 1 for place in reversed(range(bits_for(levels) + lead))]


def test_images_come_back_once_and_in_order() -> None:
    network = random_network(1)
    images = images_for(network, 7)
    chunks = list(run_slayer(network, [images[:5], images[5:]], chunk=2))
    assert [each.first for each in chunks] == [0, 2, 4, 5]
    logits = np.concatenate([each.logits for each in chunks])
    np.testing.assert_array_equal(logits, evaluate(network, images)[network.readout.name])


def test_a_network_moves_to_a_device_and_is_used_again() -> None:
    network = random_network(2)
    model = SlayerNetwork(network).to("cpu")
    held = [each for module in model.modules() for each in vars(module).values()]
    assert not [each for each in held if isinstance(each, torch.Tensor)]  # these would stay behind
    levels = torch.as_tensor(images_for(network, 2))
    np.testing.assert_array_equal(model(levels), model(levels))


# Files


def rounded(network: SpikingNetwork) -> SpikingNetwork:
    """The network, with something in every field of its projections."""
    return network.replaced(
        tuple(
            replace(each, projections=tuple(replace(p, error=1 / 7) for p in each.projections))
            for each in network
        )
    )


@given(network=networks())
@few
def test_an_export_has_the_bytes_of_the_file_it_came_from(
    tmp_path: Path, network: SpikingNetwork
) -> None:
    write(rounded(network), tmp_path / "net.h5")
    SlayerNetwork.from_file(tmp_path / "net.h5").export_hdf5(tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == (tmp_path / "net.h5").read_bytes()


def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnncError, match="cannot be written"):
        SlayerNetwork(chain()).export_hdf5(tmp_path / "nowhere" / "net.h5")


def test_synapses_are_those_of_slayer_and_keep_whole_weights() -> None:
    network = random_network(0)
    (first, *_, last) = (each for each in SlayerNetwork(network).blocks if hasattr(each, "synapse"))
    assert isinstance(first.synapse, slayer.synapse.Conv)
    assert isinstance(last.synapse, slayer.synapse.Dense)
    weights = network.populations[0].projections[0].connection.weights
    kept = first.synapse.pre_hook_fx(first.synapse.weight, descale=True)
    np.testing.assert_array_equal(kept[..., 0], weights)


# What it refuses


def test_every_population_of_another_code_is_named() -> None:
    network = random_network(3)
    firing = network.populations[:-1]
    graded = tuple(replace(each, neuron=Graded(each.neuron.step, 3)) for each in firing)
    with pytest.raises(SnncError) as caught:
        next(run_slayer(network.replaced((*graded, network.readout)), [images_for(network, 1)]))
    assert all(each.name in str(caught.value) for each in firing)
    assert network.readout.name not in str(caught.value)
    assert "help: use `engine='lava'` or `engine='golden'`" in str(caught.value)


def test_a_constant_current_is_refused() -> None:
    network = chain()
    network = replace(network, input=as_current(network.input, 4))
    with pytest.raises(SnncError, match="x: sends pixels as a constant current"):
        SlayerNetwork(network)


def test_a_device_that_is_not_there_is_refused() -> None:
    with pytest.raises(SnncError, match="`device`: 'abacus' cannot be used"):
        next(run_slayer(chain(), [], "abacus"))


@pytest.mark.parametrize("name", ["torch", "lava.lib.dl.slayer"])
def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    there = installing.find_spec
    monkeypatch.setattr(installing, "find_spec", lambda e: None if e == name else there(e))
    with pytest.raises(SnncError, match=f"{name} is not installed"):
        next(run_slayer(chain(), []))


def test_importing_is_quiet_and_late() -> None:
    script = (
        "import sys, snnc.runtime.engines.slayer.engine;"
        "assert not {'torch', 'lava'} & set(sys.modules);"
        "import snnc.runtime.engines.slayer.network"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")
