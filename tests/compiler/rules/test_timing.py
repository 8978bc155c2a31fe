from itertools import permutations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.spiking_networks import networks_of

from snnc.compiler.rules.numbers import _mixes
from snnc.compiler.rules.timing import Slot, Window, timing_of


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


WINDOWS = st.lists(st.builds(Window, st.integers(0, 6), st.integers(1, 4)), min_size=1, max_size=3)


@given(WINDOWS, st.integers(0, 3), st.integers(1, 4), st.integers(1, 12))
@example(windows=[Window(0, 3)], wait=0, in_v=1, period=2)
@settings(max_examples=150, deadline=None)
def test_images_mix_where_their_steps_meet(windows, wait, in_v, period) -> None:
    fire = max(each.last for each in windows) + wait
    steps = [range(each.start, each.start + each.length) for each in windows]
    meet = any(set(a) & set(b) and a[-1] != b[-1] for a, b in permutations(steps, 2))
    in_u = range(min(each[0] for each in steps), fire + 1)
    of_image = range(min(each[-1] for each in steps), fire + in_v)
    later = any(each[0] + period in each for each in (in_u, of_image))
    assert _mixes(Slot(tuple(windows), fire, 1), in_v, period) == (meet or later)
