"""The energies of events that a user knows: a TOML file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from snnc.compiler.errors import Problem, SnncError, refusal, shortened
from snnc.compiler.files import require_regular
from snnc.compiler.limits import MOST_TEXT
from snnc.compiler.mapping.constants import LOIHI1_COSTS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = "energy_pj"
EXAMPLE = f"[{TABLE}]\n" + "".join(f"{name} = 1.0\n" for name in LOIHI1_COSTS.events)
MOST_ENERGY = 1e12


def read_energies(path: Path) -> Mapping[str, float]:
    """The pJ of each event, by the names of `EventCosts`; all of them must be there.

    Raises:
        SnncError: with every problem of the file.
    """
    try:
        if require_regular(path, "name a TOML file") > MOST_TEXT:
            raise refusal(str(path), f"it is larger than {MOST_TEXT} bytes", f"write {EXAMPLE!r}")
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise refusal(str(path), "the file does not exist", f"write {EXAMPLE!r}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        what = f"it is no TOML: {shortened(str(error))}"
        raise refusal(str(path), what, f"write {EXAMPLE!r}") from error
    given = found.get(TABLE)
    if not isinstance(given, dict):
        raise refusal(str(path), f"it has no table {TABLE}", f"write {EXAMPLE!r}")
    problems = [*_problems(str(path), given)]
    if problems:
        raise SnncError(*problems)
    return {name: float(given[name]) for name in LOIHI1_COSTS.events}


def _problems(path: str, given: Mapping[str, object]) -> list[Problem]:
    events = LOIHI1_COSTS.events
    problems = []
    for name in events:
        value = given.get(name)
        if name not in given:
            problems.append(Problem(path, f"{TABLE} has no {name}", f"write {name} = 1.0"))
        elif isinstance(value, bool) or not isinstance(value, int | float):
            problems.append(Problem(path, f"{name} is no number", f"write {name} = 1.0"))
        elif not 0 <= value <= MOST_ENERGY:
            what = f"{name} is {value:g}; allowed: 0 to {MOST_ENERGY:g}"
            problems.append(Problem(path, what, "write it in pJ"))
    for name in given:
        if name not in events:
            what = f"{TABLE} has {shortened(name)}; allowed: {', '.join(events)}"
            problems.append(Problem(path, what, "leave it out"))
    return problems
