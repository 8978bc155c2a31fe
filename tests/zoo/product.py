"""Every code × every width of weights × every network: `make zoo`, or a sample of it.

Each combination is compiled, or refused for a documented reason; golden is held against the
interpreter of the documents, and Lava spike by spike.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from tests.fuzz.agreement import golden_agrees, lava_agrees
from zoo.models import MEAN, STD, ZOO, export, images

import snnc
from snnc.compiler.errors import SnncError

CODES: Mapping[str, Mapping[str, Any]] = {
    "bit-serial": {},
    "graded": {},
    "delta": {},
    "rate": {"timesteps": 4},
    "offset-spike": {"timesteps": 4, "rho": 4},
    "one-spike": {"timesteps": 3},
}
"""Each with settings that cost little."""
REFUSALS = ("its weights reach", "its sums reach", "its sums over", "all weights from")
"""How those begin whose reasons docs/arithmetic.md gives."""
WIDTHS = (*range(2, 9), 16)
SCHEDULES = ("pipelined", "sequential")
IMAGES = 2


@dataclass(frozen=True)
class Combination:
    """A network, a code and the bits of a weight."""

    network: str
    code: str
    bits: int
    schedule: str

    def __str__(self) -> str:
        return f"{self.network} {self.code} {self.bits} {self.schedule}"


def combinations() -> Iterator[Combination]:
    """All of them, so that any stretch has every code, every width and every network in turn."""
    pairs = [(code, bits) for bits in WIDTHS for code in CODES]
    names = list(ZOO)
    for turn in range(len(names)):
        for index, (code, bits) in enumerate(pairs):
            schedule = SCHEDULES[(index + index // len(CODES) + turn) % 2]
            yield Combination(names[(index + turn) % len(names)], code, bits, schedule)


def outcome(each: Combination, folder: Path, *, on_lava: bool) -> str:
    """What became of a combination: "exact", or "refused" and why.

    Raises:
        AssertionError: where an engine differs.
    """
    specimen, model = ZOO[each.network], folder / f"{each.network}.onnx"
    if not model.exists():
        export(specimen, model)
    path = folder / f"{each.network}.h5"
    options = {**CODES[each.code], "weight_bits": each.bits, "schedule": each.schedule}
    try:
        snnc.compile(model, path, code=each.code, mean=(MEAN,), std=(STD,), **options)
    except SnncError as error:
        unknown = [e for e in error.problems if not e.what.startswith(REFUSALS)]
        assert not unknown, f"refused for a reason that no document gives: {unknown[0]}"
        return f"refused: {error.problems[0].what}"
    network = snnc.load(path)
    x = images(specimen.shape, IMAGES, seed=5) / 255 * network.input.pixel_levels
    levels = np.rint(x).astype(np.int64).reshape(-1, *network.input.pixel_shape)
    expected = golden_agrees(path, network, levels)
    if on_lava:
        # in one process, which starts sooner; a process for each layer does the same in make test
        lava_agrees(network, levels, expected, "network")
    return "exact"


def main() -> int:
    """Try all combinations, on Lava for so many minutes, and count what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lava", type=float, default=60.0, help="minutes for the simulator")
    until = 60 * parser.parse_args().lava
    torch.set_num_threads(1)
    found: Counter[str] = Counter()
    simulated, on_lava = 0.0, 0
    with TemporaryDirectory(prefix="zoo-") as folder:
        for each in combinations():
            start, lava = time.perf_counter(), simulated < until
            try:
                said = outcome(each, Path(folder), on_lava=lava)
            except Exception as error:
                said = f"WRONG: {type(error).__name__}: {error}"
            simulated += (time.perf_counter() - start) * lava
            on_lava += lava and said == "exact"
            found[said.split(":")[0]] += 1
            print(f"{each}: {said}", flush=True)
    print(f"{found.total()} combinations: {dict(found)}; {on_lava} of them exact on Lava too")
    return 1 if found["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
