from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from snnc.compiler.operators import linear
from snnc.compiler.operators.linear import Conv


@pytest.fixture
def conv() -> Conv:
    weights = np.random.default_rng(0).normal(size=(4, 2, 5, 5))
    return Conv(weights, np.zeros(4), (1, 2), (2, 2, 2, 1), (1, 1), groups=2)


def test_a_convolution_is_the_same_in_any_blocks(
    conv: Conv, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = np.random.default_rng(1).normal(size=(3, 4, 9, 8))
    whole = conv.apply(x)
    for block in (1, 1000, 7000):
        monkeypatch.setattr(linear, "BLOCK", block)
        np.testing.assert_allclose(conv.apply(x), whole, rtol=1e-12)


def test_the_windows_of_a_large_map_are_laid_out_in_blocks(
    conv: Conv, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear, "BLOCK", 1 << 16)
    x = np.ones((1, 4, 512, 256))
    tracemalloc.start()
    conv.apply(x)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 5 * x.nbytes  # all of them at once take 12 times as much as the map
