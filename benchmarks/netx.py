"""Lava's own process models against snnc's, in lava-dl's netx: `python -m benchmarks.netx`.

The networks are PilotNet of lava-dl's tests, which its wheel carries: spiking (LIF) and sigma-delta
(SDNN). In one run and on the same machine, for each of them:

- every process on its own, fed by hand, in both models: what each sends is equal in every time
  step; of the convolutions, the time that a step takes;
- the whole network in Lava, both models in turns: the outputs are equal in every time step; the
  time that a step takes once all processes run.

All figures are medians. Ratios hold between machines as long as both sides are given the same.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt
from tests.support.lava_alone import Alone
from tests.support.wheel import netx_data

import snnc
from snnc.runtime.engines.lava.library import load
from snnc.runtime.output.tables import print_table, table_of_cells

NETWORKS = {"PilotNet LIF": "pilotnet_lif", "PilotNet SDNN": "pilotnet_sdnn"}
WARM = 4
"""Time steps before the clock starts: processes open what they need."""
Array = npt.NDArray[Any]
Models = Mapping[Any, Any]


@dataclass
class Pair:
    """Milliseconds of time steps, in Lava's models and in snnc's."""

    stock: list[float] = field(default_factory=list)
    fast: list[float] = field(default_factory=list)

    def cells(self) -> tuple[str, ...]:
        """Both medians and how many times as fast."""
        stock, fast = median(self.stock), median(self.fast)
        return f"{stock:.2f}", f"{fast:.2f}", f"{stock / fast:.0f}"


def frames(folder: str, steps: int) -> Array:
    """A film, (*shape, steps): an image and noise; the spiking network has a bias instead."""
    image = np.load(netx_data() / "gts" / folder / "input.npy")[..., :1].astype(np.int32)
    if folder == "pilotnet_lif":
        return np.broadcast_to(0 * image, (*image.shape[:-1], steps))
    noise = np.random.default_rng(0).integers(-4, 5, (steps, *image.shape[:-1]))
    return np.clip(image + np.moveaxis(noise, 0, -1), -255, 255).astype(np.int32)


def network_of(folder: str) -> Any:  # noqa: ANN401
    """As netx reads it, with the image of its test at the input."""
    from lava.lib.dl.netx.hdf5 import Network

    data = netx_data() / "gts" / folder
    network = Network(net_config=str(data / "network.net"))
    if (data / "image.npy").exists():
        scale = network.in_layer.transform
        image = np.load(data / "image.npy")
        network.in_layer.neuron.bias_mant.init = scale["weight"] * image + scale["bias"]
    return network


def processes(network: Any) -> Iterator[Any]:  # noqa: ANN401
    """Synapses and neurons in the order in which spikes pass them."""
    for layer in network.layers:
        yield from filter(None, (getattr(layer, "synapse", None), layer.neuron))


def convolutions(folder: str, steps: int, fast: Models) -> Pair:
    """Step each process by hand in both models; only convolutions count."""
    from lava.magma.compiler.compiler_graphs import ProcGroupDiGraphs
    from lava.magma.core.run_configs import Loihi2SimCfg

    stock = Loihi2SimCfg(select_tag="fixed_pt")
    chain = []
    for each in processes(network_of(folder)):
        own = stock.select(each, ProcGroupDiGraphs._find_proc_models(each))
        chain.append((each, Alone(each, own), Alone(each, fast[type(each)])))
    film, pair = frames(folder, WARM + steps), Pair()
    for step in range(WARM + steps):
        spent = _step(chain, film[..., step])
        if step >= WARM:
            pair.stock.append(spent[0])
            pair.fast.append(spent[1])
    return pair


def _step(chain: Sequence[tuple[Any, Alone, Alone]], sent: Array) -> list[float]:
    """Milliseconds of all convolutions in one time step."""
    spent = [0.0, 0.0]
    for process, *models in chain:
        heard = sent if sent.shape == _heard(process) else sent.T.reshape(-1)
        given = []
        for place, model in enumerate(models):
            begin = perf_counter()
            given.append(model.step(heard))
            if hasattr(process, "stride"):
                spent[place] += 1e3 * (perf_counter() - begin)
        sent = given[0]
        if not np.array_equal(*given):
            raise SystemExit(f"{process.name} differs")
    return spent


def _heard(process: Any) -> tuple[int, ...]:  # noqa: ANN401
    (port,) = process.in_ports
    return tuple(port.shape)


def whole(folder: str, steps: tuple[int, int], rounds: int, fast: Models) -> Pair:
    """Run the network in Lava, both sides in turns."""
    pair = Pair()
    for _ in range(rounds):
        stock, wanted = _run(folder, steps[0], {})
        quick, found = _run(folder, steps[1], fast)
        if not np.array_equal(wanted, found[..., : wanted.shape[-1]]):
            raise SystemExit(f"{folder}: outputs differ")
        pair.stock.append(stock)
        pair.fast.append(quick)
    return pair


def _run(folder: str, steps: int, models: Models) -> tuple[float, Array]:
    """Milliseconds of a time step, and what leaves the network from the first on."""
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg
    from lava.proc.io.sink import RingBuffer as Sink
    from lava.proc.io.source import RingBuffer as Source

    network = network_of(folder)
    sink = Sink(shape=network.out_layer.out.shape, buffer=WARM + steps)
    network.out_layer.out.connect(sink.a_in)
    if hasattr(network.in_layer.neuron, "act"):
        source = Source(data=frames(folder, WARM + steps))
        source.s_out.connect(network.in_layer.neuron.a_in)
    run_cfg = Loihi2SimCfg(select_tag="fixed_pt", exception_proc_model_map=dict(models))
    try:
        network.run(condition=RunSteps(num_steps=WARM), run_cfg=run_cfg)
        begin = perf_counter()
        network.run(condition=RunSteps(num_steps=steps), run_cfg=run_cfg)
        spent = 1e3 * (perf_counter() - begin) / steps
        return spent, np.asarray(sink.data.get())
    finally:
        network.stop()


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20, help="time steps in Lava's models")
    parser.add_argument("--fast-steps", type=int, default=200, help="time steps in snnc's")
    parser.add_argument("--rounds", type=int, default=3, help="of the whole network")
    options = parser.parse_args()
    load()
    with redirect_stdout(sys.stderr):  # lava-dl says what else it would like to have
        import lava.lib.dl.netx  # noqa: F401
    fast = snnc.fast_lava_models()
    rows = []
    for name, folder in NETWORKS.items():
        alone = convolutions(folder, options.steps, fast)
        rows.append((f"{name}, convolutions", *alone.cells()))
        print(*rows[-1], file=sys.stderr)
        pair = whole(folder, (options.steps, options.fast_steps), options.rounds, fast)
        rows.append((f"{name}, whole network", *pair.cells()))
        print(*rows[-1], file=sys.stderr)
    heads = ("ms for a time step", "Lava", "snnc", "times as fast")
    print_table(table_of_cells("the same numbers in every time step", heads, rows))


if __name__ == "__main__":
    main()
