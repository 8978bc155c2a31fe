"""Runs mutants, and keeps what became of each."""

from __future__ import annotations

import ast
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any, TextIO, TypeAlias

from mutation import session
from mutation.edits import edits_of
from mutation.reached import KEPT, MARKS, Mutant, digest

Work: TypeAlias = Callable[[list[str]], "int | None"]
Codes: TypeAlias = Mapping[session.Place, CodeType]
NEAR = 2
"""How many mutants a test of the same folder is taken to have found before any was run."""


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
        if was is None or was["module"] != digest(mutant.path):
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
        entry |= {"module": digest(mutant.path), "tests": self._tests(mutant)}
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
