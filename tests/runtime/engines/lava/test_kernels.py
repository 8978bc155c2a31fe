"""Sums of a projection, in bytes or in floats, against int64."""

from __future__ import annotations

import numpy as np
import pytest
from support.integer_law import convolve

from snnc.compiler.inputs import ChangesInput, GradedInput
from snnc.compiler.spiking import Convolution, Dense, Projection
from snnc.runtime.engines.lava.kernels import Kernel

RNG = np.random.default_rng(3)
POOLED = RNG.integers(-128, 128, (6, 3, 2, 2)).repeat(2, 2).repeat(2, 3)
CONNECTIONS = {
    "convolution": Convolution(RNG.integers(-128, 128, (6, 3, 3, 3)), pads=(1, 1, 1, 1)),
    "groups": Convolution(RNG.integers(-20, 20, (6, 1, 3, 3)), (2, 1), (1, 0, 1, 2), groups=3),
    "pooled": Convolution(POOLED, (2, 2), (2, 2, 2, 2)),
    "one sign": Convolution(RNG.integers(0, 256, (6, 3, 3, 3)), pads=(1, 1, 1, 1)),
    "nine bits": Convolution(2 * RNG.integers(-128, 128, (6, 3, 3, 3)), pads=(1, 1, 1, 1)),
    "few places": Convolution(RNG.integers(-128, 128, (6, 3, 7, 7))),
    "dense": Dense(RNG.integers(-128, 128, (5, 3 * 8 * 8))),
    "wide dense": Dense(RNG.integers(-256, 256, (5, 3 * 8 * 8))),
}


def weighed(connection: Convolution | Dense, sent: np.ndarray) -> np.ndarray:
    if isinstance(connection, Convolution):
        return convolve(connection, sent)
    return sent.reshape(len(sent), -1) @ connection.weights.T


@pytest.mark.parametrize("levels", [1, 60, 255, 300])
@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
def test_sums_are_exact(connection: Convolution | Dense, levels: int) -> None:
    projection = Projection("x", connection, 2)
    source = GradedInput("x", (3, 8, 8), levels, 0.0, 1.0)
    sent = np.full((3, *source.shape), levels, np.int32)
    sent[1] = RNG.integers(0, levels + 1, source.shape)
    wanted = 4 * weighed(connection, sent)
    kernel = Kernel(projection, source, wanted.shape[1:])
    for spikes, sums in zip(sent, wanted, strict=True):
        np.testing.assert_array_equal(kernel(spikes), sums)
    assert not kernel(0 * sent[0]).any()


@pytest.mark.parametrize("connection", CONNECTIONS.values(), ids=CONNECTIONS)
def test_changes_have_signs(connection: Convolution | Dense) -> None:
    projection = Projection("x", connection)
    source = ChangesInput("x", (3, 8, 8), 15, 0.0, 1.0)
    sent = RNG.integers(-15, 16, (1, *source.shape)).astype(np.int32)
    wanted = weighed(connection, sent)
    kernel = Kernel(projection, source, wanted.shape[1:])
    np.testing.assert_array_equal(kernel(sent[0]), wanted[0])
