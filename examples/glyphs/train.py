"""Training of the glyphs networks: `python -m examples.glyphs.train [--model resnet] [--levels 3]`.

Writes each network as ONNX and its accuracy beside it, in accuracy.json. The residual network is
trained with ReLU, then fine-tuned with staircases; the VGG has staircases from the start. Every
epoch draws images that no epoch before has shown.
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
from snnc.frontends.torch import export_onnx, quantize_activations

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

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.model}_{'relu' if self.levels is None else f'L{self.levels}'}"


CHECKPOINTS = (
    Checkpoint("resnet", None),
    Checkpoint("resnet", 3),
    Checkpoint("resnet", 15),
    Checkpoint("vgg", 7),
)
"""What the folder of checkpoints holds."""


def main() -> None:
    """Train the network that was asked for, or all of CHECKPOINTS."""
    parser = argparse.ArgumentParser(description="Train glyphs networks and write them as ONNX.")
    parser.add_argument("--model", choices=("resnet", "vgg"), help="only this; all four without")
    parser.add_argument("--levels", type=int, help="highest level of --model; ReLU without")
    parser.add_argument("--folder", type=Path, default=Path("out/glyphs"), help="%(default)s")
    wanted = parser.parse_args()
    if wanted.levels is not None and not wanted.model:
        parser.error("--levels needs --model")
    chosen = (Checkpoint(wanted.model, wanted.levels),) if wanted.model else CHECKPOINTS
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
        return taught(_fresh(checkpoint), FROM_SCRATCH)
    if checkpoint.levels is None:
        return _relu_resnet()
    samples = normalised(load_glyphs("train", CHUNK))
    quantized = quantize_activations(_relu_resnet(), checkpoint.levels, samples)
    return taught(quantized, FINE_TUNING)


def taught(model: nn.Module, course: Course) -> nn.Module:
    """The model after its course, in evaluation mode."""
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


def normalised(images: Images) -> Tensor:
    """The images as the networks take them, pixels from 0 to 1."""
    x = torch.from_numpy(images.x).to(torch.float32) / 255
    return x.to(memory_format=torch.channels_last)


@cache
def _relu_resnet() -> nn.Module:
    """Trained once for all that are fine-tuned from it."""
    return taught(_fresh(Checkpoint("resnet", None)), FROM_SCRATCH)


def _fresh(checkpoint: Checkpoint) -> nn.Module:
    networks = {"resnet": glyphs_resnet, "vgg": glyphs_vgg}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return networks[checkpoint.model](checkpoint.levels)


def _agreement(these: Integers, those: Integers) -> float:
    return round(float(np.mean(these == those)), 6)


def _first_lookalikes() -> Integers:
    """For each class the first of those that look like it, itself among them."""
    first = {character: group[0] for group in LOOKALIKES for character in group}
    return np.array([CHARACTERS.index(first.get(each, each)) for each in CHARACTERS])


if __name__ == "__main__":
    main()
