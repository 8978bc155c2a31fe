"""A damaged netx file: loaded, shown and run, or refused."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np

import snnc
from snnc.compiler.errors import SnncError
from snnc.runtime.studies.inspection import inspect_network
from tests.fuzz import checks
from tests.fuzz.draws import Rng, damaged, of
from tests.fuzz.h5_mutations import MUTATIONS
from tests.fuzz.sound_networks import any_file, compiled, written

UNSOUND = (
    *(LookupError, ValueError, TypeError, AttributeError),
    *(OSError, MemoryError, RuntimeError),
)
"""What h5py raises where one mutation meets what another left."""


def case(seed: int, folder: Path) -> str:
    """Load the mutant of a seed."""
    rng, path = np.random.default_rng(seed), folder / "n.h5"
    path.write_bytes(_mutant(rng))
    before = checks.state_of(folder)
    try:
        network = snnc.load(path)
    except SnncError as error:
        checks.only_new(before, checks.state_of(folder))
        return checks.checked_refusal(error)
    if rng.integers(4) == 0:
        inspect_network(network).as_json()
        str(network)
        _written_again(network, folder / "again.h5")
    checks.checked_network(network, rng)
    checks.only_new(before, checks.state_of(folder), {"again.h5"})
    return "answered"


def _mutant(rng: Rng) -> bytes:
    """A sound file with mutations of its content, of its bytes, or of both."""
    content = any_file(rng)
    if rng.integers(4):
        image = io.BytesIO(content)
        with h5py.File(image, "r+") as file:
            for _ in range(int(of((1, 1, 1, 2, 3), rng))):
                with suppress(*UNSOUND):
                    of(MUTATIONS, rng)(file, rng)  # what one changed another may not find
        content = image.getvalue()
        if rng.integers(8):
            return content
    return damaged(content, rng)


def _written_again(network: snnc.compiler.spiking.SpikingNetwork, path: Path) -> None:
    """What was loaded is written, and read as the same network."""
    from snnc.backends.netx.writer import write

    try:
        write(network, path)
        again = snnc.load(path)
    except SnncError as error:
        raise AssertionError(f"load accepted what is refused then: {error}") from error
    checks.same_bytes(network, again)


def prepare() -> None:
    """Have in memory what every case needs."""
    compiled()
    written()
