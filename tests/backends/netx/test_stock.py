"""What is said of unmodified netx; test_stock_netx.py holds it against lava-dl."""

from dataclasses import replace

import numpy as np
import pytest
from support.spiking_networks import (
    chain_of,
    copies_of_a_plane,
    onto_planes,
    random_network,
    reads_past,
    reads_twice,
    with_bias_map,
)

from snnc.backends.netx.stock import (
    Obstacle,
    message_bits,
    obstacles_to_stock_netx,
    runs_in_stock_netx,
)
from snnc.compiler.codes import CODES
from snnc.compiler.laws import Copies
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.output.report import netx_line
from snnc.runtime.studies.inspection import inspect_network

NOT_STOCK = (("", "its neurons are no stock neurons; those of `code='one-spike'` are"),)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (chain_of(Copies(np.array([[9], [99], [999]]))), ()),
        (copies_of_a_plane(), ()),
        (copies_of_a_plane(strides=(2, 1), pads=(1, 0, 1, 0), dilations=(1, 2)), ()),
        (copies_of_a_plane(pads=(1, 0, 0, 1)), (("conv", "pads 1,0,0,1 are uneven"),)),
        (
            copies_of_a_plane((2, 1, 140), (1, 130), strides=(1, 200), pads=(0, 128, 0, 128)),
            (
                ("conv", "kernel 130 is above 127"),
                ("conv", "stride 200 is above 127"),
                ("conv", "pad 128 is above 127"),
            ),
        ),
        (
            copies_of_a_plane((2, 1, 140), (1, 2), dilations=(1, 128)),
            (("conv", "dilation 128 is above 127"),),
        ),
        (copies_of_a_plane((128, 3, 3), groups=128), (("conv", "groups 128 is above 127"),)),
        (with_bias_map(copies_of_a_plane()), (("conv", "the biases of a channel differ"),)),
        (reads_twice(copies_of_a_plane()), (("out", "it sums several sources"),)),
        (reads_past(copies_of_a_plane()), (("out", "it does not read the layer before it"),)),
        (onto_planes(copies_of_a_plane()), (("onto", "a matrix leads to planes"),)),
        (
            copies_of_a_plane().replaced(copies_of_a_plane().populations[1:]),
            (("", "no layer of it fires"),),
        ),
        *((random_network(0, code), NOT_STOCK) for code in CODES if code != "one-spike"),
    ],
)
def test_why_stock_netx_cannot_run(
    network: SpikingNetwork, expected: tuple[tuple[str, str], ...]
) -> None:
    found = tuple((each.layer, each.why) for each in obstacles_to_stock_netx(network))
    assert found == expected
    assert runs_in_stock_netx(network) == (not expected)


def test_every_reason_is_said() -> None:
    network = with_bias_map(reads_twice(copies_of_a_plane(pads=(1, 0, 0, 1))))
    assert netx_line(inspect_network(network)) == (
        "runs in unmodified netx: no: conv: the biases of a channel differ; conv: pads 1,0,0,1 "
        "are uneven; out: it sums several sources"
    )


def test_layers_that_share_a_reason_share_it() -> None:
    inspection = inspect_network(copies_of_a_plane())
    obstacles = tuple(Obstacle(name, "it sums several sources") for name in "abcde")
    assert netx_line(replace(inspection, obstacles=obstacles)) == (
        "runs in unmodified netx: no: a, b, c and 2 more: it sums several sources"
    )


def test_a_yes_says_how_to_load_it() -> None:
    inspection = inspect_network(copies_of_a_plane())
    assert netx_line(inspection) == "runs in unmodified netx: yes, input_message_bits=8"
    found = inspection.as_json()["unmodified_netx"]
    assert found == {"runs": True, "input_message_bits": 8, "obstacles": []}
    assert message_bits(random_network(0, "one-spike")) == 8
