from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from snnc.runtime.engines.lava.library import load

EXPECTED = Path(__file__).parent / "expected"


# a busy machine is no falsifying example, and continuous integration asks the same each time
settings.register_profile("snnc", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "snnc")


def pytest_configure(config: pytest.Config) -> None:
    """Whoever asks for the tests of an extra must have it: nothing is skipped in silence."""
    for extra in ("lava", "torch"):
        words = config.option.markexpr.split()
        asked = extra in words and words[words.index(extra) - 1 : words.index(extra)] != ["not"]
        if asked and find_spec(extra) is None:
            raise pytest.UsageError(f"{extra} is not installed: run make setup")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests import stock Lava by themselves; it has to be importable by then."""
    if item.get_closest_marker("lava") and find_spec("lava") is not None:
        load()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-expected", action="store_true", help="accept changed texts")


@pytest.fixture
def expected(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare text with tests/expected/<name>.txt, by default that of the test."""

    def check(text: str, name: str = request.node.name) -> None:
        path = EXPECTED / f"{name}.txt"
        if request.config.getoption("update_expected"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"{name}.txt is missing; --update-expected writes it"
        assert text == path.read_text(), f"{name}.txt differs; --update-expected accepts it"

    return check
