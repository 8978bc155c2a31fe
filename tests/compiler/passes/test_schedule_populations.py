from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.integer_law import evaluate
from support.onnx_models import Graph
from support.spiking_networks import CODES, SEEDS, chain, networks_of, unscheduled

from snnc.compiler.codes.spike_counts import SpikeCountCode
from snnc.compiler.laws import BitSerial
from snnc.compiler.network import Network
from snnc.compiler.options import CompileKeywords, CompileOptions
from snnc.compiler.passes.schedule_populations import schedule_populations
from snnc.compiler.pipeline import lower
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.rules.timing import timing_of
from snnc.compiler.spiking import SpikingNetwork
from snnc.frontends.onnx.loading import Model
from snnc.frontends.onnx.reader import read_model


def relays(network: SpikingNetwork) -> list[str]:
    return [each.name for each in network if each.is_relay]


@given(SEEDS, st.sampled_from(tuple(CODES)))
@settings(max_examples=100, deadline=None)
def test_every_network_can_be_pipelined(seed: int, code: str) -> None:
    network = unscheduled(seed, code)
    pipelined = schedule_populations(network, "pipelined")
    require_legal(pipelined)
    timing = timing_of(pipelined)
    assert timing.period == max(each.turn for each in timing.slots.values())
    shape = (3, *network.input.shape)
    pixels = np.random.default_rng(0).integers(0, network.input.levels + 1, shape)
    before, after = evaluate(network, pixels), evaluate(pipelined, pixels)
    for name, levels in before.items():
        np.testing.assert_array_equal(after[name], levels)


@given(networks_of(("bit-serial", "graded")))
@settings(max_examples=40, deadline=None)
def test_sequential_needs_no_relays_where_neurons_accumulate(network: SpikingNetwork) -> None:
    sequential = schedule_populations(network, "sequential")
    require_legal(sequential)
    assert sequential.populations == network.populations
    timing = timing_of(sequential)
    spans = [range(s.fire, s.fire + s.turn) for s in timing.slots.values()]
    assert all(a.stop <= b.start for a, b in pairwise(spans))
    assert timing.period == timing.latency == spans[-1].start + 1


@given(networks_of([name for name, each in CODES.items() if issubclass(each, SpikeCountCode)]))
@settings(max_examples=40, deadline=None)
def test_what_counts_spikes_hears_all_sources_at_once(network: SpikingNetwork) -> None:
    for slot in timing_of(network).slots.values():
        assert len({(each.start, each.length) for each in slot.windows}) <= 1


@given(networks_of())
@settings(max_examples=40, deadline=None)
def test_no_image_enters_before_the_last_one_was_sent(network: SpikingNetwork) -> None:
    timing = timing_of(network)
    assert timing.period >= max(each.turn for each in timing.slots.values())
    if network.schedule == "sequential":
        assert timing.period >= timing.latency


def test_a_chain_stays_as_it_is() -> None:
    network = chain()
    assert schedule_populations(network, "pipelined") is network


def skipping(levels: int) -> SpikingNetwork:
    """x → a → b → out, and a → out."""
    a, out = chain(levels=levels).populations
    (last,) = out.projections
    b = replace(
        a, name="b", projections=(replace(last, source="fc"),), neuron=BitSerial(a.neuron.step, 3)
    )
    ends = replace(out, projections=(replace(last, source="b"), last))
    return chain().replaced((a, b, ends))


def test_a_shortcut_gets_a_relay_and_all_take_the_same_steps() -> None:
    found = schedule_populations(skipping(levels=7), "pipelined")
    assert [each.name for each in found] == ["fc", "fc.relay1", "b", "out"]
    assert [each.source for each in found.readout.projections] == ["b", "fc.relay1"]
    assert [each.neuron.turn for each in found] == [3, 3, 3, 1]
    assert found.nodes["b"].neuron.lead == 1
    assert len(set(timing_of(found).slots["out"].windows)) == 1


def test_consumers_share_relays() -> None:
    network = skipping(levels=3)
    *firing, out = network.populations
    c = replace(firing[1], name="c", projections=(replace(firing[1].projections[0], source="b"),))
    far = replace(out, projections=(*out.projections, replace(out.projections[0], source="c")))
    found = schedule_populations(network.replaced((*firing, c, far)), "pipelined")
    assert relays(found) == ["fc.relay1", "fc.relay2", "b.relay1"]


def quantised(first: int, *others: int) -> Network:
    """A quantiser of the input, 0 … 1 in so many levels, and layers of others."""
    graph = Graph("batch", 4, seed=1)
    graph.qcfs(first, 1.0, name="first")
    for index, levels in enumerate(others):
        graph.dense(4, 4, name=f"fc{index}")
        graph.qcfs(levels)
    graph.dense(2, 4)
    return read_model(Model(graph.model(), "", ()))


ELSE = "or compile with `code='graded'`"


@pytest.mark.parametrize(
    ("network", "options", "expected"),
    [
        (
            quantised(200, 7, 7, 3),
            {},
            "an image every 8 time steps because of first; all other layers take up to 3: a "
            "quantiser of the input costs no layer where `input_bits`, `input_range`, `mean` and "
            f"`std` put the pixels on its grid, {ELSE}",
        ),
        (
            quantised(255, 7, 7, 3),
            {"input_code": "bits"},
            "an image every 8 time steps because of x; all other layers take up to 3: send pixels "
            f"with `input_code='graded'`, {ELSE}",
        ),
        (
            quantised(255, 7, 63, 7, 3),
            {},
            "an image every 6 time steps because of fc1; all other layers take up to 3: give them "
            f"fewer levels, or `average_pool='compose'` where they are sums, {ELSE}",
        ),
    ],
)
def test_what_sets_the_period_is_named(
    network: Network, options: CompileKeywords, expected: str
) -> None:
    assert expected in lower(network, CompileOptions(**options)).provenance.remarks


@pytest.mark.parametrize(
    "options", [{}, {"schedule": "sequential"}, {"code": "graded"}, {"timesteps": 2}]
)
def test_a_quantiser_on_the_grid_of_the_pixels_costs_no_layer(options: CompileKeywords) -> None:
    """And is not made coarser, however few time steps there are."""
    network = lower(quantised(255, 7, 7, 3), CompileOptions(**options))
    assert [each.name for each in network][:3] == ["fc0", "fc1", "fc2"]
    assert network.input.levels == 255
    assert not any("an image every" in each for each in network.provenance.remarks)
