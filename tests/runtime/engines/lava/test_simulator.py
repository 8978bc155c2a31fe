"""The Lava simulation, against NumPy, against stock Lava, and when something goes wrong."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import BitsInput, GradedInput, Input
from snnc.compiler.laws import BitSerial, Firing, Integers, Neuron, Readout
from snnc.compiler.laws.base import per_neuron
from snnc.compiler.spiking import (
    Connection,
    Convolution,
    Dense,
    Population,
    Projection,
    Schedule,
    SpikingNetwork,
)
from snnc.runtime.engines import installing
from snnc.runtime.engines.base import Chunk
from snnc.runtime.engines.lava import lifetime, simulator
from snnc.runtime.engines.lava.kernels import Kernel
from snnc.runtime.engines.lava.parts import Synapses
from snnc.runtime.engines.lava.simulator import simulate

pytest.importorskip("lava.magma")
pytestmark = pytest.mark.lava

RNG = np.random.default_rng(0)
SHARED = Path("/dev/shm")
Lava: TypeAlias = Any


@pytest.fixture(autouse=True)
def _nothing_left_behind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every process and every piece of shared memory that a test makes is gone when it ends."""
    from lava.magma.runtime.message_infrastructure import multiprocessing as lava

    names: list[str] = []
    create = lava.SharedMemoryManager.create_shared_memory

    def note(manager: Lava, size: int) -> Lava:
        handle = create(manager, size)
        names.append(handle.name)
        return handle

    monkeypatch.setattr(lava.SharedMemoryManager, "create_shared_memory", note)
    usual = signal.getsignal(signal.SIGINT)
    before = children_of(os.getpid())
    yield
    assert not [each for each in names if (SHARED / each).exists()]
    assert signal.getsignal(signal.SIGINT) is usual
    left = {pid for pid in children_of(os.getpid()) - before if alive(pid)}
    assert not [pid for pid in left if "resource_tracker" not in command(pid)]


def children_of(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for task in tasks for child in task.read_text().split()}


def command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


# The networks


def weights(*shape: int) -> Integers:
    return RNG.integers(-20, 21, shape)


def population(
    name: str,
    shape: tuple[int, ...],
    levels: int,
    *sources: tuple[str, Connection],
    exponent: int = 0,
    bias_map: bool = False,
) -> Population:
    """Fires if it has levels; otherwise it is a read-out."""
    step = RNG.integers(20, 400, shape[0])
    neuron: Neuron = BitSerial(step, levels) if levels else Readout(np.ones(shape[0]))
    bias = RNG.integers(-200, 600, shape if bias_map else shape[:1])
    projections = tuple(Projection(*each, exponent) for each in sources)
    return Population(name, shape, projections, bias, neuron)


def chain(kind: type[Input], schedule: Schedule) -> SpikingNetwork:
    """Everything a projection can be, and numbers of levels with and without a ceiling."""
    uneven = Convolution(weights(8, 3, 3, 2), (2, 1), (1, 0, 2, 1), (1, 2))
    depthwise = Convolution(weights(8, 1, 3, 3), pads=(1, 1, 1, 1), groups=8)
    grouped = Convolution(weights(4, 4, 1, 1), groups=2)
    return SpikingNetwork(
        kind("x", (3, 9, 7), 200, 0.0, 1.0),
        (
            population("uneven", (8, 5, 6), 15, ("x", uneven), bias_map=True),
            population("depthwise", (8, 5, 6), 5, ("uneven", depthwise), exponent=2),
            population("grouped", (4, 5, 6), 1, ("depthwise", grouped)),
            population("dense", (11,), 7, ("grouped", Dense(weights(11, 120)))),
            population("denser", (9,), 15, ("dense", Dense(weights(9, 11)))),
            population("out", (5,), 0, ("denser", Dense(weights(5, 9)))),
        ),
        schedule,
    )


def diamond() -> SpikingNetwork:
    """Two branches meet in time."""
    kernel = (weights(4, 2, 3, 3), weights(4, 2, 3, 3))
    left, right = (Convolution(each, pads=(1, 1, 1, 1)) for each in kernel)
    joins = (("left", Dense(weights(6, 64))), ("right", Dense(weights(6, 64))))
    return SpikingNetwork(
        GradedInput("x", (2, 4, 4), 255, 0.0, 1.0),
        (
            population("left", (4, 4, 4), 15, ("x", left)),
            population("right", (4, 4, 4), 11, ("x", right)),
            population("join", (6,), 3, *joins),
            population("out", (3,), 0, ("join", Dense(weights(3, 6)))),
        ),
    )


def skips() -> SpikingNetwork:
    """Sources that arrive one after another, as only the sequential schedule allows."""
    branch = Convolution(weights(2, 2, 3, 3), pads=(1, 1, 1, 1))
    identity = Convolution(np.full((2, 1, 1, 1), 9), groups=2)
    joins = (("x", identity), ("branch", branch))
    late = (("join", Dense(weights(3, 32))), ("x", Dense(weights(3, 32))))
    return SpikingNetwork(
        GradedInput("x", (2, 4, 4), 255, 0.0, 1.0),
        (
            population("branch", (2, 4, 4), 15, ("x", branch)),
            population("join", (2, 4, 4), 7, *joins),
            population("out", (3,), 0, *late),
        ),
        "sequential",
    )


def small(weight: int = 3, exponent: int = 0) -> SpikingNetwork:
    projection = (("x", Dense(np.full((2, 2), weight))),)
    return SpikingNetwork(
        GradedInput("x", (2,), 255, 0.0, 1.0),
        (
            population("fc", (2,), 7, *projection, exponent=exponent),
            population("out", (2,), 0, ("fc", Dense(weights(2, 2)))),
        ),
    )


def images_for(network: SpikingNetwork, count: int) -> npt.NDArray[np.int64]:
    return RNG.integers(0, network.input.levels + 1, (count, *network.input.shape))


# What they mean


def convolve(source: Integers, of: Convolution) -> Integers:
    """Σ w·n over one image (channels, height, width)."""
    top, left, bottom, right = of.pads
    padded = np.pad(source, ((0, 0), (top, bottom), (left, right)))
    extent = [1 + d * (k - 1) for d, k in zip(of.dilations, of.weights.shape[2:], strict=True)]
    views = np.lib.stride_tricks.sliding_window_view(padded, extent, (1, 2))  # type: ignore[call-overload]
    (down, across), (tall, wide) = of.strides, of.dilations
    views = views[:, ::down, ::across, ::tall, ::wide]
    sources = np.split(views, of.groups)
    kernels = np.split(of.weights, of.groups)
    parts = [np.einsum("chwyx,ocyx->ohw", s, k) for s, k in zip(sources, kernels, strict=True)]
    return np.concatenate(parts)


def evaluate(network: SpikingNetwork, image: Integers) -> dict[str, Integers]:
    """The levels of every population, and the potentials of the read-out."""
    values = {network.input.name: image}
    for each in network:
        z = per_neuron(each.bias, each.shape).astype(np.int64) + np.zeros(each.shape, np.int64)
        for projection in each.projections:
            source, connection = values[projection.source], projection.connection
            dense = isinstance(connection, Dense)
            sums = (
                connection.weights @ source.ravel() if dense else convolve(source, connection)  # type: ignore[arg-type]
            )
            z += sums.reshape(each.shape) << projection.exponent
        if isinstance(each.neuron, Firing):
            step = per_neuron(each.neuron.step, each.shape).astype(np.int64)
            z = np.clip(z // step, 0, each.neuron.levels)
        values[each.name] = z
    return values


def assert_chunks_equal(network: SpikingNetwork, images: Integers, chunks: list[Chunk]) -> None:
    expected = [evaluate(network, image) for image in images]
    assert [each.first for each in chunks] == np.cumsum(
        [0, *(len(each.logits) for each in chunks[:-1])]
    ).tolist()
    logits = np.concatenate([each.logits for each in chunks])
    np.testing.assert_array_equal(logits, [each["out"] for each in expected])
    for each in network.populations[:-1]:
        packed = np.concatenate([chunk.spikes[each.name] for chunk in chunks])
        bits = np.unpackbits(packed, axis=-1, count=each.size)
        weights = 2 ** np.arange(bits.shape[1])[::-1]
        levels = np.einsum("itn,t->in", bits.astype(np.int64), weights)
        wanted = np.array([values[each.name].ravel() for values in expected])
        assert wanted.any(), f"{each.name} never fires: this network tests nothing"
        np.testing.assert_array_equal(levels, wanted)


@pytest.mark.parametrize(
    "network",
    [
        chain(GradedInput, "pipelined"),
        chain(BitsInput, "pipelined"),
        chain(BitsInput, "sequential"),
        diamond(),
        skips(),
    ],
    ids=["graded-pipelined", "bits-pipelined", "bits-sequential", "diamond", "skips"],
)
@pytest.mark.parametrize("model", ["layers", "network"])
def test_every_level_and_potential_equals_the_integer_arithmetic(
    network: SpikingNetwork, model: simulator.LavaModel
) -> None:
    images = images_for(network, 6)
    assert_chunks_equal(network, images, list(simulate(network, [images], chunk=4, model=model)))


def test_one_run_streams_more_images_than_memory_holds() -> None:
    network = chain(GradedInput, "pipelined")
    images = images_for(network, 50)
    batches = np.split(images, [1, 2, 20, 20])
    chunks = list(simulate(network, iter(batches), chunk=1))
    assert_chunks_equal(network, images, chunks)
    assert len(chunks) > 40


def test_no_image_gives_no_result() -> None:
    assert list(simulate(small(), [])) == []


def test_the_iterator_can_be_closed_early() -> None:
    network = small()
    chunks = simulate(network, (images_for(network, 4) for _ in iter(int, 1)), chunk=4)
    assert next(chunks).first == 0
    chunks.close()  # type: ignore[attr-defined]


# Against Lava's own synapses


def arrivals(synapse: Lava, spikes: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Send spikes (…, time steps) through a Process; give what arrives behind it."""
    from lava.proc.io import sink, source

    steps = spikes.shape[-1]
    sender = source.RingBuffer(data=spikes)
    receiver = sink.RingBuffer(shape=synapse.a_out.shape, buffer=steps)
    sender.s_out.connect(synapse.s_in)
    synapse.a_out.connect(receiver.a_in)
    with lifetime.running(sender) as run:
        run.advance(steps)
        return np.asarray(receiver.data.get(), np.int64)


def ours(connection: Connection, source_shape: tuple[int, ...], shape: tuple[int, ...]) -> Lava:
    from snnc.runtime.engines.lava.processes.synapse import Synapse

    kernel = Kernel(Projection("x", connection), GradedInput("x", source_shape, 1, 0.0, 1.0), shape)
    return Synapse(synapses=Synapses("x", kernel), source_shape=source_shape, shape=shape)


def test_synapse_equals_lavas_dense() -> None:
    from lava.proc.dense.process import Dense as LavaDense

    even = 2 * weights(3, 5)
    spikes = RNG.integers(0, 2, (5, 6)).astype(np.int32)
    expected = arrivals(LavaDense(weights=even, num_message_bits=8), spikes)
    assert not expected[:, 0].any()
    assert expected[:, 1:].any()
    np.testing.assert_array_equal(arrivals(ours(Dense(even), (5,), (3,)), spikes), expected)


def test_synapse_equals_lavas_convolution() -> None:
    """Lava's axes are x, y, channel, and it convolves where ONNX correlates."""
    from lava.proc.conv.process import Conv

    kernel, pad, stride = weights(4, 2, 3, 2), 1, (2, 1)
    spikes = RNG.integers(0, 2, (2, 5, 4, 5)).astype(np.int32)
    stock = Conv(
        weight=kernel[:, :, ::-1, ::-1].transpose(0, 3, 2, 1),
        input_shape=(4, 5, 2),
        padding=pad,
        stride=stride[::-1],
        num_message_bits=8,
    )
    expected = arrivals(stock, np.ascontiguousarray(spikes.transpose(2, 1, 0, 3)))
    expected = expected.transpose(2, 1, 0, 3)
    found = ours(Convolution(kernel, stride, (pad,) * 4), (2, 5, 4), expected.shape[:3])
    assert not expected[..., 0].any()
    np.testing.assert_array_equal(arrivals(found, spikes), expected)


# When something goes wrong


def test_a_state_that_overflows_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulator, "require_legal", lambda network: None)
    network = small(weight=127, exponent=8)
    with pytest.raises(SnncError, match=r"^fc: \d+ values left the signed 24 bits of its states"):
        list(simulate(network, [np.full((3, 2), 255)]))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((1, 2), 256), r"^x: levels 256\.\.256, allowed are 0\.\.255"),
        (np.zeros((1, 3), int), r"^x: images of shape \(3,\), the network takes \(2,\)"),
    ],
)
def test_images_the_input_cannot_send_are_refused(images: Integers, message: str) -> None:
    with pytest.raises(SnncError, match=message):
        list(simulate(small(), [images]))


def fail(kernel: Kernel, spikes: npt.NDArray[np.uint8]) -> None:
    raise ZeroDivisionError("the kernel broke")


def die(kernel: Kernel, spikes: npt.NDArray[np.uint8]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("act", "reason"),
    [(fail, "ZeroDivisionError: the kernel broke"), (die, "exit status -9")],
)
def test_a_process_that_ends_early_is_an_error(
    act: Callable[..., None], reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kernel, "__call__", act)
    with pytest.raises(SnncError, match=reason):
        list(simulate(small(), [images_for(small(), 3)]))


def test_a_process_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from snnc.runtime.engines.lava.processes.source import ImageSourceModel

    monkeypatch.setattr(ImageSourceModel, "__init__", fail)
    with pytest.raises(ZeroDivisionError):
        list(simulate(small(), [images_for(small(), 3)]))


def test_forked_processes_collect_nothing_of_the_host() -> None:
    class Cycle:
        itself: object

    cycle = Cycle()
    cycle.itself = cycle
    left = weakref.ref(cycle)
    del cycle
    before = gc.get_freeze_count()
    with lifetime._no_inheritance():
        assert left() is None
        assert gc.get_freeze_count() > before
    assert gc.get_freeze_count() == 0


def test_lava_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "find_spec", lambda name: None)
    with pytest.raises(SnncError, match=r"Lava: lava is not installed\n.*snnc\[lava\]"):
        list(simulate(small(), []))


ENDLESS = f"""
import itertools, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_simulator import images_for, small, simulate
network = small()
for chunk in simulate(network, (images_for(network, 8) for _ in itertools.count()), chunk=8):
    if chunk.first > 20:
        print("running", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_everything(number: signal.Signals) -> None:
    """Ctrl-C reaches the whole process group; the other signals reach the host alone."""
    host = subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert host.stdout is not None
    assert host.stdout.readline() == "running\n"
    children = children_of(host.pid)
    maps = Path(f"/proc/{host.pid}/maps").read_text().split()
    names = [Path(each) for each in maps if each.startswith("/dev/shm/")]
    assert len(children) > 5
    assert names
    (os.killpg if number == signal.SIGINT else os.kill)(host.pid, number)
    _, said = host.communicate(timeout=20)
    assert host.returncode == -number
    assert number != signal.SIGINT or said.strip().endswith("KeyboardInterrupt")
    assert said.count("Traceback") <= 1
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(map(alive, children)):
        time.sleep(0.05)
    assert not [each for each in children if alive(each)]
    assert not [each for each in names if each.exists()]


def test_importing_the_package_does_not_import_lava() -> None:
    code = "import sys, snnc.runtime.engines.lava.simulator; sys.exit('lava' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
