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
import os
from collections import Counter
from hashlib import sha256
from pathlib import Path

from mutation.reached import KEPT, MEASURED, Mutant, coverage_of, mutants_of
from mutation.runner import Runner

ROOMS = ["compiler/laws", "compiler/rules", "compiler/quantization", "backends/netx"]


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
            # always the same ones, whatever else is in the file
            drawn = sorted(
                mutants_of(path, coverage), key=lambda m: sha256(m.key.encode()).digest()
            )
            mutants += drawn[: options.sample]
    runner = Runner(coverage, options.seconds, out)
    runner.run(mutants)
    for each in mutants:
        if runner.known[each.key]["state"] == "survived" and not each.is_equivalent:
            print(f"{each.path}:{each.edit.line}: {each.edit.name}")
    print(table(mutants, runner))


if __name__ == "__main__":
    main()
