"""Random networks, compiled and held against the interpreter of the documents.

`case` and `case_on_lava` take a seed and say "answered", or "refused" and why. A wrong answer is an
AssertionError; whatever else is raised is a fault of the compiler too.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from support.spiking_networks import DRAWS, calibrating, random_network

import snnc
from snnc.backends.netx.writer import write
from snnc.compiler.errors import SnncError
from snnc.compiler.spiking import SpikingNetwork
from tests.fuzz.agreement import golden_agrees, lava_agrees
from tests.fuzz.neurons import Whole
from tests.fuzz.random_models import Drawing

ACCUMULATING = ("bit-serial", "graded", "delta")
"""Codes in which a population may sum a window of an average pool."""
COUNTING = ("rate", "offset-spike", "one-spike")
"""Codes whose time steps anybody may choose."""
SPIKING = 0.25
"""The share of networks that are drawn as populations, and not as a model to compile."""


def case(seed: int, folder: Path) -> str:
    """Draw a network, and hold the golden model against the interpreter."""
    path = folder / "network.h5"
    if refusal := _written(seed, path):
        return refusal
    network = snnc.load(path)
    golden_agrees(path, network, images_for(network, seed, 4))
    return "answered"


def case_on_lava(seed: int, folder: Path) -> str:
    """The same, and every spike of the simulator besides."""
    path = folder / "network.h5"
    if refusal := _written(seed, path):
        return refusal
    network = snnc.load(path)
    levels = images_for(network, seed, 1)
    lava_agrees(network, levels, golden_agrees(path, network, levels))
    return "answered"


def images_for(network: SpikingNetwork, seed: int, count: int) -> Whole:
    """Levels of pixels: all at the least, all at the most, and random ones."""
    highest, shape = network.input.pixel_levels, network.input.pixel_shape
    levels = np.random.default_rng(seed).integers(0, highest + 1, (count + 2, *shape))
    levels[0], levels[1] = 0, highest
    return levels


def _written(seed: int, path: Path) -> str:
    """Write the network of a seed; the refusal, if the compiler has one."""
    rng = np.random.default_rng(seed)
    if rng.random() < SPIKING:
        write(_spiking(seed, rng), path)
        return ""
    drawing = Drawing(rng)
    model = drawing.model()
    try:
        snnc.compile(model.save(path.parent), path, **draw_options(rng, drawing))
    except SnncError as error:
        return f"refused: {re.sub(r'-?[0-9.]+(e[-+]?[0-9]+)?', '#', error.problems[0].what)}"
    return ""


def _spiking(seed: int, rng: np.random.Generator) -> SpikingNetwork:
    if rng.random() < 0.1:
        return calibrating(seed)
    return random_network(seed, str(rng.choice(list(DRAWS))))


def draw_options(rng: np.random.Generator, model: Drawing) -> dict[str, Any]:
    """Options of a compilation, most of which fit together."""
    code = str(rng.choice([*DRAWS, "bit-serial"]))
    options: dict[str, Any] = {
        "code": code,
        "schedule": str(rng.choice(["pipelined", "sequential"])),
        "weight_bits": int(rng.choice([2, 3, 4, 5, 6, 7, 8, 8, 8, 16])),
        "average_pool": str(rng.choice(["auto", "compose", *["sum"] * (code in ACCUMULATING)])),
        "input_bits": int(rng.choice([8, 8, 8, *range(1, 13)])),
        "input_range": [(0.0, 1.0), (-1.0, 1.0), (0.0, 255.0)][rng.integers(3)],
    }
    if code in ("rate", "offset-spike", "one-spike") or (
        code == "bit-serial" and rng.random() < 0.2
    ):
        options["timesteps"] = int(rng.integers(1, 9))
    if code == "offset-spike":
        options["rho"] = int(rng.integers(1, 9))
        light = options["light"] = bool(rng.random() < 0.25)
        options["iterations"] = 1 if light else int(rng.integers(1, 4))
    if code == "one-spike" and rng.random() < 0.3:
        options["target"] = "loihi1"
    if code in ("bit-serial", "one-spike") and rng.random() < 0.4:
        options["input_code"] = "bits"
    if rng.random() < 0.3:
        channels = model.pixels[0]
        options["mean"] = tuple(rng.uniform(-1, 1, channels))
        options["std"] = tuple(rng.uniform(0.1, 2, channels))
    if model.plain:
        options["levels"] = int(rng.integers(1, 16))
    if model.plain or rng.random() < 0.2:
        low, high = options["input_range"]
        x = rng.uniform(low, high, (16, *model.pixels))
        options["calibration"] = snnc.Data(x.astype(np.float32), None)
    return options
