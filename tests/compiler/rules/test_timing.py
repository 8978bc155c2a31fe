from hypothesis import given, settings
from hypothesis import strategies as st
from support.spiking_networks import networks_of

from snnc.compiler.rules.timing import timing_of


@given(networks_of(), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_a_stream_ends_with_its_last_spike(network, images) -> None:
    timing = timing_of(network)
    last = max(each.fire + each.turn for each in timing.slots.values())
    assert timing.duration(images) == last + (images - 1) * timing.period
    assert timing.duration(0) == 0
    assert timing.latency == timing.slots[network.readout.name].fire + 1


@given(networks_of())
@settings(max_examples=40, deadline=None)
def test_a_window_opens_a_step_after_its_source_fires(network) -> None:
    slots = timing_of(network).slots
    for population in network:
        slot = slots[population.name]
        for window, each in zip(slot.windows, population.projections, strict=True):
            law = network.nodes[each.source].sends
            assert window.start == slots[each.source].fire + 1
            assert window.length == population.neuron.window(law.train, slots[each.source].turn)
            assert window.last <= slot.fire or population.neuron.integrates
            assert (window.train, window.constant) == (law.train, law.is_constant)
