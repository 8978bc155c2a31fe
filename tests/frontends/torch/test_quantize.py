from __future__ import annotations

import pickle

import numpy as np
import pytest

from snnc.compiler.errors import SnncError

torch = pytest.importorskip("torch")
from torch import Tensor, nn
from torch.nn import functional

from snnc.frontends.torch import QCFS, quantize_activations

pytestmark = pytest.mark.torch

FINE = 1 << 20
X = torch.linspace(-1.9, 1.9, 40).reshape(8, 5)


class Wired(nn.Module):
    """One fixed linear layer and one ReLU layer, wired up by the function that it is given."""

    def __init__(self, wiring: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(5, 5)
        self.relu = nn.ReLU()
        self.in_place = nn.ReLU(inplace=True)
        self.relu6 = nn.ReLU6()
        self.wiring = wiring

    def forward(self, x: Tensor) -> Tensor:
        return WIRINGS[self.wiring](self, x + 0)


WIRINGS = {
    "layer": lambda m, x: m.relu(m.linear(x)),
    "relu6": lambda m, x: m.relu6(m.linear(x)),
    "reused": lambda m, x: m.relu(m.linear(m.relu(x))),
    "function": lambda m, x: functional.relu(m.linear(torch.relu(x))),
    "keyword": lambda m, x: functional.relu6(input=m.linear(x)),
    "method": lambda m, x: m.linear(x).relu(),
    "residual": lambda m, x: m.linear(m.relu(x)) + x,
    "residual in place": lambda m, x: m.linear(m.in_place(x)) + x,
    "result ignored": lambda m, x: (x.relu_(), m.linear(x))[1],
    "earlier reader": lambda m, x: (m.linear(x), functional.relu(x, inplace=True))[0] + x,
    "two in place": lambda m, x: torch.relu_(functional.relu_(x)) + x,
}
SITES = {"reused": 2, "function": 2, "two in place": 2}


def qcfs_of(model: nn.Module) -> list[QCFS]:
    return [each for each in model.modules() if isinstance(each, QCFS)]


@pytest.mark.parametrize("wiring", WIRINGS)
def test_fine_levels_compute_what_relu_computed(wiring: str) -> None:
    model = Wired(wiring)
    quantized = quantize_activations(model, FINE)
    assert len(qcfs_of(quantized)) == SITES.get(wiring, 1)
    torch.testing.assert_close(quantized(X), model(X), atol=1e-4, rtol=0)


def test_the_original_and_the_names_of_the_weights_stay() -> None:
    model = nn.Sequential(nn.Linear(5, 5), nn.ReLU(), nn.Dropout()).eval()
    quantized = quantize_activations(model, 7)
    assert isinstance(model[1], nn.ReLU)
    assert list(quantized.state_dict()) == ["0.weight", "0.bias", "_1_qcfs.threshold"]
    assert quantized.get_parameter("0.weight") is not model[0].weight
    assert not any(each.training for each in quantized.modules())
    assert all(each.training for each in quantize_activations(model.train(), 7).modules())


def test_a_quantized_model_can_be_pickled() -> None:
    quantized = quantize_activations(Wired("reused"), 7)
    torch.testing.assert_close(pickle.loads(pickle.dumps(quantized))(X), quantized(X))


def test_samples_put_each_threshold_at_its_percentile() -> None:
    samples = torch.linspace(-1000, 1000, 2001)[:, None]
    model = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.ReLU()).eval()
    quantized = quantize_activations(model, FINE, samples)
    first, second = (layer.threshold.item() for layer in qcfs_of(quantized))
    assert first == np.quantile(np.arange(1, 1001), 0.999, method="inverted_cdf")
    assert second == pytest.approx(first)


def test_thresholds_live_where_the_weights_do() -> None:
    model = nn.Sequential(nn.ReLU(), nn.Linear(5, 5).to("meta", torch.float64))
    threshold = qcfs_of(quantize_activations(model, 7))[0].threshold
    assert (threshold.device.type, threshold.dtype) == ("meta", torch.float64)


def test_samples_without_anything_positive_leave_the_threshold() -> None:
    quantized = quantize_activations(nn.Sequential(nn.ReLU()), 7, -X.abs())
    assert qcfs_of(quantized)[0].threshold.item() == 4.0


def refusal_of(model: nn.Module) -> str:
    with pytest.raises(SnncError) as caught:
        quantize_activations(model, 7)
    return str(caught.value)


def test_a_model_without_relu_is_refused() -> None:
    assert refusal_of(nn.Sequential(nn.Linear(5, 5), nn.GELU())) == (
        "Sequential: its forward pass computes no ReLU and no ReLU6\n"
        "  help: put snnc.frontends.torch.QCFS where its activations are"
    )


def test_a_forward_pass_that_branches_on_values_is_refused() -> None:
    class Branching(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.relu() if x.sum() > 0 else x

    assert refusal_of(Branching()) == (
        "Branching: its forward pass cannot be traced: symbolically traced variables cannot be "
        "used as inputs to control flow\n"
        "  help: put snnc.frontends.torch.QCFS in place of its ReLUs by hand"
    )


def test_a_forward_pass_that_depends_on_the_mode_is_refused() -> None:
    class Moody(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return functional.dropout(x.relu(), training=self.training)

    assert refusal_of(Moody()) == (
        "Moody: its forward pass depends on self.training, which a trace cannot keep\n"
        "  help: use layers such as nn.Dropout in place of plain calls"
    )


def test_a_qcfs_that_is_there_already_stays_as_it_is() -> None:
    model = nn.Sequential(QCFS(3, threshold=2.5), nn.ReLU())
    quantized = quantize_activations(model, 7, samples=X)
    assert sorted(each.levels for each in qcfs_of(quantized)) == [3, 7]
    assert quantized.get_parameter("0.threshold").item() == 2.5
