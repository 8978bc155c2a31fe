"""Lava against the golden model, spike by spike."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest

from snnc.compiler.laws import Integers
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.golden import Golden
from snnc.runtime.engines.lava.simulator import LavaModel, simulate


def assert_lava_is_golden(
    network: SpikingNetwork, levels: Integers, model: LavaModel = "layers"
) -> None:
    """One stream, of more images than are looked at together."""
    pytest.importorskip("lava.magma")
    golden = Golden(network, every_population=True, threads=1).run(levels)
    with closing(simulate(network, [levels[:2], levels[2:]], chunk=2, model=model)) as stream:
        chunks = list(stream)
    potentials = np.concatenate([each.logits for each in chunks])
    np.testing.assert_array_equal(potentials, golden.potential)
    for name, law in network.firing.items():
        planes = law.bit_planes(golden.sent[name])
        sent = np.concatenate([chunk.spikes[name] for chunk in chunks])
        np.testing.assert_array_equal(sent, planes, err_msg=name)
