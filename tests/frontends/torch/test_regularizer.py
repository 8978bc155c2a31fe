from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnc.compiler.errors import SnncError

torch = pytest.importorskip("torch")
from torch import nn

from snnc.frontends.torch import QCFS, bit_l1, spikes_per_image

pytestmark = pytest.mark.torch

LEVELS = st.integers(1, 255)


def staircase(levels: int) -> nn.Sequential:
    """Whole numbers are its levels."""
    return nn.Sequential(QCFS(levels, threshold=levels))


@given(LEVELS, st.integers(1, 5), st.data())
def test_both_counts_are_the_ones_in_the_levels(
    levels: int, images: int, data: st.DataObject
) -> None:
    numbers = data.draw(st.lists(st.integers(0, levels), min_size=images, max_size=images))
    x = torch.tensor(numbers)[:, None].float()
    model = staircase(levels)
    model(x)
    ones = sum(bin(number).count("1") for number in numbers)
    assert bit_l1(model).item() == pytest.approx(ones / images)
    assert spikes_per_image(model, x) == pytest.approx(ones / images)


def test_layers_add_up() -> None:
    model = nn.Sequential(QCFS(7, threshold=7.0), QCFS(3, threshold=3.0))
    x = torch.tensor([[5.0, 6.0], [1.0, 7.0]])
    model(x)
    assert bit_l1(model).item() == ((2 + 2 + 1 + 3) + (2 + 2 + 1 + 2)) / 2
    assert spikes_per_image(model, x) == bit_l1_after(model, x)


def bit_l1_after(model: nn.Module, x: torch.Tensor) -> float:
    model(x)
    return bit_l1(model).item()


@given(LEVELS)
def test_gradient_never_asks_for_a_higher_level(levels: int) -> None:
    x = torch.arange(levels + 1.0)[:, None].requires_grad_()
    model = staircase(levels)
    model(x)
    bit_l1(model).backward()
    assert (x.grad >= 0).all()
    assert x.grad[1:].any()


def test_gradient_is_the_sum_over_the_triangles() -> None:
    x = torch.tensor([[1.0], [2.0], [3.0]], requires_grad=True)
    model = staircase(3)
    model(x)
    bit_l1(model).backward()
    high = torch.tensor([[0.5], [1.0], [0.5]]) / 2
    low = torch.tensor([[1.0], [0.0], [1.0]])
    torch.testing.assert_close(x.grad * 3, high + low * (1 - 2 * high))


def test_descent_saves_spikes() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), QCFS(15))
    x = torch.rand(32, 8) * 4
    before = spikes_per_image(model, x)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(5):
        model(x)
        optimizer.zero_grad()
        bit_l1(model).backward()
        optimizer.step()
    assert spikes_per_image(model, x) < 0.8 * before


def test_counting_leaves_the_model_as_it_is() -> None:
    model = nn.Sequential(nn.BatchNorm1d(1), nn.Dropout().eval(), QCFS(3))
    spikes_per_image(model, torch.rand(4, 1))
    assert [each.training for each in model] == [True, False, True]
    assert model[0].num_batches_tracked == 0
    assert not model[2]._forward_hooks


@pytest.mark.parametrize(("layers", "count"), [((), 0), ((QCFS(3), QCFS(7)), 2)])
def test_a_loss_without_a_forward_pass_is_refused(
    layers: tuple[nn.Module, ...], count: int
) -> None:
    with pytest.raises(SnncError) as caught:
        bit_l1(nn.Sequential(*layers))
    assert str(caught.value) == (
        f"Sequential: none of its {count} QCFS layers has seen a forward pass in training mode\n"
        "  help: call model.train() and model(images) before"
    )
