"""The engines against the interpreter of the documents, on random networks of fixed seeds."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import h5py
import pytest
from support.spiking_networks import DRAWS, random_network

import snnc
from snnc.backends.netx.writer import write
from tests.fuzz import agreement, interpreter, neurons
from tests.fuzz.random_networks import case, case_on_lava, images_for

OWN = ("__future__", "collections", "dataclasses", "pathlib", "typing")
MATRIX = ("h5py", "numpy", "tests.fuzz.neurons")
ON_LAVA = (19, 21, 23, 37, 49, 80, 85, 89, 93, 110)
"""Every code in few populations, in both schedules, loihi1 too."""


@pytest.mark.parametrize("seed", range(36))
def test_golden_is_what_the_documents_say(seed: int, tmp_path: Path) -> None:
    assert case(seed, tmp_path).startswith(("answered", "refused: "))


def test_most_random_networks_are_answered(tmp_path: Path) -> None:
    answers = [case(seed, tmp_path) for seed in range(100, 112)]
    assert answers.count("answered") >= 6


@pytest.mark.lava
@pytest.mark.parametrize("seed", ON_LAVA)
def test_lava_is_what_the_documents_say(seed: int, tmp_path: Path) -> None:
    pytest.importorskip("lava.magma")
    assert case_on_lava(seed, tmp_path) == "answered"


@pytest.mark.parametrize("module", [interpreter, neurons])
def test_the_interpreter_knows_nothing_of_snnc(module: object) -> None:
    tree = ast.parse(Path(module.__file__).read_text())
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    names = {
        each.module if isinstance(each, ast.ImportFrom) else alias.name
        for each in imports
        for alias in each.names
    }
    assert all(name.startswith((*OWN, *MATRIX)) for name in names)


@pytest.mark.parametrize("code", DRAWS)
@pytest.mark.parametrize("key", ["bias", "weight"])
def test_one_number_that_differs_is_noticed(
    code: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "network.h5", tmp_path / "other.h5"
    write(random_network(3, code), path)
    shutil.copy(path, other)
    with h5py.File(other, "r+") as file:
        readout = file["layer"][str(len(file["layer"]) - 1)]
        readout[key][...] = readout[key][...] + 1
    run = interpreter.run
    monkeypatch.setattr(interpreter, "run", lambda path, levels: run(other, levels))
    network = snnc.load(path)
    with pytest.raises(AssertionError, match="Mismatched elements"):
        agreement.golden_agrees(path, network, images_for(network, 0, 4))
