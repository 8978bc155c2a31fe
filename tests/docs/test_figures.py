"""Pictures of the docs show what the networks of today do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docs.site.figures import neuron, residual, schedule
from docs.site.figures.paper import ROOT

TEXT = re.compile(r"<text[^>]*>([^<]*)</text>|<!-- (.*?) -->")


def test_the_neuron_sends_what_golden_says() -> None:
    found = neuron.trace()
    assert found.level == neuron.LEVEL
    assert found.spikes == (1, 0, 1)
    assert sum(found.thresholds) >= found.potentials[0][0] >= found.level * found.thresholds[-1]


@pytest.mark.parametrize("picture", [neuron, schedule, residual])
def test_pictures_say_what_is_drawn_today(picture: object, tmp_path: Path) -> None:
    """`python -m docs.site.figures` draws them anew."""
    name = picture.__name__.rpartition(".")[2]
    picture.draw(tmp_path / "drawn.svg")
    stored = (ROOT / "docs" / "figures" / f"{name}.svg").read_text(encoding="utf-8")
    assert texts((tmp_path / "drawn.svg").read_text(encoding="utf-8")) == texts(stored)


def texts(picture: str) -> set[str]:
    return {"".join(each) for each in TEXT.findall(picture)}
