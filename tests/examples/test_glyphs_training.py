"""Training, shortened, and the shapes of the networks."""

import json
import sys
from dataclasses import replace
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

from snnc.frontends.torch import bit_l1

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


@pytest.mark.parametrize(
    ("checkpoint", "name"),
    [
        (Checkpoint("resnet", None), "resnet_relu"),
        (Checkpoint("vgg", 7), "vgg_L7"),
        (Checkpoint("vgg", 15, l1=1e-4), "vgg_L15_l1e-4"),
        (Checkpoint("vgg", 15, l1=0.00025, seed=2), "vgg_L15_l2.5e-4_seed2"),
        (Checkpoint("vgg", 7, seed=1), "vgg_L7_seed1"),
    ],
)
def test_names_tell_networks_apart(checkpoint: Checkpoint, name: str) -> None:
    assert checkpoint.name == name


def test_l1_saves_spikes() -> None:
    torch.set_num_threads(1)
    images = train.normalised(load_glyphs("test", 62))

    def spikes(l1: float) -> float:
        """In training mode: the running averages are far behind after ten batches."""
        model = train.taught(train._fresh(Checkpoint("vgg", 15)), replace(SHORT, images=1240), l1)
        model.train()(images)
        return bit_l1(model).item()

    assert spikes(1e-3) < 0.85 * spikes(0.0)


def test_a_seed_gives_other_weights_and_no_other_shapes() -> None:
    first, second, again = (
        train._fresh(Checkpoint("vgg", 7, seed=seed)).state_dict() for seed in (0, 1, 1)
    )
    weights = "0.weight"
    assert first[weights].shape == second[weights].shape
    assert not torch.equal(first[weights], second[weights])
    assert torch.equal(second[weights], again[weights])


def test_the_command_line_trains_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = []
    monkeypatch.setattr(train, "write", lambda checkpoint, folder: trained.append(checkpoint))
    asked = "train --model vgg --levels 15 --l1 1e-4 --seed 2 --folder"
    monkeypatch.setattr(sys, "argv", [*asked.split(), str(tmp_path)])
    train.main()
    assert trained == [Checkpoint("vgg", 15, 1e-4, 2)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--seed 1", "--levels, --l1 and --seed need --model"),
        ("--l1 1e-4", "--levels, --l1 and --seed need --model"),
        ("--model vgg --l1 1e-4", "--l1 needs --levels"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: str,
    message: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", *options.split()])
    with pytest.raises(SystemExit):
        train.main()
    assert message in capsys.readouterr().err
