"""Which tests run a line, measured once and kept: what was measured holds until a test changes."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutation import session
from mutation.edits import Edit, edits_of

MEASURED = ["compiler", "backends/netx", "runtime/engines/lava"]
MARKS = "not lava and not torch"
TESTS = ["tests/compiler", "tests/backends", "tests/runtime", "tests/calibration"]
"""Those that mirror the rooms; the others start programs, and take long to say less."""
KEPT = Path(".mutants")
MEASUREMENT = KEPT / "measured.json"
EQUIVALENT = json.loads((Path(__file__).parent / "equivalent.json").read_text())
"""{reason: {file: [names]}}."""


@dataclass(frozen=True)
class Mutant:
    path: Path
    edit: Edit
    tests: tuple[str, ...]
    """That run it, or nearly so."""

    @property
    def key(self) -> str:
        return f"{self.path} | {self.edit.name}"

    def is_near(self, test: str) -> bool:
        """Whether a test mirrors its folder."""
        return test.startswith(f"tests/{self.path.parent}/")

    @property
    def is_equivalent(self) -> bool:
        return any(self.edit.name in e.get(str(self.path), ()) for e in EQUIVALENT.values())


def digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(each.read_bytes() for each in paths)).hexdigest()[:16]


def _places(path: Path) -> dict[int, str]:
    """For each line the function that it stands in and its text."""
    source = path.read_text()
    functions: dict[int, str] = {}
    for edit_line, name in _functions(ast.parse(source), ""):
        functions[edit_line] = name
    lines = enumerate(source.splitlines(), 1)
    return {n: f"{functions.get(n, '')} | {text.strip()}" for n, text in lines}


def _functions(node: ast.AST, outer: str) -> Iterator[tuple[int, str]]:
    for child in ast.iter_child_nodes(node):
        name = outer
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            name = f"{outer}.{child.name}".lstrip(".")
            yield from ((n, name) for n in range(child.lineno, (child.end_lineno or 0) + 1))
        yield from _functions(child, name)


def coverage_of(sources: list[Path]) -> dict[str, Any]:
    """For each test file its digest, the seconds of its tests, and what they run."""
    store = KEPT / "coverage.json"
    known: dict[str, Any] = json.loads(store.read_text()) if store.exists() else {}
    tests = (each for folder in TESTS for each in sorted(Path(folder).rglob("test_*.py")))
    files = {str(each): digest(each) for each in tests}
    known = {name: each for name, each in known.items() if files.get(name) == each["digest"]}
    new = [name for name in files if name not in known]
    if new:
        print(f"measuring {len(new)} files of tests", file=sys.stderr, flush=True)
        if not (pid := os.fork()):
            _measure(new, sources)
        if os.waitpid(pid, 0)[1]:
            raise SystemExit("cannot measure")
        measured = json.loads(MEASUREMENT.read_text())
        known |= {name: {**measured[name], "digest": files[name]} for name in new}
        store.write_text(json.dumps(known))
    return known


def _measure(files: list[str], sources: list[Path]) -> None:
    """In a process of its own: for each test file the seconds of its tests, and what they run."""
    status = 1
    try:
        found = session.measured(files, MARKS, sources)
        result: dict[str, Any] = {each: {"seconds": {}, "reached": {}} for each in files}
        for test, seconds in found["seconds"].items():
            result[test.split("::")[0]]["seconds"][test] = seconds
        for source, lines in found["lines"].items():
            places = _places(Path(source))
            for line, tests in lines.items():
                for test in found["seconds"].keys() & tests:
                    reached = result[test.split("::")[0]]["reached"].setdefault(source, {})
                    reached.setdefault(places[int(line)], []).append(test)
        MEASUREMENT.write_text(json.dumps(result))
        status = 0
    finally:
        os._exit(status)


def mutants_of(path: Path, coverage: dict[str, Any]) -> list[Mutant]:
    """All mutants of a module with the tests of their lines, or else of their functions."""
    by_place: dict[str, set[str]] = {}
    for each in coverage.values():
        for place, tests in each["reached"].get(str(path), {}).items():
            for key in (place, place.split(" | ")[0], "all"):
                by_place.setdefault(key, set()).update(tests)
    places, found = _places(path), []
    for edit, _ in edits_of(path.read_text()):
        place = places.get(edit.line, "")
        keys = ["all"] if edit.at_import else [place, place.split(" | ")[0]]
        tests = next((by_place[k] for k in keys if k in by_place), set())
        found.append(Mutant(path, edit, tuple(sorted(tests))))
    return found
