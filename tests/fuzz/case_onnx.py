"""A damaged ONNX model: compiled, read again and run, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx.external_data_helper import convert_model_to_external_data

import snnc
from snnc.compiler.codes import CODES
from snnc.compiler.errors import SnncError
from snnc.compiler.options import CompileKeywords
from tests.fuzz import checks, zoo_models
from tests.fuzz.draws import Rng, damaged, of
from tests.fuzz.onnx_bombs import BOMBS
from tests.fuzz.onnx_mutations import MUTATIONS
from tests.fuzz.reading import holds_to_onnx_runtime
from tests.fuzz.sound_models import any_model, copy_of, exported, of_the_wheel


def case(seed: int, folder: Path) -> str:
    """Compile the mutant of a seed."""
    rng = np.random.default_rng(seed)
    return compiled(folder, write_mutant(any_model(rng), folder, rng), rng)


def case_of_the_zoo(seed: int, folder: Path) -> str:
    """Compile a mutant of a network that people use."""
    rng = np.random.default_rng(seed)
    model = copy_of(of(zoo_models.models(), rng))
    return compiled(folder, write_mutant(model, folder, rng), rng)


def write_mutant(model: onnx.ModelProto, folder: Path, rng: Rng) -> Path:
    """The model with some mutations, as a file, perhaps with another for its numbers."""
    path = folder / "m.onnx"
    outside = rng.integers(12) == 0
    if outside:
        convert_model_to_external_data(model, location="w.bin", size_threshold=0)
        onnx.save(model, path)
        model = onnx.load(path, load_external_data=False)
    for _ in range(int(of((1, 1, 2, 3), rng))):
        of(BOMBS if rng.integers(12) == 0 else MUTATIONS, rng)(model, rng)
    if outside and rng.integers(2):
        _other_places(model, rng)
    content = model.SerializeToString()
    path.write_bytes(damaged(content, rng) if rng.integers(8) == 0 else content)
    return path


def compiled(folder: Path, path: Path, rng: Rng) -> str:
    """What becomes of a model, whatever it is."""
    if rng.integers(2):
        holds_to_onnx_runtime(path, rng)
    before, target = checks.state_of(folder), folder / "n.h5"
    try:
        found = snnc.compile(path, target, **options(rng))
    except SnncError as error:
        checks.only_new(before, checks.state_of(folder))
        return checks.checked_refusal(error)
    checks.only_new(before, checks.state_of(folder), {target.name})
    network = read_again(target)
    checks.same_bytes(network, found.network)
    checks.checked_network(network, rng)
    return "answered"


def read_again(path: Path) -> snnc.compiler.spiking.SpikingNetwork:
    """What was written can be read."""
    try:
        return snnc.load(path)
    except SnncError as error:
        raise AssertionError(f"compile wrote what load refuses: {error}") from error


def options(rng: Rng) -> CompileKeywords:
    """Options that may suit: mostly the defaults."""
    found: CompileKeywords = {}
    if rng.integers(2):
        return found
    found["code"] = of(tuple(CODES), rng)
    if rng.integers(3) == 0:
        found["timesteps"] = int(rng.integers(1, 20))
    if rng.integers(3) == 0:
        found["weight_bits"] = of((2, 3, 4, 5, 6, 7, 8, 16, "auto"), rng)
    if rng.integers(4) == 0:
        found["schedule"] = "sequential"
    if rng.integers(4) == 0:
        found["average_pool"] = of(("compose", "sum"), rng)
    if rng.integers(8) == 0:
        found["target"] = "loihi1"
    return found


def _other_places(model: onnx.ModelProto, rng: Rng) -> None:
    """Offsets and lengths that are not those of the file."""
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if rng.integers(4) == 0:
                values = ("0", "1", "-1", "4096", "9" * 19, "9" * 30, "", "x", "w.bin", "../w.bin")
                entry.value = of((*values, "m.onnx", "."), rng)


def prepare() -> None:
    """Have in memory what every case needs."""
    exported()
    of_the_wheel()
