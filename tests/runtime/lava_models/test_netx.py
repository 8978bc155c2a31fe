"""The mapping through lava-dl's netx, against the numbers that its wheel carries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from support.wheel import netx_data

import snnc

pytest.importorskip("lava.lib.dl.netx")
pytestmark = [pytest.mark.lava, pytest.mark.filterwarnings("ignore:Conversion of an array")]
SAMPLE = 17
"""Time steps that tiny.net takes for an image."""


def run(network: Any, output: Any, steps: int) -> npt.NDArray[np.float64]:
    """What leaves the network, (*shape, steps)."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.sink import RingBuffer

    sink = RingBuffer(shape=output.shape, buffer=steps)
    output.connect(sink.a_in)
    run_cfg = Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=snnc.fast_lava_models())
    try:
        # two runs, for the host speaks to the models in between
        network.run(condition=RunSteps(num_steps=steps - 1), run_cfg=run_cfg)
        network.run(condition=RunSteps(num_steps=1), run_cfg=run_cfg)
        return np.asarray(sink.data.get())
    finally:
        network.stop()


def resets(network: Any) -> Iterator[Any]:
    """Lava's processes that take states back to 0 through ports, a step later in each layer."""
    from lava.proc.io.reset import Reset

    for place, layer in enumerate(network.layers):
        for state in (layer.neuron.u, layer.neuron.v):
            reset = Reset(interval=SAMPLE, offset=place - 1)
            reset.connect_var(state)
            yield reset


def test_spikes_of_a_convolutional_network() -> None:
    from lava.lib.dl.netx.hdf5 import Network

    data = netx_data()
    network = Network(net_config=str(data / "tiny.net"))
    assert list(resets(network))
    network.in_layer.neuron.bias_mant.init = np.load(data / "gts/tinynet/input_bias.npy")
    found = run(network, network.out_layer.out, SAMPLE + len(network))
    wanted = np.load(data / "gts/tinynet/output.npy")[0].transpose([2, 1, 0, 3])
    assert wanted.any()
    np.testing.assert_array_equal(found[..., 2:SAMPLE], wanted[..., 1:])


def test_payloads_of_pilotnet() -> None:
    from lava.lib.dl.netx.hdf5 import Network
    from lava.proc.io.source import RingBuffer

    folder = netx_data() / "gts/pilotnet_sdnn"
    network = Network(net_config=str(folder / "network.net"))
    source = RingBuffer(data=np.load(folder / "input.npy"))
    source.s_out.connect(network.in_layer.neuron.a_in)
    found = run(network, network.out_layer.out, len(network.layers))
    np.testing.assert_array_equal(found, np.load(folder / "output.npy"))
