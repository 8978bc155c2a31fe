import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snnc.compiler.laws import Copies
from snnc.compiler.limits import COPIES
from snnc.compiler.target import STOCK

SHAPE = (2, 1, 3)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
@settings(max_examples=150, deadline=None)
def test_as_many_copies_fire_as_the_staircase_has_levels(seed: int, copies: int) -> None:
    rng = np.random.default_rng(seed)
    of_neurons = SHAPE if rng.integers(2) else SHAPE[:1]
    first = rng.integers(0, 9, of_neurons)
    alike = rng.integers(0, 4, (1, 2) if rng.integers(3) else (copies, 2))
    rises = alike.reshape(*alike.shape, *(1,) * (first.ndim - 1)) * np.ones_like(first)
    rises = rises + (rng.integers(0, 2, first.shape) if not rng.integers(4) else 0)
    rises = np.broadcast_to(rises, (copies, *first.shape))[1:]
    neuron = Copies(np.concatenate([first[None], first + np.cumsum(rises, axis=0)]))
    bias = rng.integers(-5, 6, SHAPE if rng.integers(2) else SHAPE[:1])
    found = neuron.staircase(bias, SHAPE)
    step = rises[0].reshape(2, -1) if copies > 1 else np.ones((2, 1))
    regular = (rises == rises[:1]).all() and (step == step[:, :1]).all() and (step >= 1).all()
    assert (found is not None) == regular
    if found is not None:
        sums = np.arange(-30, 31).reshape(-1, 1, 1, 1)
        per = [each.reshape(*each.shape, *(1,) * (3 - each.ndim)) for each in neuron.thresholds]
        known = bias.reshape(*bias.shape, *(1,) * (3 - bias.ndim))
        fired = sum((sums + known > each).astype(int) for each in per)
        start = found.bias.reshape(*found.bias.shape, *(1,) * (3 - found.bias.ndim))
        levels = (sums + start) // found.step.reshape(2, 1, 1)
        np.testing.assert_array_equal(np.clip(levels, 0, found.levels) + 0 * fired, fired)
        assert found.levels == copies


@pytest.mark.parametrize(
    ("thresholds", "faults"),
    [
        ([0, STOCK.threshold_max], []),
        ([-1, 5], ["thresholds span -1..5; allowed: 0..131071"]),
        ([5, 5, STOCK.threshold_max + 1], ["thresholds span 5..131072; allowed: 0..131071"]),
        ([5, 4], ["thresholds of its copies fall"]),
        ([5] * COPIES.most, []),
        ([5] * (COPIES.most + 1), ["131073 copies; allowed: 1..131072"]),
    ],
)
def test_thresholds_rise_within_17_bits(thresholds: list[int], faults: list[str]) -> None:
    neuron = Copies(np.repeat(np.array(thresholds)[:, None], 2, 1))
    found = [*neuron.faults(0)]
    assert [each.what for each in found] == faults
    assert all(each.is_size != each.what.endswith("fall") for each in found)
    mixed = Copies(np.stack([np.full(len(thresholds), 5), np.array(thresholds)], 1))
    assert len([*mixed.faults(0)]) == len(faults)
