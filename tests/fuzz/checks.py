"""What must hold of every answer and every refusal."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from support.integer_law import evaluate

import snnc
from snnc.backends.netx.writer import content_of
from snnc.compiler.errors import EngineError, SnncError
from snnc.compiler.rules.bounds import potential_bounds
from snnc.compiler.spiking import SpikingNetwork
from snnc.runtime.engines.golden import Golden, batch_size
from tests.fuzz.draws import Rng

MOST_WORK = 1 << 22
"""Neurons times time steps that the oracle has the time for."""

NO_MEMORY = ("std::bad_alloc", "Failed to allocate memory")
"""What ONNX Runtime says where a case has less memory than its network takes."""


def checked_refusal(error: SnncError) -> str:
    """The outcome of a refusal that says what a user needs."""
    assert not isinstance(error, EngineError), f"an engine failed: {error}"
    assert error.problems, "a refusal without a problem"
    for each in error.problems:
        assert all((each.where, each.what, each.mend)), f"something is left unsaid: {each!r}"
    for sign in str(error):
        assert sign == "\n" or sign.isprintable(), f"{sign!r} reaches the terminal"
    return f"refused: {str(error).splitlines()[0][:200]}"


def checked_network(network: SpikingNetwork, rng: Rng) -> None:
    """A legal network is written and read again, and golden gives what the laws say."""
    levels = some_levels(network, rng)
    try:
        found = Golden(network, every_population=True, threads=1).run(levels)
    except EngineError as error:
        if any(each in str(error) for each in NO_MEMORY):
            return
        raise
    within_bounds(network, found.potential)
    if work_of(network) > MOST_WORK:
        return
    expected = evaluate(network, levels.astype(np.int64))
    last = network.readout.name
    assert np.array_equal(found.potential, expected[last]), f"golden differs at {last!r}"
    for name, numbers in found.sent.items():
        assert np.array_equal(numbers, expected[name]), f"golden differs at {name!r}"


def within_bounds(network: SpikingNetwork, potential: np.ndarray) -> None:
    """What was proved of the read-out holds."""
    bounds = potential_bounds(network.readout, network.nodes)
    assert (bounds.low <= potential).all(), "a potential is below its bound"
    assert (potential <= bounds.high).all(), "a potential is above its bound"


def work_of(network: SpikingNetwork) -> int:
    """The size of what golden computes for an image."""
    steps = max((each.neuron.levels for each in network if each.neuron.integrates), default=1)
    return steps * (network.input.size + sum(each.size for each in network))


def some_levels(network: SpikingNetwork, rng: Rng) -> np.ndarray:
    """Two images: extremes and anything, as numbers of levels."""
    shape, most = network.input.shape, network.input.levels
    images = rng.integers(0, most + 1, (2, *shape))
    if rng.integers(3) == 0:
        images[0] = 0
    if rng.integers(3) == 0:
        images[1] = most
    return images[: batch_size(network)]


def same_bytes(network: SpikingNetwork, again: SpikingNetwork) -> None:
    """Two readings of one network write the same file."""
    assert content_of(network) == content_of(again), "it is written otherwise when read again"


def state_of(folder: Path) -> dict[str, str]:
    """What stands in a folder: each name with what it is."""
    found = {}
    for root, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(root) / name
            found[str(path.relative_to(folder))] = _described(path)
    return found


def _described(path: Path) -> str:
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return f"{stat.S_IFMT(mode):o} {os.readlink(path) if stat.S_ISLNK(mode) else ''}"


def only_new(before: dict[str, str], after: dict[str, str], allowed: Iterable[str] = ()) -> None:
    """Nothing changed but what was allowed to."""
    allowed = set(allowed)
    changed = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)} - allowed
    assert not changed, f"changed or left behind: {sorted(changed)}"


def whole_file(path: Path) -> None:
    """A file of a command can be read to its end."""
    content = path.read_bytes()
    if path.suffix == ".h5":
        snnc.load(path)
    elif path.suffix == ".npz":
        with np.load(path) as arrays:
            assert all(arrays[name].size for name in arrays.files)
    elif path.suffix == ".png":
        assert content.endswith(b"IEND\xaeB\x60\x82"), "half a picture"
    else:
        assert content.rstrip().endswith((b"</html>", b"</svg>")), "half a page"
