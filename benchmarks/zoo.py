"""Full-size networks with random weights, QCFS of 15 levels: `python -m benchmarks.zoo`.

For each, in one run and on the same machine: what compiling takes, and how many images a second
the golden model and ONNX Runtime on the float network see. Each compile has a process of its own.
"""

from __future__ import annotations

import argparse
import resource
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context, set_start_method
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

SIZES = {"VGG16": 32, "ResNet20": 32, "ResNet18": 224, "ResNet34": 224, "MobileNetV1": 224}
"""Pixels of a side."""
LEVELS = 15
TESTS = Path(__file__).parents[1] / "tests"
NORMALISED = {"mean": (0.45,), "std": (0.25,)}
Result = TypeVar("Result")


@dataclass(frozen=True)
class Compiled:
    """What compiling took, and what came out."""

    seconds: float
    gigabytes: float
    """The most memory that the process held, Python and all."""
    layers: int
    time_steps: int
    """Between two images, pipelined."""


@dataclass(frozen=True)
class Rates:
    """Images a second; Lava's with start and fill, and its mismatches, if it ran."""

    golden: float
    source: float
    lava: float | None
    mismatches: int | None


def export(name: str, path: Path) -> int:
    """Write the float network; the number of its parameters."""
    sys.path.insert(0, str(TESTS))
    from torchvision.models import resnet18, resnet34
    from zoo import models

    builds: dict[str, Callable[[], Any]] = {
        "VGG16": lambda: models.vgg16(1),
        "ResNet20": models.resnet20,
        "ResNet18": lambda: models.narrowed(resnet18, 1),
        "ResNet34": lambda: models.narrowed(resnet34, 1),
        "MobileNetV1": lambda: models.mobilenet_v1(1),
    }
    specimen = models.Specimen(builds[name], (3, SIZES[name], SIZES[name]), LEVELS)
    models.export(specimen, path, count=4)
    return sum(each.numel() for each in specimen.build().parameters())


def compile_model(model: Path) -> Compiled:
    """Read, lower, write."""
    import snnc
    from snnc.compiler.rules.timing import timing_of

    start = perf_counter()
    network = snnc.compile(model, **NORMALISED).network
    seconds = perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return Compiled(seconds, peak, len(network.populations), timing_of(network).period)


def measure(model: Path, images: int, on_lava: int) -> Rates:
    """Run what was compiled, and the float network beside it."""
    import numpy as np
    import onnx

    import snnc
    from benchmarks.vgg16 import rate
    from snnc.runtime.data import as_source, encode
    from snnc.runtime.engines.golden import Golden
    from snnc.runtime.engines.source_model import SourceModel

    path = model.with_suffix(".h5")
    network, source = snnc.load(path), SourceModel(onnx.load(model), model.name)
    shape = (max(images, on_lava), *network.input.shape)
    x = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    levels, floats = (each(x[:images], network.input) for each in (encode, as_source))
    golden = Golden(network)
    rates = [rate(lambda: golden.run(levels), images), rate(lambda: source.run(floats), images)]
    if not on_lava:
        return Rates(*rates, None, None)
    set_start_method(None, force=True)  # this process has one already, and Lava sets its own
    found = snnc.compare(model, path, snnc.Data(x[:on_lava])).engines["lava"]
    assert found is not None
    return Rates(*rates, found.result.images_per_second, found.mismatches)


def alone(work: Callable[..., Result], *arguments: object) -> Result:
    """Do it in a fresh process: what it leaves in memory is gone, and its peak is its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(work, *arguments).result()


def row(name: str, folder: Path, images: int, on_lava: int) -> Sequence[str]:
    """One network, from its definition to its rates."""
    model = folder / f"{name}.onnx"
    parameters = alone(export, name, model)
    compiled = alone(compile_model, model)
    rates = alone(measure, model, images, on_lava)
    size = f"{SIZES[name]}x{SIZES[name]}"
    what = name, size, f"{parameters / 1e6:.2f} M"
    took = f"{compiled.seconds:.1f} s", f"{compiled.gigabytes:.2f} GB"
    made = f"{compiled.layers}", f"{compiled.time_steps}"
    speeds = f"{rates.golden:.1f}", f"{rates.source:.1f}"
    lava = (f"{rates.lava:.2f}", f"{rates.mismatches}") if rates.lava is not None else ()
    return *what, *took, *made, *speeds, *lava


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=", ".join(SIZES))
    parser.add_argument("--images", type=int, default=8, help="images at a time")
    parser.add_argument("--lava", type=int, default=0, metavar="N", help="also N images on Lava")
    options = parser.parse_args()
    names = options.networks or list(SIZES)
    if unknown := set(names) - set(SIZES):
        parser.error(f"{', '.join(unknown)} is none of {', '.join(SIZES)}")
    headers = "network", "input", "parameters", "compile", "peak", "populations", "steps/image"
    lava = ("Lava", "mismatches") if options.lava else ()
    title = "golden, ONNX Runtime on the float network, Lava: images per second"
    with TemporaryDirectory() as folder:
        rows = [
            row(name, Path(folder), options.images, options.lava)
            for name in track(names, "measuring", console=Console(stderr=True))
        ]
    # the processes that are measured import this module
    from snnc.runtime.output.tables import print_table, table_of_cells

    print_table(table_of_cells(title, (*headers, "golden", "float", *lava), rows))


if __name__ == "__main__":
    main()
