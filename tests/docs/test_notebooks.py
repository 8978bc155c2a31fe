"""Every notebook runs, and what it asserts holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.site.notebooks import FOLDER, executed

pytest.importorskip("nbclient", reason="the extra `docs`, which make setup installs")
NEEDS = {
    "pytorch_to_loihi": [pytest.mark.lava, pytest.mark.torch],
    "relu_by_calibration": [pytest.mark.torch],
    "reading_a_sweep": [pytest.mark.torch],
}
"""Marks; the last needs no PyTorch, but takes as long as those that do."""


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(each, id=each.stem, marks=NEEDS[each.stem])
        for each in sorted(FOLDER.glob("*.ipynb"))
    ],
)
def test_a_notebook_runs(path: Path) -> None:
    """It is stored with outputs of the same kinds; numbers may differ between machines."""
    import nbformat

    stored, fresh = nbformat.read(path, as_version=4), executed(path)
    for before, after in zip(stored.cells, fresh.cells, strict=True):
        assert kinds(before) == kinds(after)


def kinds(cell: dict) -> set[str]:
    return {kind for each in cell.get("outputs", []) for kind in each.get("data", {"text": ""})}
