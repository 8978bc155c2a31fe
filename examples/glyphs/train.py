"""Training of the glyphs networks: `python -m examples.glyphs.train [--model resnet] [--levels 3]`.

Writes each network as ONNX and its accuracy beside it, in accuracy.json. The residual network is
trained with ReLU, then fine-tuned with staircases; the VGG has staircases from the start. Every
epoch draws images that no epoch before has shown. `--l1` adds spikes to the loss, `--seed` begins
with other weights.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import OneCycleLR

from examples.glyphs.data import CHUNK, SIDE, Images, Integers, load_glyphs
from examples.glyphs.fonts import CHARACTERS
from examples.glyphs.models import glyphs_resnet, glyphs_vgg
from snnc.compiler.errors import SnncError
from snnc.frontends.torch import bit_l1, export_onnx, quantize_activations

Model: TypeAlias = Literal["resnet", "vgg"]

TEST_IMAGES = 2000
BATCH = 128
WEIGHT_DECAY = 0.01
LOOKALIKES = ("0Oo", "1Il", "Cc", "Kk", "Pp", "Ss", "Uu", "Vv", "Ww", "Xx", "Zz")
"""Characters that differ in size alone, or in some fonts not even in that."""


@dataclass(frozen=True)
class Course:
    """How long, how fast and on what a network learns."""

    epochs: int
    learning_rate: float
    seed: int
    """Of the images."""
    images: int = 20 * CHUNK
    """New ones in every epoch."""


FROM_SCRATCH = Course(epochs=10, learning_rate=0.01, seed=1)
FINE_TUNING = Course(epochs=8, learning_rate=0.004, seed=2)


@dataclass(frozen=True)
class Checkpoint:
    """A network that can be trained."""

    model: Model
    levels: int | None
    """The highest level of every activation; None for ReLU."""
    l1: float = 0.0
    """Weight of the spikes per image in the loss, while the network has staircases."""
    seed: int = 0
    """Of the weights that training begins with; the images are the same for all."""

    @property
    def name(self) -> str:
        """The name of its file, such as vgg_L15_l1e-4_seed1."""
        parts = [self.model, "relu" if self.levels is None else f"L{self.levels}"]
        if self.l1:
            parts.append(f"l{scientific(self.l1)}")
        if self.seed:
            parts.append(f"seed{self.seed}")
        return "_".join(parts)


CHECKPOINTS = (
    Checkpoint("resnet", None),
    Checkpoint("resnet", 3),
    Checkpoint("resnet", 4),
    Checkpoint("resnet", 7),
    Checkpoint("resnet", 15),
    Checkpoint("vgg", 4),
    Checkpoint("vgg", 7),
    Checkpoint("vgg", 15),
)
"""What the folder of checkpoints holds."""


def main() -> None:
    """Train the network that was asked for, or all of CHECKPOINTS."""
    parser = argparse.ArgumentParser(description="Train glyphs networks and write them as ONNX.")
    parser.add_argument("--model", choices=("resnet", "vgg"), help="only this; all eight without")
    parser.add_argument("--levels", type=int, help="highest level of --model; ReLU without")
    parser.add_argument("--folder", type=Path, default=Path("out/glyphs"), help="%(default)s")
    parser.add_argument("--l1", type=float, default=0.0, help="weight of spikes (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights (%(default)s)")
    wanted = parser.parse_args()
    asked = Checkpoint(wanted.model, wanted.levels, wanted.l1, wanted.seed)
    if not wanted.model and (wanted.levels is not None or wanted.l1 or wanted.seed):
        parser.error("--levels, --l1 and --seed need --model")
    if wanted.l1 and wanted.levels is None:
        parser.error("--l1 needs --levels: ReLU sends no spikes")
    chosen = (asked,) if wanted.model else CHECKPOINTS
    wanted.folder.mkdir(parents=True, exist_ok=True)
    try:
        for each in chosen:
            write(each, wanted.folder)
    except SnncError as error:
        sys.exit(str(error))


def write(checkpoint: Checkpoint, folder: Path) -> None:
    """Train a network; write it, and its accuracy among those that are there."""
    start = perf_counter()
    model = train(checkpoint)
    seconds = perf_counter() - start
    export_onnx(model, torch.zeros(1, 1, SIDE, SIDE), folder / f"{checkpoint.name}.onnx")
    found = accuracies(model, load_glyphs("test", TEST_IMAGES))
    print(f"{checkpoint.name}: {found}, {seconds:.0f} s", flush=True)
    path = folder / "accuracy.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**known, checkpoint.name: found}, indent=2) + "\n")


def train(checkpoint: Checkpoint) -> nn.Module:
    """Train from nothing in minutes, on one thread: so sums have one order on every machine.

    Returns:
        The network in evaluation mode; it takes pixels divided by 255.
    """
    torch.set_num_threads(1)
    if checkpoint.model == "vgg":
        return taught(_fresh(checkpoint), FROM_SCRATCH, checkpoint.l1)
    relu = _relu_resnet(checkpoint.seed)
    if checkpoint.levels is None:
        return relu
    samples = normalised(load_glyphs("train", CHUNK))
    quantized = quantize_activations(relu, checkpoint.levels, samples)
    return taught(quantized, FINE_TUNING, checkpoint.l1)


def taught(model: nn.Module, course: Course, l1: float = 0.0) -> nn.Module:
    """The model after its course, in evaluation mode.

    Args:
        model: is changed.
        course: what it learns from.
        l1: weight of the spikes per image beside the cross entropy of the classes.
    """
    model = model.to(memory_format=torch.channels_last).train()
    rate = course.learning_rate
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=WEIGHT_DECAY)
    rounds = -(-course.images // BATCH)
    schedule = OneCycleLR(optimizer, rate, epochs=course.epochs, steps_per_epoch=rounds)
    for epoch in range(course.epochs):
        images = load_glyphs("train", course.images, 1000 * course.seed + epoch)
        x, y = normalised(images), torch.from_numpy(images.y)
        for batch, classes in zip(x.split(BATCH), y.split(BATCH), strict=True):
            loss = functional.cross_entropy(model(batch), classes)
            if l1:
                loss = loss + l1 * bit_l1(model)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"epoch {epoch + 1} of {course.epochs}", file=sys.stderr)
    return model.eval()


def accuracies(model: nn.Module, images: Images) -> dict[str, float]:
    """Share of the images whose class is found, and with it where look-alikes may be confused."""
    with torch.no_grad():
        found = torch.cat([model(batch).argmax(1) for batch in normalised(images).split(BATCH)])
    right = _agreement(found.numpy(), images.y)
    alike = _agreement(*(_first_lookalikes()[each] for each in (found.numpy(), images.y)))
    return {"accuracy": right, "lookalikes_as_one": alike}


def scientific(number: float) -> str:
    """A weight as file names and tables have it: 1e-4, not 0.0001."""
    return np.format_float_scientific(number, trim="-", exp_digits=1) if number else "0"


def normalised(images: Images) -> Tensor:
    """The images as the networks take them, pixels from 0 to 1."""
    x = torch.from_numpy(images.x).to(torch.float32) / 255
    return x.to(memory_format=torch.channels_last)


@cache
def _relu_resnet(seed: int) -> nn.Module:
    """Trained once for all that are fine-tuned from it."""
    return taught(_fresh(Checkpoint("resnet", None, seed=seed)), FROM_SCRATCH)


def _fresh(checkpoint: Checkpoint) -> nn.Module:
    networks = {"resnet": glyphs_resnet, "vgg": glyphs_vgg}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(checkpoint.seed)
        return networks[checkpoint.model](checkpoint.levels)


def _agreement(these: Integers, those: Integers) -> float:
    return round(float(np.mean(these == those)), 6)


def _first_lookalikes() -> Integers:
    """For each class the first of those that look like it, itself among them."""
    first = {character: group[0] for group in LOOKALIKES for character in group}
    return np.array([CHARACTERS.index(first.get(each, each)) for each in CHARACTERS])


if __name__ == "__main__":
    main()
