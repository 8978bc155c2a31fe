from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def pytest_configure(config: pytest.Config) -> None:
    """Whoever asks for the tests of an extra must have it: nothing is skipped in silence."""
    for extra in ("lava", "torch"):
        words = config.option.markexpr.split()
        asked = extra in words and words[words.index(extra) - 1 : words.index(extra)] != ["not"]
        if asked and find_spec(extra) is None:
            raise pytest.UsageError(f"{extra} is not installed: run make setup")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="accept changed golden texts")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Compare text with tests/golden/<test name>.txt."""
    path = GOLDEN / f"{request.node.name}.txt"

    def check(text: str) -> None:
        if request.config.getoption("update_golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        assert path.exists(), f"{path.name} is missing; --update-golden writes it"
        assert text == path.read_text(), f"{path.name} differs; --update-golden accepts it"

    return check
