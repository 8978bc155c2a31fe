from dataclasses import replace

import numpy as np
import pytest
from support.integer_law import evaluate
from support.spiking_networks import chain

from snnc.backends.onnx.golden.byte_convolution import ByteConvolution, byte_convolution
from snnc.compiler.inputs import GradedInput, Input
from snnc.compiler.laws import BitSerial, Readout
from snnc.compiler.spiking import Convolution, Dense, Population, Projection, SpikingNetwork
from snnc.runtime.engines.golden import Golden


def network(
    biases: np.ndarray, *, levels: int, step: int, weight: int = 1, source_levels: int = 255
) -> SpikingNetwork:
    """One pixel seen by a channel for each bias, each a 1x1 convolution, and a read-out."""
    channels = len(biases)
    conv = Convolution(np.full((channels, 1, 1, 1), weight))
    fired = BitSerial(np.full(channels, step), levels)
    populations = (
        Population("conv", (channels, 1, 1), (Projection("x", conv),), biases, fired),
        Population(
            "out",
            (channels,),
            (Projection("conv", Dense(np.eye(channels, dtype=np.int64))),),
            np.zeros(channels, np.int64),
            Readout(np.ones(channels)),
        ),
    )
    return SpikingNetwork(GradedInput("x", (1, 1, 1), source_levels, 0.0, 1.0), populations)


def constants(found: SpikingNetwork) -> ByteConvolution | None:
    return constants_of(found.populations[0], found.input)


def constants_of(population: Population, source: Input) -> ByteConvolution | None:
    staircase = population.neuron.staircase(population.bias, population.shape)
    return byte_convolution(population, staircase, source)


@pytest.mark.parametrize(
    ("levels", "step"), [(1, 1), (1, 2**22 - 1), (3, 3), (15, 255), (15, 2**18 - 1), (255, 8191)]
)
def test_every_threshold_is_met_exactly(levels: int, step: int) -> None:
    at = np.arange(-1, levels + 3) * step
    found = network(np.concatenate([at - 1, at, at + 1, at + step // 2]), levels=levels, step=step)
    assert constants(found) is not None
    pixels = np.arange(8, dtype=np.uint8).reshape(8, 1, 1, 1)
    potential = Golden(found, threads=1).run(pixels).potential
    expected = evaluate(found, pixels.astype(np.int64))["out"]
    np.testing.assert_array_equal(potential, expected)


@pytest.mark.parametrize(
    ("source_levels", "weight", "kind"),
    [(127, -128, "int8"), (255, -127, "uint8"), (255, 255, "uint8"), (255, -256, None)],
)
def test_weights_are_bytes_where_they_fit(source_levels: int, weight: int, kind: str) -> None:
    found = network(np.zeros(2, int), levels=7, step=5, weight=weight, source_levels=source_levels)
    made = constants(found)
    assert (None if made is None else made.weights.values.dtype.name) == kind
    pixels = np.array([0, 1, source_levels]).reshape(3, 1, 1, 1)
    expected = evaluate(found, pixels)["out"]
    np.testing.assert_array_equal(Golden(found, threads=1).run(pixels).potential, expected)


@pytest.mark.parametrize(
    ("levels", "step", "source_levels"), [(7, 4, 255), (15, 2**19 - 1, 255), (7, 5, 256)]
)
def test_what_bytes_would_not_give_exactly_takes_floats(
    levels: int, step: int, source_levels: int
) -> None:
    found = network(np.zeros(1, int), levels=levels, step=step, source_levels=source_levels)
    assert constants(found) is None


def test_matrices_maps_and_joins_take_floats() -> None:
    dense = chain()
    assert constants_of(dense.populations[0], dense.input) is None
    found = network(np.zeros(1, int), levels=7, step=5)
    conv, (projection,) = found.populations[0], found.populations[0].projections
    for other in (
        replace(conv, projections=(replace(projection, exponent=9),)),
        replace(conv, projections=(projection, projection)),
        replace(conv, bias=np.zeros((1, 1, 1), np.int64)),
    ):
        assert constants_of(other, found.input) is None


@pytest.mark.parametrize(
    ("exponent", "weight", "source_levels", "shift"),
    [(1, 1, 255, 0), (6, 1, 255, 0), (1, -128, 15, 1), (4, -128, 15, 4), (5, 127, 15, None)],
)
def test_an_exponent_is_taken_along_by_weights_or_by_numbers(
    exponent: int, weight: int, source_levels: int, shift: int | None
) -> None:
    found = network(np.arange(-8, 8), levels=7, step=5, weight=weight, source_levels=source_levels)
    conv, out = found.populations
    shifted = (replace(conv.projections[0], exponent=exponent),)
    found = found.replaced((replace(conv, projections=shifted), out))
    made = constants(found)
    assert (None if made is None else made.shift) == shift
    pixels = np.array([0, 1, 2, source_levels]).reshape(4, 1, 1, 1)
    expected = evaluate(found, pixels)["out"]
    np.testing.assert_array_equal(Golden(found, threads=1).run(pixels).potential, expected)
