"""A campaign: cases of all classes, some at a time, until its time or their number is over."""

from __future__ import annotations

import json
import os
import select
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.fuzz import isolation
from tests.fuzz.outcomes import FINDINGS, HANG, Result
from tests.fuzz.patience import Patience

SPREAD = 1_000_000
"""Cases that one seed of a campaign has, before those of the next begin."""
MOST_OUTCOME = 1 << 16


@dataclass(frozen=True)
class CaseClass:
    """One kind of attack."""

    function: Callable[[int, Path], str]
    """Runs the case of a seed in an empty folder; `answered` or `refused`, and after a colon what
    there is to say. An AssertionError is a wrong answer, any other exception a traceback."""
    share: int
    """Of the time, compared with the other classes."""
    seconds: int = 60
    """A case that computes for so many, or does nothing for so long, is a hang."""
    room: int = 4 << 30
    """Bytes by which its process may grow."""


@dataclass(frozen=True)
class Limits:
    """When a campaign is over."""

    seconds: float
    cases: int | None = None
    """Of each class."""
    workers: int = 2


@dataclass
class _Running:
    kind: str
    seed: int
    folder: Path
    process: int
    reads: int
    begun: float
    patience: Patience


@dataclass
class Campaign:
    """Which cases ran, and what became of them."""

    classes: Mapping[str, CaseClass]
    seed: int
    folder: Path
    """Where the files of the cases are; those of findings stay."""
    tell: Callable[[Result], None] = lambda result: None
    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[Result] = field(default_factory=list)
    spent: Counter[str] = field(default_factory=Counter)
    """Seconds, by class."""
    done: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    """What the cases that run now will take, more or less."""

    def run(self, limits: Limits) -> None:
        """Run cases of every class, each class for its share of the time."""
        end = time.monotonic() + limits.seconds
        queue = self.cases(limits, end)
        running: dict[int, _Running] = {}
        while True:
            while len(running) < limits.workers and (following := next(queue, None)):
                begun = self._begin(*following)
                running[begun.reads] = begun
            if not running:
                return
            for reads in self._ended(running):
                self._note(running.pop(reads))

    def run_one(self, kind: str, seed: int) -> Result:
        """Run one case."""
        case = self._begin(kind, seed)
        while not self._ended({case.reads: case}):
            pass
        return self._note(case)

    def cases(self, limits: Limits, end: float) -> Iterator[tuple[str, int]]:
        """The class that is behind the others comes next."""
        seeds = {kind: count(self.seed * SPREAD) for kind in self.classes}
        begun: Counter[str] = Counter()
        while time.monotonic() < end:
            open_ = [k for k in self.classes if limits.cases is None or begun[k] < limits.cases]
            if not open_:
                return
            kind = min(open_, key=lambda k: (self.spent[k] + self.due[k]) / self.classes[k].share)
            begun[kind] += 1
            yield kind, next(seeds[kind])

    def _begin(self, kind: str, seed: int) -> _Running:
        found, folder = self.classes[kind], self.folder / f"{kind}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        process, reads = isolation.start(found.function, seed, folder, found.room)
        now = time.monotonic()
        self.due[kind] += self._usual(kind)
        return _Running(kind, seed, folder, process, reads, now, Patience(process, found.seconds))

    def _usual(self, kind: str) -> float:
        """What a case of a class takes on average."""
        return self.spent[kind] / self.done[kind] if self.done[kind] else 0.1

    @staticmethod
    def _ended(running: Mapping[int, _Running]) -> list[int]:
        """Those that said something, died, or had their time."""
        left = min(each.patience.left for each in running.values())
        ready = select.select([*running], [], [], left)[0]
        return ready or [reads for reads, each in running.items() if each.patience.is_over()]

    def _note(self, case: _Running) -> Result:
        """Hear a case out, or end it; nothing of it is left."""
        late = not select.select([case.reads], [], [], 0)[0]
        said = b"" if late else os.read(case.reads, MOST_OUTCOME)
        os.close(case.reads)
        if late:
            isolation.end_group(case.process)
        status = os.waitpid(case.process, 0)[1]
        seconds = time.monotonic() - case.begun
        if late:
            outcome, detail = HANG, f"after {seconds:.0f} seconds"
        else:
            outcome, detail = json.loads(said) if said else isolation.death_of(status)
        if left := isolation.survivors(case.process):
            outcome, detail = FINDINGS[-1], f"{detail}\nit leaves {len(left)} processes behind"
            isolation.end_group(case.process)
        self.due[case.kind] -= min(self._usual(case.kind), self.due[case.kind])
        self.spent[case.kind] += seconds
        self.done[case.kind] += 1
        return self._keep(case, Result(case.kind, case.seed, outcome, detail, seconds))

    def _keep(self, case: _Running, result: Result) -> Result:
        self.results[case.kind, result.outcome] += 1
        if result.outcome in FINDINGS:
            result = Result(**{**vars(result), "kept": case.folder})
            (case.folder / "outcome.txt").write_text(f"{result.outcome}\n{result.detail}\n")
            self.findings.append(result)
        else:
            with suppress(OSError):
                shutil.rmtree(case.folder)
        self.tell(result)
        return result
