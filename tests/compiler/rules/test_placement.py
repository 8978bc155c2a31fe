"""A network that says onto which cores it goes is held to it."""

from dataclasses import replace
from math import prod

import pytest
from support.spiking_networks import random_network

from snnc.compiler.errors import SnncError
from snnc.compiler.mapping.mapper import MapOptions, map_network, placed
from snnc.compiler.rules import placement
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import SpikingNetwork
from snnc.compiler.target import LOIHI1

NETWORK = placed(random_network(5))
PLACEMENT = NETWORK.placement
NODES = len(PLACEMENT.cuts)
WRONG = {
    "too few layers": ({"cuts": PLACEMENT.cuts[:-1]}, f"cuts of {NODES - 1} layers; allowed"),
    "an empty piece": ({"cuts": ((1, 1, 99), *PLACEMENT.cuts[1:])}, "cut into (1, 1, 99)"),
    "a chip too large": ({"chips": (0,) * 2}, "chips begin at cores (0, 0)"),
    "no chip": ({"chips": ()}, "chips begin at cores ()"),
    "a core at the end": ({"chips": (0, 1 << 16)}, "chips begin at cores (0, 65536)"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_a_placement_that_does_not_fit_is_refused(changes, message):
    wrong = replace(NETWORK, placement=replace(PLACEMENT, **changes))
    with pytest.raises(SnncError) as caught:
        require_legal(wrong)
    assert message in str(caught.value)


def test_a_core_that_holds_too_much_is_named():
    one = replace(PLACEMENT, cuts=((1, 1, 1),) * NODES, chips=(0,), state_words=64)
    with pytest.raises(SnncError, match="neuron words on one core; allowed: 4096"):
        require_legal(replace(NETWORK, placement=one))


def test_a_core_more_than_there_may_be(monkeypatch):
    cores = sum(prod(each) for each in PLACEMENT.cuts)
    monkeypatch.setattr(placement, "MOST_CORES", cores)
    require_legal(NETWORK)
    monkeypatch.setattr(placement, "MOST_CORES", cores - 1)
    with pytest.raises(SnncError, match=f"mapping: {cores} cores; allowed: up to {cores - 1}"):
        require_legal(NETWORK)


def test_a_chip_may_be_full_and_have_a_single_core():
    cores = sum(prod(each) for each in PLACEMENT.cuts)
    chips = replace(PLACEMENT, chips=(0, 1))
    assert not [*placement._problems_of_chips(chips, cores, cores - 1)]
    assert [*placement._problems_of_chips(chips, cores, cores - 2)]


def test_sound_placements_pass():
    require_legal(NETWORK)
    assert isinstance(NETWORK, SpikingNetwork)


def test_wrong_options_are_said_at_once():
    wrong = MapOptions("speed", -1, 0, 99)
    with pytest.raises(SnncError) as caught:
        map_network(NETWORK, wrong, LOIHI1)
    assert [each.where for each in caught.value.problems] == [
        *("`objective`", "`slack`", "`chips`", "`state_words`", "`target`")
    ]
