from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.spiking_networks import chain, chain_of, networks, networks_of

from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import BitsInput, GradedInput, PlanesInput
from snnc.compiler.laws import (
    BitSerial,
    Copies,
    Firing,
    Graded,
    OffsetSpike,
    Rate,
    Readout,
)
from snnc.compiler.limits import LEAST_REAL, MOST_REAL
from snnc.compiler.rules.bounds import connection_bounds, sum_bounds
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.rules.numbers import SMALLER
from snnc.compiler.rules.structure import REBUILD
from snnc.compiler.spiking import Convolution, Dense, Population, Projection, SpikingNetwork
from snnc.compiler.target import LOIHI, LOIHI1, STOCK, Target

Change = Callable[[SpikingNetwork], SpikingNetwork]


def problems(network: SpikingNetwork, target: Target = LOIHI) -> list[str]:
    with pytest.raises(SnncError) as caught:
        require_legal(replace(network, target=target))
    return list(map(str, caught.value.problems))


def with_fc(**changes: Any) -> SpikingNetwork:
    fc, out = chain().populations
    return chain().replaced((replace(fc, **changes), out))


def with_weights(*weights: int, exponent: int = 0) -> SpikingNetwork:
    return with_fc(projections=(Projection("x", Dense(np.array([weights])), exponent),))


def with_neuron(**changes: Any) -> SpikingNetwork:
    return with_fc(neuron=replace(BitSerial(np.array([5]), 7), **changes))


def with_input(**changes: Any) -> SpikingNetwork:
    return replace(chain(), input=replace(chain().input, **changes))


def with_unit(*unit: float) -> SpikingNetwork:
    fc, out = chain().populations
    return chain().replaced((fc, replace(out, neuron=Readout(np.array(unit)))))


def plane(shape: tuple[int, ...], *weights: int, **geometry: Any) -> SpikingNetwork:
    """A 2x4x4 input, one convolution to a shape, and a read-out."""
    conv = Convolution(np.ones(weights, np.int64), **geometry)
    channels, size = shape[0], int(np.prod(shape))
    firing = BitSerial(np.ones(channels, np.int64), 1)
    zeros = np.zeros(channels, np.int64)
    out = Dense(np.ones((1, size), np.int64))
    return SpikingNetwork(
        GradedInput("x", (2, 4, 4), 3, 0.0, 1.0),
        (
            Population("conv", shape, (Projection("x", conv),), zeros, firing),
            Population("out", (1,), (Projection("conv", out),), zeros[:1], Readout(np.ones(1))),
        ),
    )


@given(networks_of())
@settings(max_examples=60, deadline=None)
def test_what_the_strategy_makes_is_legal(network: SpikingNetwork) -> None:
    require_legal(network)


WEIGHTS = "-128..127, even -256..254, 0..255 or -255..0"
ILLEGAL = {
    "mixed": (with_weights(-127, 128), f"fc: weights from x span -127..128; allowed: {WEIGHTS}"),
    "odd": (with_weights(-129, 2), f"fc: weights from x span -129..2; allowed: {WEIGHTS}"),
    "even": (with_weights(-258, 2), f"fc: weights from x span -258..2; allowed: {WEIGHTS}"),
    "positive": (with_weights(0, 256), f"fc: weights from x span 0..256; allowed: {WEIGHTS}"),
    "above 0": (with_weights(-255, 1), f"fc: weights from x span -255..1; allowed: {WEIGHTS}"),
    "odd below 0": (
        with_weights(-256, -1),
        f"fc: weights from x span -256..-1; allowed: {WEIGHTS}",
    ),
    "negative": (with_weights(0, -257), f"fc: weights from x span -257..0; allowed: {WEIGHTS}"),
}


@pytest.mark.parametrize(("network", "expected"), ILLEGAL.values(), ids=ILLEGAL)
def test_illegal_weights(network: SpikingNetwork, expected: str) -> None:
    assert problems(network) == [f"{expected}\n  help: compile with fewer `weight_bits`"]


@pytest.mark.parametrize(
    "weights", [(-128, 127), (-256, 254), (0, 255), (-255, 0), (1, 255), (-201, -201)]
)
def test_legal_weights(weights: tuple[int, ...]) -> None:
    require_legal(with_weights(*weights))


NUMBERS = {
    "all zero": (
        with_weights(0, 0),
        "fc: all weights from x are 0; allowed: at least one other",
        "compile with more `weight_bits`, or remove the branch",
    ),
    "exponent": (with_weights(1, 1, exponent=8), "fc: weight exponent 8; allowed: 0..7", SMALLER),
    "no level": (
        with_neuron(levels=0),
        "fc: 0 levels, step 5; allowed: each at least 1",
        REBUILD,
    ),
    "no step": (
        with_neuron(step=np.array([0])),
        "fc: 7 levels, step 0; allowed: each at least 1",
        REBUILD,
    ),
    "ceiling": (
        with_neuron(step=np.array([2**20 + 1]), levels=7),
        "fc: threshold reaches 8388615; allowed: up to 8388607",
        SMALLER,
    ),
    "threshold": (
        with_neuron(step=np.array([2**20]), levels=8),
        "fc: threshold reaches 9437183; allowed: up to 8388607",
        SMALLER,
    ),
    "unit": (with_unit(0.0), "out: a unit is not finite and above 0", REBUILD),
    "infinite unit": (with_unit(np.inf), "out: a unit is not finite and above 0", REBUILD),
    "input levels": (
        with_input(levels=0),
        "x: 0 levels; allowed: 1..8388607",
        "choose other `input_bits`",
    ),
    "input range": (
        with_input(low=np.nan),
        "x: range from nan in steps of 0.00392157; allowed: finite, upwards",
        "choose another `input_range`",
    ),
    "mean": (
        with_input(mean=(1.0, 2.0, 3.0)),
        "x: mean (1.0, 2.0, 3.0); allowed: 1 or 2 finite numbers",
        "choose another `mean`",
    ),
    "std": (with_input(std=(0.0,)), "x: std (0.0,) is not above 0", "choose another `std`"),
}


@pytest.mark.parametrize(("network", "what", "mend"), NUMBERS.values(), ids=NUMBERS)
def test_illegal_numbers(network: SpikingNetwork, what: str, mend: str) -> None:
    assert problems(network) == [f"{what}\n  help: {mend}"]


@pytest.mark.parametrize("sign", [1, -1])
def test_real_numbers_have_ends(sign: int) -> None:
    most, beyond = sign * MOST_REAL, sign * MOST_REAL * 1.01
    require_legal(with_input(low=most, mean=(most, 0.0), step=MOST_REAL, std=(LEAST_REAL,)))
    require_legal(with_input(step=LEAST_REAL, std=(MOST_REAL, 1.0)))
    for name, values in (("low", beyond), ("mean", (0.0, beyond)), ("std", (1.0, beyond))):
        assert problems(with_input(**{name: values}))


def test_of_many_numbers_the_first_are_shown() -> None:
    (eight,) = problems(with_input(mean=(1.5,) * 8))
    assert f"mean ({', '.join(['1.5'] * 8)}); allowed" in eight
    (nine,) = problems(with_input(mean=(1.5,) * 9))
    assert f"mean ({', '.join(['1.5'] * 8)}, …); allowed" in nine


ONE = np.array([1])


def rate(threshold: int = 700, initial: int = 350, steps: int = 5) -> SpikingNetwork:
    return chain_of(Rate(threshold * ONE, initial * ONE, steps))


def offset(rho: int = 4, iterations: int = 1) -> SpikingNetwork:
    return chain_of(OffsetSpike(700 * ONE, 350 * ONE, 5, rho, iterations))


def copies(
    *thresholds: int, weight: int = 3, exponent: int = 0, bias: int = 0, **changes: Any
) -> SpikingNetwork:
    """Stock neurons."""
    network = chain_of(Copies(np.array(thresholds or (9, 99))[:, None]), bias=bias)
    fc, out = network.populations
    projection = Projection("x", Dense(np.array([[weight, weight]])), exponent)
    return network.replaced((replace(fc, projections=(projection,), **changes), out))


def with_readout(network: SpikingNetwork, time_steps: int) -> SpikingNetwork:
    *firing, out = network.populations
    neuron = replace(out.neuron, time_steps=time_steps)
    return network.replaced((*firing, replace(out, neuron=neuron)))


def with_current(network: SpikingNetwork, **changes: Any) -> SpikingNetwork:
    return replace(network, input=replace(network.input, **changes))


def with_stranger(network: SpikingNetwork, neuron: Firing) -> SpikingNetwork:
    """Another population between the two of a chain."""
    fc, out = network.populations
    one = (Projection("fc", Dense(np.ones((1, 1), np.int64))),)
    other = replace(fc, name="other", projections=one, neuron=neuron)
    return network.replaced((fc, other, replace(out, projections=(replace(*one, source="other"),))))


CODED = {
    "high threshold": (
        copies(0, 2**17),
        "fc: thresholds span 0..131072; allowed: 0..131071",
        SMALLER,
    ),
    "low threshold": (copies(-1, 5), "fc: thresholds span -1..5; allowed: 0..131071", SMALLER),
    "falling": (copies(5, 9, 8), "fc: thresholds of its copies fall", REBUILD),
    "bias": (copies(bias=4096), "fc: bias reaches 4096; allowed: up to 4095", SMALLER),
    "low bias": (copies(bias=-4096), "fc: bias reaches 4096; allowed: up to 4095", SMALLER),
    "sum": (
        copies(weight=255, bias=1022),
        "fc: its sum with the bias spans 1022..131072; allowed: -131072..131071",
        SMALLER,
    ),
    "exponent": (copies(exponent=1), "fc: weight exponent 1; allowed: 0..0", SMALLER),
    "another kind": (
        with_stranger(copies(), Graded(ONE, 3)),
        "other: it is no stock neuron, and others are; allowed: one kind",
        REBUILD,
    ),
    "high start": (
        rate(initial=700),
        "fc: initial potential 700..700; allowed: from 0 to below the threshold",
        REBUILD,
    ),
    "low start": (
        rate(initial=-1),
        "fc: initial potential -1..-1; allowed: from 0 to below the threshold",
        REBUILD,
    ),
    "no threshold": (
        rate(threshold=0, initial=0),
        "fc: 5 levels, step 0; allowed: each at least 1",
        REBUILD,
    ),
    "rho": (offset(rho=0), "fc: time steps (5, 0, 1); allowed: each at least 1", REBUILD),
    "iterations": (
        with_current(offset(iterations=0), turn=6),
        "fc: time steps (5, 4, 0); allowed: each at least 1",
        REBUILD,
    ),
    "turns": (
        with_current(rate(), turn=4),
        "x, fc: time steps differ: 4, 5; allowed: one number",
        REBUILD,
    ),
    "counts": (
        with_readout(rate(), 4),
        "fc, out: time steps differ: 4, 5; allowed: one number",
        REBUILD,
    ),
    "bits as spikes": (
        with_readout(chain(), 3),
        "out: fc sends 'bits'; allowed: 'spikes'",
        REBUILD,
    ),
    "spikes as bits": (
        with_readout(rate(), 0),
        "out: fc sends 'spikes'; allowed: 'bits', 'once'",
        REBUILD,
    ),
    "bits for a current": (
        replace(rate(), input=BitsInput("x", (2,), 255, 0.0, 1.0)),
        "fc: x sends 'bits'; allowed: 'spikes'",
        REBUILD,
    ),
}


@pytest.mark.parametrize(("network", "what", "mend"), CODED.values(), ids=CODED)
def test_illegal_codes(network: SpikingNetwork, what: str, mend: str) -> None:
    assert f"{what}\n  help: {mend}" in problems(network)


@pytest.mark.parametrize(
    "network",
    [
        copies(),
        copies(0, 2**17 - 1),
        copies(weight=255, bias=1021),
        copies(bias=-4095),
        copies(5, 5),
    ],
)
def test_the_limits_of_stock_neurons_are_legal(network: SpikingNetwork) -> None:
    require_legal(network)
    x = network.input
    bits = PlanesInput(x.name, x.shape, 1, x.low, x.step, planes=1)
    require_legal(replace(network, input=bits, target=LOIHI1))


def test_a_readout_counts_no_more_of_a_current_than_there_is() -> None:
    fc, out = rate(steps=2).populations
    out = replace(out, projections=fc.projections)
    network = replace(rate(steps=2), schedule="sequential").replaced((out,))
    require_legal(network)
    what = "out: counts 3 time steps of a current; allowed: up to 2"
    assert problems(with_readout(network, 3)) == [f"{what}\n  help: {REBUILD}"]


@pytest.mark.parametrize("network", [chain(), rate(), offset(), chain_of(Graded(ONE, 7))])
def test_loihi_1_has_stock_neurons_alone(network: SpikingNetwork) -> None:
    what = "fc: it is no stock neuron; loihi1 has no others"
    assert f"{what}\n  help: compile with `code='one-spike'`" in problems(network, LOIHI1)


def test_loihi_1_has_no_graded_spikes() -> None:
    (problem,) = problems(copies(), LOIHI1)
    assert problem.startswith("x: 'graded' on loihi1, which has no graded spikes; allowed: 'bits'")


def test_the_largest_threshold_is_legal() -> None:
    require_legal(with_neuron(step=np.array([2**20]), levels=7))


ROOM = 2**23 - 1 - 255 * 6


def test_a_sum_may_fill_the_state() -> None:
    require_legal(with_fc(bias=np.array([ROOM])))
    require_legal(with_fc(bias=np.array([-(2**23)])))


@pytest.mark.parametrize(
    ("bias", "span"),
    [(ROOM + 1, "8387078..8388608"), (-(2**23) - 1, "-8388609..-8387079")],
)
def test_a_sum_beyond_the_state_is_refused(bias: int, span: str) -> None:
    what = f"its sum with the bias spans {span}; allowed: -8388608..8388607"
    assert problems(with_fc(bias=np.array([bias]))) == [f"fc: {what}\n  help: {SMALLER}"]


def test_a_sum_is_held_to_the_state_before_its_bias_too() -> None:
    weights = np.full((1, 260), 127)
    wide = replace(with_weights(1, 1, exponent=0), input=replace(chain().input, shape=(260,)))
    fc, out = wide.populations
    fc = replace(fc, projections=(Projection("x", Dense(weights), 0),), bias=np.array([-50000]))
    assert problems(wide.replaced((fc, out))) == [
        "fc: its sum without the bias spans 0..8420100; allowed: -8388608..8388607\n"
        f"  help: {SMALLER}"
    ]


STRUCTURE = {
    "no source": (with_fc(projections=()), "fc: it has no source; at least 1 is needed"),
    "dense size": (
        with_weights(1, 2, 3),
        "fc: x dense weights (1, 3); allowed: (1, 2)",
    ),
    "bias": (with_fc(bias=np.zeros(2, int)), "fc: bias of shape (2,); allowed: (1,)"),
    "step": (with_neuron(step=np.ones(2, int)), "fc: thresholds of shape (2,); allowed: (1,)"),
    "unit": (with_unit(1.0, 2.0), "out: units of shape (2,); allowed: (1,)"),
    "conv shape": (plane((1, 4, 4), 1, 2, 3, 3), "conv: x gives (1, 2, 2); allowed: (1, 4, 4)"),
    "conv axes": (
        plane((1, 4, 4), 1, 2, 3),
        "conv: x convolves (2, 4, 4) with (1, 2, 3); allowed: 3 and 4 axes",
    ),
    "groups": (
        plane((1, 2, 2), 1, 2, 3, 3, groups=2),
        "conv: x has 1 kernels of 2 channels in 2 groups; allowed: groups that divide 2 channels",
    ),
    "stride": (
        plane((1, 2, 2), 1, 2, 3, 3, strides=(0, 1)),
        "conv: x has a stride, dilation or group below 1, or a pad below 0",
    ),
}


@pytest.mark.parametrize(("network", "what"), STRUCTURE.values(), ids=STRUCTURE)
def test_broken_structure(network: SpikingNetwork, what: str) -> None:
    assert problems(network) == [f"{what}\n  help: {REBUILD}"]


@pytest.mark.parametrize(
    "geometry", [{"strides": ((1 << 28) + 1, 1)}, {"pads": (0, 0, 0, (1 << 28) + 1)}]
)
def test_a_stride_alone_or_a_pad_alone_is_too_large(geometry: dict[str, Any]) -> None:
    with pytest.raises(SnncError, match=r"conv: .* has a stride, dilation or group outside 1"):
        require_legal(plane((1, 1, 3), 1, 2, 2, 2, **geometry))


def test_convolutions_of_every_geometry_fit() -> None:
    require_legal(plane((1, 4, 4), 1, 2, 3, 3, pads=(1, 1, 1, 1)))
    require_legal(plane((2, 2, 1), 2, 1, 2, 2, strides=(1, 3), dilations=(2, 1), groups=2))
    require_legal(plane((1, 4, 4), 1, 2, 4, 2, pads=(1, 0, 2, 1)))


def test_a_source_comes_first() -> None:
    fc, out = chain().populations
    later = replace(fc, projections=(Projection("later", fc.projections[0].connection),))
    what = "fc: its source 'later' is not a node before it that fires"
    assert problems(chain().replaced((later, out))) == [f"{what}\n  help: {REBUILD}"]


def test_names_are_unique_and_printable() -> None:
    assert problems(with_fc(name="x"))[0] == (
        f"x: two nodes have this name; one is allowed\n  help: {REBUILD}"
    )
    assert problems(with_fc(name=""))[0] == (
        "'': the name is not printable\n  help: rename the node in the model"
    )


def test_the_readout_is_the_last_and_only_one() -> None:
    fc, out = chain().populations
    expected = f"of 2 populations are read-outs; allowed: 1, the last\n  help: {REBUILD}"
    assert f"x: 1 {expected}" in problems(chain().replaced((out, fc)))
    first = replace(fc, neuron=Readout(np.ones(1)))
    assert f"x: 2 {expected}" in problems(chain().replaced((first, out)))


def test_a_shape_has_channels_and_maybe_a_plane() -> None:
    assert problems(with_input(shape=(2, 1)))[0] == (
        "x: shape (2, 1); allowed: 1 or 3 extents, each at least 1\n"
        "  help: give the model a fixed input size"
    )
    assert problems(with_input(shape=(0,)))[0].startswith("x: shape (0,); allowed")


def skipping() -> SpikingNetwork:
    """The read-out of a chain listens to the input as well."""
    fc, out = chain().populations
    short = Projection("x", Dense(np.ones((1, 2), np.int64)))
    return chain().replaced((fc, replace(out, projections=(*out.projections, short))))


def test_a_shortcut_mixes_images_in_a_pipeline() -> None:
    assert problems(skipping()) == [
        "out: its sources arrive in steps 2..4, 1..1 and an image every 3; allowed: windows that "
        "end together or never meet, before the next image's\n"
        "  help: compile with the other `schedule`"
    ]
    require_legal(replace(skipping(), schedule="sequential"))


def test_a_neuron_that_counts_spikes_hears_all_sources_at_once() -> None:
    network = replace(rate(steps=1), schedule="sequential")
    require_legal(network)
    fc, out = network.populations
    short = Projection("x", Dense(np.ones((1, 2), np.int64)))
    out = replace(out, projections=(*out.projections, short))
    (problem,) = problems(network.replaced((fc, out)))
    assert problem.startswith("out: its sources arrive in steps 2..2, 1..1 and an image every 3")


def two_neurons(network: SpikingNetwork, **changes: Any) -> SpikingNetwork:
    """The firing neuron twice, with other numbers for both."""
    fc, out = network.populations
    neuron = replace(fc.neuron, **{k: np.repeat(v, 2, -1) for k, v in arrays_of(fc.neuron)})
    twice = Projection("x", Dense(np.ones((2, 2), np.int64)))
    fc = replace(fc, shape=(2,), neuron=neuron, **{"projections": (twice,), **changes})
    one = Projection("fc", Dense(np.ones((1, 2), np.int64)))
    return network.replaced((fc, replace(out, projections=(one,))))


def arrays_of(neuron: Firing) -> list[tuple[str, np.ndarray]]:
    return [(k, v) for k, v in vars(neuron).items() if isinstance(v, np.ndarray)]


@pytest.mark.parametrize("order", [1, -1])
def test_every_neuron_is_held_to_the_limits(order: int) -> None:
    for network, bias in (
        (chain(), 2**23),
        (chain(), -(2**23) - 1),
        (copies(), STOCK.bias_max + 1),
        (copies(), -STOCK.bias_max - 1),
    ):
        require_legal(two_neurons(network, bias=np.zeros(2, int)))
        (problem,) = problems(two_neurons(network, bias=np.array([0, bias][::order])))
        assert problem.startswith("fc: ")
    for sign in (1, -1):
        far = Projection("x", Dense(sign * np.array([[130, 130], [0, 1]][::order])), 7)
        found = problems(two_neurons(chain(), projections=(far,), bias=np.zeros(2, int)))
        assert ["8486400" in each for each in found] == [True, True]


def join(levels: int) -> SpikingNetwork:
    """Two populations that hear the input, of 7 and of other levels, and one that hears both."""
    fc, out = chain().populations
    other = replace(fc, name="other", neuron=BitSerial(np.array([5]), levels))
    one = np.ones((1, 1), np.int64)
    both = (Projection("fc", Dense(one)), Projection("other", Dense(one)))
    return chain().replaced((fc, other, replace(out, projections=both)))


def test_windows_of_one_neuron_end_together() -> None:
    require_legal(join(levels=5))
    (problem,) = problems(join(levels=3))
    assert problem.startswith("out: its sources arrive in steps 2..4, 2..3 and")
    require_legal(replace(join(levels=3), schedule="sequential"))


def test_all_problems_are_said_at_once() -> None:
    network = replace(with_unit(-1.0), input=replace(chain().input, step=0.0))
    assert [each.split(":")[0] for each in problems(network)] == ["x", "out"]


@given(networks(), st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_bounds_are_reached_and_never_passed(network: SpikingNetwork, seed: int) -> None:
    dense, levels = network.readout.projections[0], network.populations[-2].neuron
    assert isinstance(levels, Firing)
    weights = dense.connection.weights
    bounds = connection_bounds(dense.connection, levels.levels)
    any_levels = np.random.default_rng(seed).integers(0, levels.levels + 1, weights.shape[1])
    assert (bounds.low <= weights @ any_levels).all()
    assert (weights @ any_levels <= bounds.high).all()
    assert (np.sum(weights * (weights > 0) * levels.levels, axis=1) == bounds.high).all()
    assert (np.sum(weights * (weights < 0) * levels.levels, axis=1) == bounds.low).all()


def test_bounds_of_a_convolution_are_per_channel() -> None:
    network = plane((2, 3, 3), 2, 2, 2, 2)
    bounds = sum_bounds(network.populations[0], network.nodes)
    assert (bounds.low.tolist(), bounds.high.tolist()) == ([0, 0], [24, 24])


def test_bounds_add_up_over_projections_and_exponents() -> None:
    network = with_weights(-2, 3, exponent=2)
    (fc, _), nodes = network.populations, network.nodes
    twice = replace(fc, projections=(*fc.projections, Projection("x", Dense(np.ones((1, 2), int)))))
    bounds = sum_bounds(twice, nodes)
    assert (bounds.low.tolist(), bounds.high.tolist()) == ([-2040], [3570])


def test_bounds_of_a_dense_projection_onto_a_plane_are_per_neuron() -> None:
    weights = np.arange(4).reshape(4, 1) - 1
    dense = Population(
        "p", (1, 2, 2), (Projection("x", Dense(weights)),), np.zeros(1, int), Readout(np.ones(1))
    )
    bounds = sum_bounds(dense, {"x": GradedInput("x", (1,), 10, 0.0, 1.0)})
    assert (str(bounds), bounds.high.tolist()) == ("-10..20", [[[0, 0], [10, 20]]])
