"""The command line of the fuzzing house, and what it prints."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.fuzz import classes, zoo_models
from tests.fuzz.campaign import SPREAD, Campaign, Limits
from tests.fuzz.outcomes import FINDINGS, SOUND, Result

OUT = Path(__file__).resolve().parents[2] / "out" / "fuzz"
SHOWN = 3
"""Cases that are named for each cause."""


def main(words: Sequence[str] | None = None) -> int:
    """Run a campaign, or one case again; 1 if something was found."""
    given = _arguments(words)
    classes.prepare()
    if given.case:
        kind, _, seed = given.case.partition(":")
        zoo_models.are_there()
        return _again(kind, int(seed), given.out)
    chosen = {name: classes.CLASSES[name] for name in given.only}
    if "zoo" in chosen and not zoo_models.are_there():
        print("zoo: left out, its networks are made by PyTorch", file=sys.stderr)
        del chosen["zoo"]
    begun = time.monotonic()
    campaign = Campaign(chosen, given.seed, given.out, _tell)
    try:
        campaign.run(Limits(60 * given.minutes, given.cases, given.workers))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    print(f"{time.monotonic() - begun:.0f} seconds, seed {given.seed}")
    print("\n".join((*table(campaign), *causes(campaign.findings))))
    return 1 if campaign.findings else 0


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--cases", type=int, help="no more of each class")
    parser.add_argument("--seed", type=int, default=0, help=f"of {SPREAD} cases of each class")
    parser.add_argument("--only", type=_names, default=[*classes.CLASSES], metavar="CLASS,...")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--case", metavar="CLASS:SEED", help="run one case again, and show it")
    parser.add_argument("--out", type=_folder, default=OUT, help="where findings are kept")
    return parser.parse_args(words)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(classes.CLASSES):
        allowed = ", ".join(classes.CLASSES)
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}; allowed: {allowed}")
    return names


def _folder(text: str) -> Path:
    return Path(text).resolve()


def _again(kind: str, seed: int, out: Path) -> int:
    """Run one case, and print everything that is known of it."""
    campaign = Campaign({kind: classes.CLASSES[kind]}, 0, out)
    result = campaign.run_one(kind, seed)
    print(f"{result.case}: {result.outcome} after {result.seconds:.1f} s\n{result.detail}")
    if result.kept:
        print(f"its files: {result.kept}")
    return 1 if result.outcome in FINDINGS else 0


def _tell(result: Result) -> None:
    """Say at once what was found."""
    if result.outcome in FINDINGS:
        print(f"{result.case}: {result.outcome}: {result.cause}", file=sys.stderr, flush=True)


def table(campaign: Campaign) -> Iterable[str]:
    """Counts by class and outcome."""
    words = (*SOUND, *FINDINGS)
    rows = [
        [kind, sum(counts), *counts, f"{campaign.spent[kind]:.0f}"]
        for kind in campaign.classes
        if (counts := [campaign.results[kind, word] for word in words])
    ]
    sums = [sum(column) for column in zip(*(row[1:-1] for row in rows), strict=True)]
    rows.append(["all", *sums, f"{sum(campaign.spent.values()):.0f}"])
    for row in [["class", "cases", *words, "seconds"], *rows]:
        yield f"{row[0]:<10}" + "".join(f"{each:>14}" for each in row[1:])


def causes(findings: Sequence[Result]) -> list[str]:
    """What was found, once for each cause, with cases that show it."""
    grouped: dict[tuple[str, str, str], list[Result]] = {}
    for each in findings:
        alike = re.sub(r"[0-9]+", "0", each.cause)
        grouped.setdefault((each.kind, each.outcome, alike), []).append(each)
    return [_told(found) for found in grouped.values()]


def _told(found: Sequence[Result]) -> str:
    first, cases = found[0], ", ".join(each.case for each in found[:SHOWN])
    return f"{len(found)} x {first.outcome}: {first.cause}\n    --case {cases}"
