"""An engine is not started where a limit on memory leaves it no room."""

from __future__ import annotations

import pytest

from snnc.runtime.engines import room
from snnc.runtime.engines.lava import engine as lava
from snnc.runtime.engines.lava.engine import LavaEngine

RLIM_INFINITY = room.resource.RLIM_INFINITY


@pytest.mark.parametrize(("limit", "starts"), [(400, False), (1 << 20, True), (None, True)])
def test_a_limit_that_is_too_low_is_said(
    limit: int | None, starts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = RLIM_INFINITY if limit is None else limit << 20
    monkeypatch.setattr(room.resource, "getrlimit", lambda which: (given, given))
    monkeypatch.setattr(lava, "missing_library", lambda *of: None)
    problem = LavaEngine().missing()
    assert (problem is None) is starts
    if problem:
        assert str(problem).startswith("Lava: the limit of 400 MB leaves ")
        assert "at least 512 are needed\n  help: raise it" in str(problem)
