"""Training, shortened, and the shapes of the networks."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

from examples.glyphs import train
from examples.glyphs.data import CLASSES, load_glyphs
from examples.glyphs.models import glyphs_resnet, glyphs_vgg
from examples.glyphs.train import LOOKALIKES, Checkpoint, Course, accuracies
from torch import Tensor, nn

pytestmark = pytest.mark.torch

SHORT = Course(epochs=1, learning_rate=0.01, seed=1, images=200)


class Fixed(nn.Module):
    """Finds what it was told to find."""

    def __init__(self, classes: list[int]) -> None:
        super().__init__()
        self.classes = torch.tensor(classes)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.one_hot(self.classes[: len(x)], CLASSES)


def parameters(model: nn.Module) -> int:
    return sum(each.numel() for each in model.parameters())


@pytest.mark.parametrize("levels", [None, 3])
def test_networks_are_small(levels: int | None) -> None:
    assert parameters(glyphs_resnet(levels)) < 300_000
    assert parameters(glyphs_vgg(levels)) < 500_000


def test_lookalikes_are_counted_apart() -> None:
    images = load_glyphs("test", 62)
    swapped = images.y.copy()
    swapped[[images.y.tolist().index(each) for each in (0, 1)]] = 24, 2  # 0 → O, 1 → 2
    found = accuracies(Fixed(swapped.tolist()), images)
    assert found == {"accuracy": round(60 / 62, 6), "lookalikes_as_one": round(61 / 62, 6)}


def test_no_character_has_two_groups_of_lookalikes() -> None:
    together = "".join(LOOKALIKES)
    assert len(set(together)) == len(together)


@pytest.mark.parametrize("checkpoint", [Checkpoint("resnet", 3), Checkpoint("vgg", 7)])
def test_training_writes_a_network_and_its_accuracy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Checkpoint
) -> None:
    train._relu_resnet.cache_clear()
    monkeypatch.setattr(train, "FROM_SCRATCH", SHORT)
    monkeypatch.setattr(train, "FINE_TUNING", SHORT)
    monkeypatch.setattr(train, "TEST_IMAGES", 62)
    (tmp_path / "accuracy.json").write_text('{"other": {}}')
    train.write(checkpoint, tmp_path)
    train._relu_resnet.cache_clear()
    onnx.checker.check_model(onnx.load(tmp_path / f"{checkpoint.name}.onnx"))
    assert [*json.loads((tmp_path / "accuracy.json").read_text())] == ["other", checkpoint.name]


def test_training_is_the_same_twice() -> None:
    torch.set_num_threads(1)
    images = train.normalised(load_glyphs("train", 62))
    checkpoint = Checkpoint("vgg", 7)
    first, second = (train.taught(train._fresh(checkpoint), SHORT)(images) for _ in range(2))
    np.testing.assert_array_equal(first.detach(), second.detach())
