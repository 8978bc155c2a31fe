"""A sample of every code × every width × every network; `make zoo` tries them all."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("torchvision")

from zoo.models import ZOO
from zoo.product import CODES, SCHEDULES, WIDTHS, Combination, combinations, outcome

pytestmark = pytest.mark.torch

ALL = list(combinations())
PAIRS = [(code, bits) for bits in WIDTHS for code in CODES]
SMALL = [
    Combination("line" if index % 15 == 0 else "mlp", *pair, SCHEDULES[index // 2 % 2])
    for index, pair in enumerate(PAIRS)
]
"""Each code with each width, in networks of few populations: each is a process of the simulator."""


def test_every_combination_is_there_once() -> None:
    assert len(ALL) == len(set(ALL)) == len(CODES) * len(WIDTHS) * len(ZOO)
    turn = ALL[: len(PAIRS)]
    assert {each.network for each in turn} == set(ZOO)
    assert {(each.code, each.bits) for each in turn} == set(PAIRS)
    assert len({(each.code, each.schedule) for each in turn}) == len(CODES) * len(SCHEDULES)


@pytest.mark.parametrize("each", islice(ALL, 0, None, 37), ids=str)
def test_a_combination_is_exact_or_refused(each: Combination, zoo_folder: Path) -> None:
    assert outcome(each, zoo_folder, on_lava=False).startswith(("exact", "refused: "))


@pytest.mark.lava
@pytest.mark.parametrize("each", SMALL, ids=str)
def test_lava_is_exact_in_every_code_and_width(each: Combination, zoo_folder: Path) -> None:
    pytest.importorskip("lava.magma")
    assert outcome(each, zoo_folder, on_lava=True) == "exact"
