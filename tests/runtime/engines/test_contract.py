"""One contract for every engine: each image once and in order, golden's logits, golden's spikes."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from support.spiking_networks import random_network

from snnc.compiler.errors import SnncError
from snnc.runtime.engines import ENGINES, Chunk, Engine, find_engine, require
from snnc.runtime.engines.golden import Golden

NEEDS = {"golden": (), "lava": (pytest.mark.lava,), "slayer": (pytest.mark.lava, pytest.mark.torch)}
EVERY = [pytest.param(each, id=name, marks=NEEDS[name]) for name, each in ENGINES.items()]
NETWORK = random_network(1)


def pixels(count: int) -> np.ndarray:
    levels = NETWORK.input.levels + 1
    return np.random.default_rng(3).integers(0, levels, (count, *NETWORK.input.shape))


def chunks(engine: Engine, *batches: np.ndarray) -> list[Chunk]:
    with closing(engine.stream(NETWORK, batches, chunk=2)) as stream:
        return list(stream)


@pytest.mark.parametrize("engine", EVERY)
def test_an_engine_gives_what_golden_gives(engine: Engine) -> None:
    require(engine, NETWORK)
    given = pixels(5)
    golden = Golden(NETWORK, every_population=True, threads=1).run(given)
    found = chunks(engine, given[:3], given[3:])
    assert [each.first for each in found] == list(np.cumsum([0, *map(_size, found)]))[:-1]
    potentials = np.concatenate([each.logits for each in found])
    np.testing.assert_array_equal(potentials, golden.potential)
    for name, law in NETWORK.firing.items() if engine.sends_spikes else ():
        planes = np.concatenate([each.spikes[name] for each in found])
        np.testing.assert_array_equal(planes, law.bit_planes(golden.sent[name]), err_msg=name)


@pytest.mark.parametrize("engine", EVERY)
def test_an_engine_is_known_by_its_name(engine: Engine) -> None:
    assert find_engine(engine.name) is engine
    assert engine.label
    assert engine.title
    assert isinstance(engine.takes_device, bool)


def test_an_engine_that_nobody_knows_is_refused() -> None:
    with pytest.raises(SnncError, match="'abacus' is no engine; allowed: golden, lava, slayer"):
        find_engine("abacus")


def _size(chunk: Chunk) -> int:
    return len(chunk.logits)
