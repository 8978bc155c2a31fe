"""Each fast model against the model of Lava that it stands for, in every time step."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.lava_alone import Alone

pytest.importorskip("lava.magma")
pytestmark = [
    pytest.mark.lava,
    pytest.mark.filterwarnings("ignore:.*Lava's own model"),
    pytest.mark.filterwarnings("ignore:invalid value encountered in cast"),
]

STEPS = 6
BITS = st.sampled_from([1, 8, 16, 24, 31])
"""Of payloads, up to where every sum overflows."""


def compare(
    process: Any,
    stock: Any,
    inputs: npt.NDArray[Any],
    variables: tuple[str, ...],
    dtype: type = np.int32,
) -> None:
    """Both models get the same, (steps, sources, *shape), and send and remember the same."""
    from snnc.runtime.lava_models import fast_lava_models

    model = fast_lava_models()[type(process)]
    assert issubclass(model, stock)
    wanted, found = (Alone(process, each, dtype, inputs.shape[1]) for each in (stock, model))
    for numbers in inputs:
        np.testing.assert_array_equal(found.step(*numbers), wanted.step(*numbers))
        for name in variables:
            ours, theirs = getattr(found.model, name), getattr(wanted.model, name)
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
            assert ours.dtype == theirs.dtype, name


def payloads(draw: st.DrawFn, shape: tuple[int, ...], bits: int) -> npt.NDArray[np.int32]:
    """Sparse, of both signs."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    numbers = rng.integers(-(1 << bits), 1 << bits, (STEPS, 1, *shape))
    return np.where(rng.random(numbers.shape) < 0.3, numbers, 0).astype(np.int32)


@st.composite
def convolutions(draw: st.DrawFn) -> tuple[Any, npt.NDArray[np.int32]]:
    """A `Conv` and what it receives."""
    from lava.proc.conv.process import Conv

    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    groups = draw(st.integers(1, 3))
    kernel = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
    widest = draw(st.sampled_from([1, 128, 1 << 12, 1 << 20]))
    per_group, out = draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    shape = (draw(st.integers(7, 9)), draw(st.integers(7, 9)), groups * per_group)
    process = Conv(
        weight=rng.integers(-widest, widest + 1, (out, *kernel, per_group)),
        input_shape=shape,
        stride=draw(pairs),
        padding=draw(st.tuples(st.integers(0, 2), st.integers(0, 2))),
        dilation=draw(pairs),
        groups=groups,
        num_message_bits=draw(st.sampled_from([0, 8])),
    )
    return process, payloads(draw, shape, draw(BITS))


@given(convolutions())
@settings(max_examples=50)
def test_convolutions(drawn: tuple[Any, npt.NDArray[np.int32]]) -> None:
    from lava.proc.conv.models import PyConvModelFixed

    process, inputs = drawn
    compare(process, PyConvModelFixed, inputs, ("a_buf",))


@st.composite
def matrices(draw: st.DrawFn, *, delays: bool) -> tuple[Any, npt.NDArray[np.int32]]:
    """A `Dense` or `DelayDense` and what it receives."""
    from lava.proc.dense.process import DelayDense, Dense
    from lava.utils.weightutils import SignMode

    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 40)))
    low, high = draw(st.sampled_from([(-128, 128), (-300, 300), (0, 256), (-255, 1)]))
    options = {
        "weights": rng.integers(low, high, shape),
        "weight_exp": draw(st.integers(-3, 3)),
        "num_weight_bits": draw(st.integers(5, 8)),
        "num_message_bits": draw(st.sampled_from([0, 8])),
        **draw(st.sampled_from([{}, {"sign_mode": SignMode.MIXED}])),
    }
    if delays:
        longest = draw(st.integers(0, 5))
        options |= {"delays": rng.integers(0, longest + 1, shape), "max_delay": 5}
    process = (DelayDense if delays else Dense)(**options)
    return process, payloads(draw, shape[1:], draw(BITS))


@given(matrices(delays=False))
@settings(max_examples=50)
def test_matrices(drawn: tuple[Any, npt.NDArray[np.int32]]) -> None:
    from lava.proc.dense.models import PyDenseModelBitAcc

    process, inputs = drawn
    compare(process, PyDenseModelBitAcc, inputs, ("a_buff", "weights"))


@given(matrices(delays=True))
@settings(max_examples=30)
def test_matrices_with_delays(drawn: tuple[Any, npt.NDArray[np.int32]]) -> None:
    from lava.proc.dense.models import PyDelayDenseModelBitAcc

    process, inputs = drawn
    compare(process, PyDelayDenseModelBitAcc, inputs, ("a_buff", "weights"))


@st.composite
def neurons(draw: st.DrawFn) -> tuple[Any, npt.NDArray[np.int32]]:
    """A `LIF` or `LIFReset` and what it receives."""
    from lava.proc.lif.process import LIF, LIFReset

    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    shape = draw(st.sampled_from([(5,), (3, 2, 4)]))
    states = draw(st.sampled_from([1 << 10, 1 << 23, 1 << 30]))
    edges = np.array([1, -1]) * states
    decay = st.sampled_from([-5000, -1, 0, 1, 409, 4094, 4095, 4096, 5000])
    options = {
        "shape": shape,
        "u": np.where(
            rng.random(shape) < 0.3, rng.choice(edges, shape), rng.integers(*-edges, shape)
        ),
        "v": rng.integers(-states, states, shape),
        "du": draw(decay),
        "dv": draw(decay),
        "bias_mant": rng.integers(-4096, 4096, shape),
        "bias_exp": draw(st.sampled_from([0, 6, 7, -2])),
        "vth": draw(st.one_of(st.integers(0, 1 << 17), st.just(rng.integers(0, 1 << 17, shape)))),
    }
    if draw(st.booleans()):
        process: Any = LIFReset(**options, reset_interval=3, reset_offset=1)
    else:
        process = LIF(**options)
    return process, payloads(draw, shape, draw(st.sampled_from([4, 17, 23, 31])))


@given(neurons())
@settings(max_examples=100)
def test_neurons(drawn: tuple[Any, npt.NDArray[np.int32]]) -> None:
    from lava.proc.lif.models import PyLifModelBitAcc, PyLifResetModelBitAcc
    from lava.proc.lif.process import LIF

    process, inputs = drawn
    stock = PyLifModelBitAcc if type(process) is LIF else PyLifResetModelBitAcc
    compare(process, stock, inputs, ("u", "v"))


@given(st.data())
@settings(max_examples=30)
def test_sigma_and_delta(data: st.DataObject) -> None:
    from lava.proc.sdn import models, process

    rng = np.random.default_rng(data.draw(st.integers(0, 1 << 32)))
    shape = (3, 2, 4)
    kind = data.draw(st.sampled_from(["Sigma", "Delta", "SigmaDelta"]))
    options: dict[str, Any] = {"shape": shape}
    if kind != "Sigma":
        names = {"spike_exp": st.integers(0, 6), "state_exp": st.integers(0, 6)}
        options |= {name: data.draw(each) for name, each in names.items()}
        options |= {"vth": data.draw(st.integers(0, 100)), "cum_error": data.draw(st.booleans())}
    if kind == "SigmaDelta":
        options["bias"] = rng.integers(-1000, 1000, shape)
    inputs = data.draw(st.builds(lambda bits: payloads(data.draw, shape, bits), BITS))
    stock = getattr(models, f"Py{kind}ModelFixed")
    names = {"Sigma": ("sigma",), "Delta": ("act", "residue", "error")}
    variables = names.get(kind, (*names["Sigma"], *names["Delta"]))
    compare(getattr(process, kind)(**options), stock, inputs, variables)


@pytest.mark.parametrize("dtype", [np.int32, np.int8, np.bool_, np.float64])
@pytest.mark.parametrize("sources", [0, 1, 3])
def test_ports_add_as_lava_adds(dtype: type, sources: int) -> None:
    from lava.proc.conv.models import PyConvModelFixed
    from lava.proc.conv.process import Conv
    from lava.proc.lif.models import PyLifModelBitAcc
    from lava.proc.lif.process import LIF

    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 120, (STEPS, sources, 4, 4, 2))
    weight = rng.integers(-128, 128, (3, 2, 2, 2))
    compare(
        Conv(weight=weight, input_shape=(4, 4, 2), num_message_bits=8),
        PyConvModelFixed,
        inputs,
        ("a_buf",),
        dtype,
    )
    if dtype != np.float64:  # Lava shifts what arrives
        compare(LIF(shape=(4, 4, 2), vth=9, dv=99), PyLifModelBitAcc, inputs, ("u", "v"), dtype)


def test_states_that_came_through_a_port() -> None:
    """A `Reset` leaves 64-bit states behind."""
    from lava.proc.lif.models import PyLifModelBitAcc
    from lava.proc.lif.process import LIF

    from snnc.runtime.lava_models import fast_lava_models

    process = LIF(shape=(5,), du=400, dv=90, bias_mant=7, bias_exp=6, vth=100)
    pair = [Alone(process, each) for each in (PyLifModelBitAcc, fast_lava_models()[LIF])]
    rng = np.random.default_rng(1)
    for reset in (0, 1 << 22, 1 << 40, None, None):
        arrived = rng.integers(-100, 100, 5)
        for each in pair:
            if reset is not None:
                each.model.u, each.model.v = np.full(5, reset), np.full(5, -reset)
                each.model.bias_mant = np.full(5, reset % 4093)
        found, wanted = (each.step(arrived) for each in pair)
        np.testing.assert_array_equal(found, wanted)
        np.testing.assert_array_equal(pair[0].model.v, pair[1].model.v)


def test_what_floats_do_not_hold_is_left_to_lava() -> None:
    from lava.proc.conv.models import PyConvModelFixed
    from lava.proc.conv.process import Conv

    heavy = Conv(weight=np.full((1, 2, 2, 1), 1 << 23), input_shape=(3, 3, 1), num_message_bits=8)
    inputs = np.arange(STEPS * 9).reshape(STEPS, 1, 3, 3, 1)
    with pytest.warns(UserWarning, match="Conv: the weights of a target add up to 33,554,432"):
        compare(heavy, PyConvModelFixed, inputs, ("a_buf",))


def test_what_doubles_do_not_hold_is_left_to_lava() -> None:
    """Payloads of 64 bits, and a sum that is small after all: Lava loses the middle of it."""
    from lava.proc.conv.models import PyConvModelFixed
    from lava.proc.conv.process import Conv

    weight = np.array([1 << 20, 1, -(1 << 20)]).reshape(1, 3, 1, 1)
    process = Conv(weight=weight, input_shape=(3, 1, 1), num_message_bits=8)
    inputs = np.resize(np.array([1 << 40, 1, 1 << 40]), (STEPS, 1, 3, 1, 1))
    compare(process, PyConvModelFixed, inputs, ("a_buf",), np.int64)


def test_edges_of_states_and_products() -> None:
    from lava.proc.dense.models import PyDelayDenseModelBitAcc
    from lava.proc.dense.process import DelayDense
    from lava.proc.lif.models import PyLifModelBitAcc
    from lava.proc.lif.process import LIF

    for edge in (*range((1 << 23) - 1, (1 << 23) + 2), *range(-(1 << 23) - 1, 2 - (1 << 23))):
        neuron = LIF(shape=(1,), u=edge, du=-1, dv=4096, vth=1 << 16)
        compare(neuron, PyLifModelBitAcc, np.zeros((2, 1, 1), int), ("u", "v"))
    synapse = DelayDense(
        weights=np.array([[128, -128]]),
        delays=np.array([[0, 1]]),
        max_delay=1,
        weight_exp=-1,
        num_message_bits=8,
    )
    inputs = np.resize(np.array([(1 << 24) - 1, 1 << 24, -(1 << 24)]), (STEPS, 1, 2))
    compare(synapse, PyDelayDenseModelBitAcc, inputs, ("a_buff",))


@pytest.mark.parametrize("kind", ["LIF", "Conv", "Dense", "DelayDense"])
def test_variables_that_the_host_writes(kind: str) -> None:
    """Lava writes into arrays and says so; numbers it replaces."""
    from lava.magma.compiler.compiler_graphs import ProcGroupDiGraphs
    from lava.proc.conv.process import Conv
    from lava.proc.dense.process import DelayDense, Dense
    from lava.proc.lif.process import LIF

    from snnc.runtime.lava_models import fast_lava_models

    even = 2 * np.arange(-8, 8).reshape(4, 4)
    delays = np.arange(16).reshape(4, 4) % 3
    process, name, shape = {
        "LIF": (
            LIF(shape=(4,), vth=999, du=99, bias_mant=np.arange(4), bias_exp=6),
            "bias_mant",
            4,
        ),
        "Conv": (Conv(weight=even[..., None, None], input_shape=(6, 1, 1)), "weight", (6, 1, 1)),
        "Dense": (Dense(weights=even), "weights", 4),
        "DelayDense": (DelayDense(weights=even, delays=delays, max_delay=2), "weights", 4),
    }[kind]
    found = ProcGroupDiGraphs._find_proc_models(process)
    stock = next(each for each in found if "fixed_pt" in each.tags)
    pair = [Alone(process, each) for each in (stock, fast_lava_models()[type(process)])]
    for step in range(STEPS):
        sent = np.resize(np.arange(step, 12), shape)
        np.testing.assert_array_equal(*(each.step(sent) for each in pair))
        if kind == "LIF":
            np.testing.assert_array_equal(*(each.model.v for each in pair))
        for each in pair:
            if kind == "LIF" and step == 2:
                each.model.du = each.model.dv = 2000
                continue
            getattr(each.model, name)[...] += 2 * step
            each.model.on_var_update()
