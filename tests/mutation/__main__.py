"""Mutation testing: how many small slips in the compiler the quick tests find.

    PYTHONPATH=tests python -m mutation [--room compiler/rules …] [--sample 60] [--seconds 10]

A mutant is one change of one module (`edits.py`). The tests that run its line are run, those first
that find much in little time, until one fails; those that survive are printed, but for the
equivalent ones of `equivalent.json`. All is kept in `.mutants`: a run that was interrupted goes on,
a changed module or test is looked at again. mutmut leaves functions with decorators and whatever a
class body says alone, which is what laws consist of; cosmic-ray starts a process for each mutant.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any, TextIO, TypeAlias

from mutation import session
from mutation.edits import Edit, edits_of

MEASURED = ["compiler", "backends/netx", "runtime/engines/lava"]
ROOMS = ["compiler/laws", "compiler/rules", "compiler/quantization", "backends/netx"]
MARKS = "not lava and not torch"
TESTS = ["tests/compiler", "tests/backends", "tests/runtime", "tests/calibration"]
"""Those that mirror the rooms; the others start programs, and take long to say less."""
Work: TypeAlias = Callable[[list[str]], "int | None"]
Codes: TypeAlias = Mapping[session.Place, CodeType]
KEPT = Path(".mutants")
MEASUREMENT = KEPT / "measured.json"
EQUIVALENT = json.loads((Path(__file__).parent / "equivalent.json").read_text())
"""{reason: {file: [names]}}."""
NEAR = 2
"""How many mutants a test of the same folder is taken to have found before any was run."""


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


def _digest(*paths: Path) -> str:
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
    files = {str(each): _digest(each) for each in tests}
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


class Runner:
    """Runs mutants and keeps what became of them."""

    def __init__(self, coverage: dict[str, Any], seconds: float, out: TextIO) -> None:
        self.cost = {t: s for each in coverage.values() for t, s in each["seconds"].items()}
        self.digests = {name: each["digest"] for name, each in coverage.items()}
        self.seconds, self.out = seconds, out
        self.sound: dict[str, bool] = {}
        self.store = KEPT / "results.jsonl"
        self.store.touch()
        self._load()

    def _load(self) -> None:
        self.known = {e["key"]: e for e in map(json.loads, self.store.open())}
        self.kills = Counter((e["path"], e["by"]) for e in self.known.values())

    def selected(self, mutant: Mutant) -> list[str]:
        """The tests to run, the most worth their time first, as long as the time lasts."""

        seen: Counter[str] = Counter()
        worth: dict[str, float] = {}
        for test in sorted(mutant.tests, key=self.cost.__getitem__):
            # variants of one test find much the same
            function = test.split("[")[0]
            seen[function] += 1
            found = self.kills[str(mutant.path), test] + (NEAR if mutant.is_near(test) else 0.1)
            worth[test] = found / (self.cost[test] + 0.02) / seen[function]
        tests, left = [], self.seconds
        for test in sorted(worth, key=worth.__getitem__, reverse=True):
            if self.cost[test] <= left:
                left -= self.cost[test]
                tests.append(test)
        return tests[: session.MOST_TESTS]

    def is_known(self, mutant: Mutant) -> bool:
        """Whether it was found out by a test that is still there, or survived these very tests."""
        was = self.known.get(mutant.key)
        if was is None or was["module"] != _digest(mutant.path):
            return False
        if was["state"] == "killed":
            return was["by"] in (*self.cost, "time", "crash")
        return bool(was["tests"] == self._tests(mutant))

    def _tests(self, mutant: Mutant) -> str:
        files = sorted({each.split("::")[0] for each in mutant.tests})
        text = repr([(each, self.digests[each]) for each in files])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def run(self, mutants: list[Mutant]) -> None:
        """Run whatever is not known: first what changes functions, then what changes imports."""
        waiting: dict[Path, dict[str, Mutant]] = {}
        for each in mutants:
            if not self.is_known(each):
                waiting.setdefault(each.path, {})[each.edit.name] = each
        swaps = [each for path, found in waiting.items() for each in _swaps(path, found)]
        if swaps:
            # in a process of its own: this one imports nothing
            if not (pid := os.fork()):
                self._run_swaps(swaps)
            if os.waitpid(pid, 0)[1]:
                raise SystemExit("stopped")
            self._load()
        for path, found in waiting.items():
            for edit, tree in edits_of(path.read_text()):
                mutant = found.get(edit.name)
                if mutant and not self.is_known(mutant):
                    fresh = partial(session.run_fresh, path)
                    plain = partial(fresh, ast.parse(path.read_text()), MARKS)
                    self._run(mutant, partial(fresh, tree, MARKS), plain)

    def _run_swaps(self, swaps: list[tuple[Mutant, Codes]]) -> None:
        def work(items: session.Items) -> None:
            nonlocal status
            imported = session.Imported()

            def swapped(mutant: Mutant, codes: Codes | None, tests: list[str]) -> int | None:
                if codes:
                    imported.swap(mutant.path, codes)
                return session.first_failure([items[each] for each in tests])

            for mutant, codes in swaps:
                self._run(mutant, partial(swapped, mutant, codes), partial(swapped, mutant, None))
            status = 0

        status = 1
        try:
            files = sorted({t.split("::")[0] for each, _ in swaps for t in each.tests})
            session.collected(files, MARKS, work)
        finally:
            os._exit(status)

    def _run(self, mutant: Mutant, mutated: Work, plain: Work) -> None:
        """Find a test that fails with the mutant whenever it runs, and passes without it."""
        by, tests = "", self.selected(mutant)
        while tests and not by:
            found = self._outcome(mutant, mutated, tests)
            if found is None:
                break
            if isinstance(found, str):
                by = found
            elif self._outcome(mutant, mutated, [tests[found]]) is not None:
                by = tests[found] if self._is_sound(mutant, plain, tests[found]) else ""
            tests = tests[found + 1 :] if isinstance(found, int) else []
        state = "killed" if by else "survived"
        entry = {"key": mutant.key, "path": str(mutant.path), "state": state, "by": by}
        entry |= {"module": _digest(mutant.path), "tests": self._tests(mutant)}
        self.known[mutant.key] = entry
        self.kills[str(mutant.path), by] += 1
        with self.store.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        print(f"{state:9}{mutant.key}  {by}", file=self.out, flush=True)

    def _is_sound(self, mutant: Mutant, plain: Work, test: str) -> bool:
        """Whether a test passes on its own, without a mutant."""
        if test not in self.sound:
            self.sound[test] = self._outcome(mutant, plain, [test]) is None
        return self.sound[test]

    def _outcome(self, mutant: Mutant, work: Work, tests: list[str]) -> int | str | None:
        limit = session.LIMIT + 3 * sum(self.cost[each] for each in tests)
        found = session.outcome(partial(work, tests), limit)
        if found == "error":
            raise SystemExit(f"cannot run {mutant.key}")
        return found


def _swaps(path: Path, mutants: dict[str, Mutant]) -> Iterator[tuple[Mutant, Codes]]:
    """Those mutants of a module that change functions alone, as code."""
    source = path.read_text()
    for edit, tree in edits_of(source):
        mutant = None if edit.at_import else mutants.get(edit.name)
        if mutant and (codes := session.swappable(path, source, tree)):
            yield mutant, codes


def table(mutants: list[Mutant], runner: Runner) -> str:
    """A line for each module: how many mutants there are and what became of them."""
    rows: dict[str, Counter[str]] = {}
    for each in mutants:
        state = runner.known[each.key]["state"]
        state = "equivalent" if state == "survived" and each.is_equivalent else state
        state = "unreached" if state == "survived" and not each.tests else state
        for name in (str(each.path), str(each.path.parent), "all"):
            rows.setdefault(name, Counter()).update([state, "mutants"])
    heads = ["mutants", "killed", "survived", "unreached", "equivalent"]
    lines = [" ".join([f"{'':44}", *heads, "percent"])]
    for name, row in sorted(rows.items()):
        counts = " ".join(f"{row[head]:>{len(head)}}" for head in heads)
        percent = 100 * row["killed"] / max(1, row["mutants"] - row["equivalent"])
        lines.append(f"{name:44} {counts} {percent:7.1f}")
    return "\n".join(lines)


def main() -> None:
    """Measure, draw, run, and print the table."""
    parser = argparse.ArgumentParser(description="Mutation testing.")
    parser.add_argument("--room", nargs="*", default=ROOMS, help="folders or files")
    parser.add_argument("--sample", type=int, help="at most so many mutants of each file")
    parser.add_argument("--seconds", type=float, default=10, help="of tests for one mutant")
    options = parser.parse_args()
    KEPT.mkdir(exist_ok=True)
    out = os.fdopen(os.dup(2), "w")
    everything = sorted(p for room in MEASURED for p in Path(room).rglob("*.py"))
    coverage = coverage_of(everything)
    mutants = []
    for room in options.room:
        for path in (each for each in everything if each.is_relative_to(room)):
            found = mutants_of(path, coverage)
            count = min(options.sample or len(found), len(found))
            mutants += random.Random(str(path)).sample(found, count)
    runner = Runner(coverage, options.seconds, out)
    runner.run(mutants)
    for each in mutants:
        if runner.known[each.key]["state"] == "survived" and not each.is_equivalent:
            print(f"{each.path}:{each.edit.line}: {each.edit.name}")
    print(table(mutants, runner))


if __name__ == "__main__":
    main()
