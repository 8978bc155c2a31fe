"""Sound netx files of every code: random ones, and what `compile` makes of models."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
from support.onnx_models import random_chain, random_graph
from support.spiking_networks import DRAWS, random_network

import snnc
from snnc.backends.netx.writer import content_of
from snnc.compiler.errors import SnncError
from snnc.compiler.mapping.mapper import placed
from snnc.compiler.spiking import SpikingNetwork
from tests.fuzz.draws import Rng, of

RANDOM, COMPILED = 8, 4
"""Networks that are kept in memory, in every code."""


def any_file(rng: Rng) -> bytes:
    """The bytes of a legal network's file."""
    return of((written, compiled)[int(rng.integers(3) == 0)](), rng)


@cache
def written() -> list[bytes]:
    """Random networks of every code, half of them with the cores onto which they go."""
    return [content_of(_random(seed, code)) for seed in range(RANDOM) for code in DRAWS]


def _random(seed: int, code: str) -> SpikingNetwork:
    network = random_network(seed, code)
    return placed(network) if seed % 2 else network


@cache
def compiled() -> list[bytes]:
    """Networks with relays, copies, sums of pools and stock neurons."""
    files = []
    with TemporaryDirectory() as folder:
        path, target = Path(folder) / "m.onnx", Path(folder) / "n.h5"
        for seed in range(COMPILED):
            build = random_chain if seed % 2 else random_graph
            onnx.save(build(seed).model(), path)
            for code in DRAWS:
                for chip in ("loihi", "loihi1"):
                    try:
                        snnc.compile(path, target, code=code, target=chip, labels=("a", "b"))
                    except SnncError:
                        continue
                    files.append(target.read_bytes())
    return files
