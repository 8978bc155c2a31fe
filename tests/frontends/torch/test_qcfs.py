from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnc.compiler.errors import SnncError

torch = pytest.importorskip("torch")
from snnc.frontends.torch import QCFS
from snnc.frontends.torch.qcfs import SMALLEST_THRESHOLD

pytestmark = pytest.mark.torch

LEVELS = st.integers(1, 255)
THRESHOLDS = st.floats(0.01, 100)
ACROSS = np.linspace(-1, 2, 1009)


@given(LEVELS, THRESHOLDS)
def test_qcfs_is_the_published_staircase(levels: int, threshold: float) -> None:
    x = (ACROSS * threshold).astype(np.float32)
    layer = QCFS(levels, threshold)
    exact = x.astype(np.float64) * levels / layer.threshold.item()
    clear = np.abs(exact % 1 - 0.5) > 1e-3
    expected = np.clip(np.floor(exact + 0.5), 0, levels) * layer.threshold.item() / levels
    with torch.no_grad():
        found = layer(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found[clear], expected[clear], rtol=1e-6)


@given(LEVELS, st.integers(-3, 3))
def test_ties_go_up(levels: int, exponent: int) -> None:
    step = 2.0**exponent
    ties = torch.arange(-1, levels + 1) * step + step / 2
    expected = (torch.arange(levels + 2) * step).clamp(max=levels * step)
    assert torch.equal(QCFS(levels, levels * step)(ties), expected)


@given(LEVELS, THRESHOLDS)
def test_gradient_passes_between_zero_and_the_threshold_alone(
    levels: int, threshold: float
) -> None:
    x = torch.tensor(ACROSS, requires_grad=True)
    layer = QCFS(levels, threshold).double()
    layer(x * threshold).sum().backward()
    inside = (ACROSS > 0) & (ACROSS < 1)
    away = np.abs(ACROSS - ACROSS.round()) > 1e-6
    np.testing.assert_allclose(x.grad.numpy()[away] / threshold, inside[away], rtol=1e-9)


def test_threshold_learns_from_saturation_and_from_rounding() -> None:
    x = torch.tensor([-1.0, 0.4, 0.6, 7.0])
    layer = QCFS(levels=2, threshold=2.0)
    (gradient,) = torch.autograd.grad(
        (layer(x) * torch.tensor([1.0, 10, 100, 1000])).sum(), layer.threshold
    )
    rounding = 10 * (0.0 - 0.2) + 100 * (0.5 - 0.3)
    assert gradient.item() == pytest.approx(rounding + 1000)


def test_threshold_stays_positive_whatever_the_optimizer_does() -> None:
    layer = QCFS(levels=3)
    layer.threshold.data.fill_(-5)
    assert layer(torch.ones(2)).tolist() == pytest.approx([SMALLEST_THRESHOLD] * 2)
    layer.threshold.data.fill_(-5)
    assert layer.eval().threshold.item() == pytest.approx(SMALLEST_THRESHOLD)


def test_levels_are_kept_in_training_alone() -> None:
    layer = QCFS(levels=3, threshold=3.0)
    layer(torch.tensor([0.2, 2.1, 9.0], requires_grad=True))
    assert layer.numbers.tolist() == [0, 2, 3]
    assert layer.numbers.requires_grad
    layer.eval()(torch.ones(1))
    assert layer.numbers is None


def test_a_layer_that_has_run_can_be_copied_and_pickled() -> None:
    layer = QCFS(levels=3)
    layer(torch.ones(1))
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert (twin.levels, twin.threshold.item(), twin.numbers) == (3, 4.0, None)
    assert layer.numbers is not None
    assert list(layer.state_dict()) == ["threshold"]


def test_a_layer_prints_its_staircase() -> None:
    assert str(QCFS(levels=7, threshold=2.5)) == "QCFS(levels=7, threshold=2.5)"


@pytest.mark.parametrize(
    ("levels", "threshold", "message"),
    [
        (0, 1.0, "QCFS: levels is 0, the least is 1\n  help: use 3, 7 or 15"),
        (
            7,
            0.0,
            "QCFS: threshold is 0, it must be positive and finite\n"
            "  help: start near the largest pre-activation",
        ),
        (
            7,
            math.nan,
            "QCFS: threshold is nan, it must be positive and finite\n"
            "  help: start near the largest pre-activation",
        ),
    ],
)
def test_impossible_staircases_are_refused(levels: int, threshold: float, message: str) -> None:
    with pytest.raises(SnncError) as caught:
        QCFS(levels, threshold)
    assert str(caught.value) == message
