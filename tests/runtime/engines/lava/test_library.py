"""Lava is imported on every Python, and nothing stays changed by that."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from snnc.runtime.engines.installing import OLDEST_WITHOUT, command, missing_library
from snnc.runtime.engines.lava import library

SOURCE = """
from dataclasses import dataclass

@dataclass
class Byte:
    base: int = 0

@dataclass(order=True)
class Core:
    x: Byte = Byte()
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module as Python 3.10 took it, and later ones do not."""
    (tmp_path / "defaults.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(library, "MODULE", "defaults")
    monkeypatch.setattr(library, "MESSAGES", "defaults")
    monkeypatch.setattr(library, "LACKS_HASHES", True)
    monkeypatch.delitem(sys.modules, "defaults", raising=False)
    return "defaults"


def test_a_module_of_defaults_without_a_hash_is_imported(module: str) -> None:
    usual = dataclasses.dataclass
    library.load()
    made = sys.modules[module]
    assert made.Core().x == made.Byte(0)
    assert dataclasses.dataclass is usual
    assert made.Byte.__hash__ is None
    assert made.Core.__hash__ is None


def test_other_modules_keep_the_rule(module: str) -> None:
    with library._hashes(module):

        @dataclasses.dataclass
        class Other:
            x: int = 0

        assert Other.__hash__ is None


def test_everything_is_put_back_when_the_import_fails(module: str, tmp_path: Path) -> None:
    usual = dataclasses.dataclass
    (tmp_path / "defaults.py").write_text(SOURCE + "raise ImportError('libfoo.so')\n")
    problem = missing_library("Lava", "lava", ["json"], library.load)
    assert dataclasses.dataclass is usual
    assert str(problem) == (
        "Lava: json is installed, and cannot be imported: ImportError: libfoo.so\n"
        f"  help: {command('lava')}; snnc run `engine='golden'` needs none of them"
    )


def test_the_command_is_that_for_this_python() -> None:
    told = "--ignore-requires-python" in command("slayer")
    assert told is (sys.version_info >= OLDEST_WITHOUT)
    assert command("slayer").startswith("pip install 'snnc[slayer]'")


SPAWNED = """
import multiprocessing, sys

multiprocessing.set_start_method("spawn")
from snnc.runtime.engines.lava import library

usual = multiprocessing.set_start_method
library.load()
from lava.magma.core.process.process import AbstractProcess

assert multiprocessing.get_start_method() == "fork"
assert multiprocessing.set_start_method == usual
"""


@pytest.mark.lava
def test_lava_is_imported_where_it_was_said_how_processes_start() -> None:
    subprocess.run([sys.executable, "-c", SPAWNED], check=True)
