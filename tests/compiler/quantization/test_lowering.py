"""Whole numbers for random layers: legal, near to the real ones, and as fine as there is room."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.layers import plain_layer

from snnc.compiler.errors import SnncError
from snnc.compiler.inputs import GradedInput
from snnc.compiler.laws import BitSerial, Integers, Rate, Readout
from snnc.compiler.network import Builder, Network
from snnc.compiler.operators import Add, Floats, MatMul, Source, Staircase
from snnc.compiler.quantization.feedback import Statistics
from snnc.compiler.quantization.layer import Layer, Precision, layer_of
from snnc.compiler.quantization.lowering import LoweringContext, on_levels, on_spikes, shown
from snnc.compiler.quantization.spikes import in_spikes
from snnc.compiler.quantization.whole_numbers import NotKept
from snnc.compiler.rules.legality import require_legal
from snnc.compiler.spiking import Dense, Population, Projection, SpikingNetwork
from snnc.compiler.target import LOIHI, STOCK, Target

SEEDS = st.integers(0, 2**32 - 1)
BITS = st.sampled_from([2, 4, 8, 16])
FIRST = 255
"""The levels of the input."""


@dataclass(frozen=True)
class Drawn:
    """A layer of channels of two neurons each, all of which read the same pixels."""

    network: Network
    levels: int
    statistics: dict[str, Statistics]

    @property
    def layer(self) -> Layer:
        found = layer_of(self.network.output, self.network.by_name, {"x": FIRST})
        seen = [self.statistics[e.name] for e in found.projections if self.statistics]
        return replace(found, statistics=tuple(seen))

    def sums(self, pixels: Integers) -> Floats:
        """The real sums with their biases (images, channels, 1, neurons)."""
        end = self.network.output
        name = end.sources[0] if isinstance(end.operator, Staircase) else end.name
        found = {"x": pixels.astype(float)}
        for node in self.network:
            if node.sources:
                found[node.name] = node.operator.apply(*(found[e] for e in node.sources))
        return found[name].reshape(len(pixels), -1, 1, 2)


def drawn(seed: int, *, fires: bool = True, seen: bool = False, whole: bool = False) -> Drawn:
    """One or two matrices, the second perhaps a shortcut, of any scale, signs and biases."""
    rng = np.random.default_rng(seed)
    channels, fan_in = (int(n) for n in rng.integers(1, 5, 2) * (1, 3))
    levels, builder = int(rng.choice([1, 3, 15, 255])), Builder()
    builder.add("x", Source((fan_in,)))
    scale = np.exp(rng.normal(-3, 1, (channels, 1)) - 0.5 * np.log(fan_in))
    signs = (lambda w: w, np.abs, lambda w: -np.abs(w))[rng.integers(3)]
    x = rng.integers(0, FIRST + 1, (50, fan_in)) * rng.integers(0, 2, fan_in)
    ends, statistics = [], {}
    shape = (channels, 1, 2) if rng.integers(2) else (channels, 2)
    for k in range(int(rng.integers(1, 3))):
        rows = (
            rng.integers(-3, 4, (channels, 2 * fan_in))
            if whole
            else rng.normal(size=(channels, 2 * fan_in))
        )
        rows.flat[::fan_in] += 1 if whole else 0
        weights = (signs(rows) * scale).reshape(2 * channels, fan_in)
        if k and rng.integers(2):
            weights *= np.arange(fan_in) == rng.integers(fan_in)
        bias = rng.normal(0, levels, channels * 2)
        bias = bias.reshape(shape)
        ends.append(builder.add(f"fc{k}", MatMul(weights, bias, shape), "x"))
        if seen:
            statistics[ends[-1]] = Statistics(np.cov(x.T).reshape(1, fan_in, -1))
    last = builder.add("add", Add(), *ends) if len(ends) > 1 else ends[0]
    last = builder.add("qcfs", Staircase(levels), last) if fires else last
    return Drawn(Network(builder.nodes(last)), levels, statistics)


def context(bits: int, target: Target = LOIHI) -> LoweringContext:
    names = {each: each for each in ("x", "fc0", "add", "qcfs")}
    return LoweringContext(names, Precision(target, bits))


def made(drawn: Drawn, population: Population) -> SpikingNetwork:
    """The population behind its pixels, and before a read-out if it fires."""
    fan_in = drawn.network.input.shape
    one = Dense(np.ones((1, population.size), np.int64))
    out = Population(
        "out", (1,), (Projection(population.name, one),), np.zeros(1, int), Readout(np.ones(1))
    )
    after = () if isinstance(population.neuron, Readout) else (out,)
    return SpikingNetwork(GradedInput("x", fan_in, FIRST, 0.0, 1.0), (population, *after))


def sums_of(population: Population, pixels: Integers) -> tuple[Integers, Integers]:
    """Whole sums with their biases, and the most that rounding each weight moves them."""
    total, moved = 0, 0
    for each in population.projections:
        flat = pixels @ each.connection.weights.T * 2**each.exponent
        total = total + flat.reshape(-1, *population.shape)
        moved = moved + pixels.sum(1)[:, None, None, None] * 2**each.exponent
    bias = population.bias.reshape(population.bias.shape + (1,) * (3 - population.bias.ndim))
    return total + bias, moved


def pixels_for(drawn: Drawn) -> Integers:
    rng = np.random.default_rng(0)
    return rng.integers(0, FIRST + 1, (20, *drawn.network.input.shape))


def columns(values: Floats) -> Floats:
    """Values of channels, over neurons (channels, 1, neurons)."""
    return values.reshape(-1, 1, 1)


@given(SEEDS, BITS, st.booleans())
@settings(max_examples=100, deadline=None)
def test_levels_are_near_the_real_ones(seed: int, bits: int, whole: bool) -> None:
    layer = drawn(seed, whole=whole)
    population = on_levels(layer.layer, layer.levels, context(bits), BitSerial).population
    assume(all(each.connection.weights.any() for each in population.projections))
    require_legal(made(layer, population))
    pixels, step = pixels_for(layer), columns(population.neuron.step)
    found, moved = sums_of(population, pixels)
    low, high = -1, layer.levels + 1
    off = np.clip(found / step, low, high) - np.clip(layer.sums(pixels), low, high)
    assert (np.abs(off) * step <= 0.5 * moved + 1 + 1e-6).all()


@given(SEEDS, BITS, st.booleans())
@settings(max_examples=60, deadline=None)
def test_logits_are_near_the_real_ones(seed: int, bits: int, whole: bool) -> None:
    layer = drawn(seed, fires=False, whole=whole)
    population = shown(layer.layer, context(bits)).population
    # a branch that rounds to nothing is refused
    assume(all(each.connection.weights.any() for each in population.projections))
    require_legal(made(layer, population))
    pixels, unit = pixels_for(layer), columns(population.neuron.unit)
    found, moved = sums_of(population, pixels)
    assert (np.abs(found - layer.sums(pixels) / unit) <= 0.5 * moved + 0.5 + 1e-6).all()


@given(SEEDS, BITS, st.integers(1, 9), *[st.booleans()] * 3)
@settings(max_examples=150, deadline=None)
def test_thresholds_of_one_step_are_near_the_real_ones(
    seed: int, bits: int, steps: int, whole: bool, still: bool, stock: bool
) -> None:
    """Of a current in every step, or of spikes that are worth all levels of their source."""
    layer, one = drawn(seed, whole=whole), np.ones(1, np.int64)
    constant, law = [still] * len(layer.layer.rows), Rate(one, 0 * one, steps)
    counted = in_spikes(layer.layer, constant, law, steady_is_exact=stock)
    lowering = context(min(bits, 8), STOCK) if stock else context(bits)
    try:
        lowered = on_spikes(counted, lowering, lambda theta: Rate(theta, theta // 2, steps))
    except SnncError:
        # a spike that is worth more than a threshold of weights that are small, or not shifted
        assert stock or bits == 2
        assert np.abs(counted.joined).max() > 0.3
        return
    population = lowered.population
    pixels, worth = (pixels_for(layer), 1) if still else (pixels_for(layer) & 1, FIRST)
    threshold = columns(population.neuron.threshold)
    if stock:
        # over the steps whose biases one neuron holds; v(0) is half of the way to the first spike
        times = 1 if still else steps
        most = population.bias.reshape(len(threshold), -1).max(1) * times
        assert (most - (threshold.ravel() // 2 if times > 1 else 0) <= STOCK.bias_max).all()
    found, moved = sums_of(population, pixels)
    rows = [*layer.layer.rows, layer.layer.bias]
    half = 0 if all(np.array_equal(each, np.round(each)) for each in rows) else 0.5
    real = (layer.sums(pixels * worth) - half) / layer.levels
    off = np.clip(found / threshold, -1, 2) - np.clip(real, -1, 2)
    assert (np.abs(off) * threshold <= 0.5 * moved + 1 + 1e-6).all()


def wide(fires: bool) -> Drawn:
    """Whole weights whose sums are too large for the state as they are."""
    builder = Builder()
    weights = np.tile([254.0, 253.0], (2, 150)) / 1000
    builder.add("x", Source((300,)))
    last = builder.add("fc0", MatMul(weights, np.zeros((1, 1, 2)), (1, 1, 2)), "x")
    last = builder.add("qcfs", Staircase(255), last) if fires else last
    return Drawn(Network(builder.nodes(last)), 255, {})


def test_whole_weights_that_do_not_fit_are_rounded_like_others() -> None:
    fired, read = wide(True), wide(False)
    lowered = on_levels(fired.layer, 255, context(8), BitSerial)
    assert lowered.rounded is not None
    require_legal(made(fired, lowered.population))
    require_legal(made(read, shown(read.layer, context(8)).population))


def test_whole_weights_give_way_where_one_channel_lacks_room_for_its_bias() -> None:
    layer = plain_layer(np.array([[1.0, -2.0], [3.0, 1.0]]) / 1000, bias=(0.0, 5.0))
    lowered = on_spikes(layer, context(8, STOCK), lambda step: Rate(step, step // 2, 1))
    population = lowered.population
    assert population.neuron.threshold.min() >= 1
    assert population.bias[0] == 0
    assert 0.7 * STOCK.bias_max < population.bias[1] <= STOCK.bias_max


def test_whole_weights_are_multiplied_as_often_as_their_biases_fit() -> None:
    layer = plain_layer(np.array([[1.0, -2.0], [3.0, 1.0]]) / 100, bias=(0.0, 9.0))
    lowered = on_spikes(layer, context(8, STOCK), lambda step: Rate(step, step // 2, 1))
    population = lowered.population
    assert population.neuron.threshold.tolist() == [6300, 400]
    assert population.bias.tolist() == [0, 3600]
    weights = population.projections[0].connection.weights
    assert weights.tolist() == [[63, -126], [12, 4]]


def test_small_spikes_leave_half_of_the_state_to_the_threshold() -> None:
    rows = np.random.default_rng(0).uniform(-1e-5, 1e-5, (2, 70))
    lowered = on_spikes(plain_layer(rows), context(8), lambda step: Rate(step, step // 2, 1))
    assert lowered.population.neuron.threshold.tolist() == [LOIHI.state_max // 4] * 2


@given(SEEDS, BITS)
@settings(max_examples=100, deadline=None)
def test_no_step_could_be_twice_as_large(seed: int, bits: int) -> None:
    """With the same shifts, twice Δ breaks a weight, a sum, or half of the state."""
    layer = drawn(seed)
    population = on_levels(layer.layer, layer.levels, context(bits), BitSerial).population
    step, state = population.neuron.step, LOIHI.state_max
    assert (step % 2 == 1).all()
    precision, held = context(bits).precision, layer.layer
    shifts = {each.source: [] for each in population.projections}
    full = 4 * step * (layer.levels + 1) > state
    for index, rows in enumerate(held.rows):
        top = precision.weight_max(rows, wide=bits > 8)
        least = min(each.exponent for each in population.projections)
        full |= 2 * step * held.peak(index) >= top << least
    full |= 2 * step * held.span > 0.9 * state
    assert full.all(), shifts


@given(SEEDS, BITS, st.booleans())
@settings(max_examples=60, deadline=None)
def test_an_error_is_what_rounding_changed_of_the_sums(seed: int, bits: int, seen: bool) -> None:
    layer = drawn(seed, fires=False, seen=seen)
    held, population = layer.layer, shown(layer.layer, context(bits)).population
    if len(held.rows) == 1:
        unit = population.neuron.unit[:, None, None]
        parts = [e.connection.weights * 2.0**e.exponent for e in population.projections]
        lost = held.rows[0] - sum(parts).reshape(held.rows[0].shape) * unit
        flat, lost = (each.reshape(-1, lost.shape[2]) for each in (held.rows[0], lost))
        size = [(each**2).sum() for each in (lost, flat)]
        if seen:
            covariance = held.statistics[0].covariance[0]
            size = [np.einsum("rf,fg,rg->", each, covariance, each) for each in (lost, flat)]
        expected = np.sqrt(max(size[0], 0) / size[1]) if size[1] > 0 else 0
        for each in population.projections:
            np.testing.assert_allclose(each.error, expected, atol=1e-9)


def test_floats_stand_for_whole_sums_half_a_unit_above_them() -> None:
    """So that none misses a threshold which the whole sum just reaches."""
    rows = np.random.default_rng(0).normal(size=(2, 40)) / 40
    layer = plain_layer(rows, bias=(0.3, -0.2))
    lowered = on_levels(layer, 7, context(4), BitSerial)
    population, became = lowered.population, lowered.rounded
    assert became is not None
    n = np.random.default_rng(1).integers(0, 8, (9, 40))
    real = n @ (rows - became.lost[0][:, 0]).T + layer.bias + became.shift
    (projection,) = population.projections
    whole = (n @ projection.connection.weights.T << projection.exponent) + population.bias
    np.testing.assert_allclose(real * population.neuron.step, whole + 0.5)


def test_of_whole_weights_that_no_synapse_holds_the_bits_are_the_reason() -> None:
    """And not that two of them meet."""
    rows = np.random.default_rng(0).integers(-100, 101, (2, 2, 40)) / 1e5
    found = on_levels(plain_layer(*rows), 7, context(4), BitSerial).whole
    assert isinstance(found, NotKept)
    assert found.what.startswith("they span -1")
