"""A short campaign of each class, with seeds that stay."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.fuzz import outcomes
from tests.fuzz.campaign import Campaign, CaseClass, Limits
from tests.fuzz.command import causes, table

ROOT = Path(__file__).resolve().parents[2]


def fuzz(*words: object) -> str:
    """Run the program, as a process that has no threads to fork."""
    line = [sys.executable, "-m", "tests.fuzz", "--workers", "1", *map(str, words)]
    result = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_nothing_falls_over_in_a_short_campaign(tmp_path: Path) -> None:
    classes = "onnx,h5,npz,networks,commands,disk"
    said = fuzz("--minutes", 10, "--cases", 10, "--only", classes, "--out", tmp_path)
    assert [line.split()[:2] for line in said.splitlines()[2:]] == [
        *([name, "10"] for name in classes.split(",")),
        ["all", "60"],
    ]


@pytest.mark.lava
def test_signals_leave_nothing(tmp_path: Path) -> None:
    fuzz("--minutes", 10, "--cases", 5, "--only", "signals", "--out", tmp_path)


# What must be found is found


def answers(seed: int, folder: Path) -> str:
    (folder / "file").write_text("text")
    return "answered"


def refuses(seed: int, folder: Path) -> str:
    return "refused: at m.onnx"


def fails(seed: int, folder: Path) -> str:
    raise ValueError(f"no. {seed}")


def is_wrong(seed: int, folder: Path) -> str:
    assert seed < 0, "not what it should be"
    return "answered"


def says_much(seed: int, folder: Path) -> str:
    raise AssertionError("\N{SNOWMAN}" * 150 + "\n\N{SNOWMAN}" * 90_000)


def dies(seed: int, folder: Path) -> str:
    os.kill(os.getpid(), signal.SIGKILL)
    return "answered"


def waits(seed: int, folder: Path) -> str:
    time.sleep(60)
    return "answered"


def computes(seed: int, folder: Path) -> str:
    while seed:
        pass
    return "answered"


def takes_its_time(seed: int, folder: Path) -> str:
    """Three times as long as it may do nothing, and yet it never does nothing."""
    for _ in range(60):
        time.sleep(0.05)
        sum(range(100_000))
    return "answered"


def grows(seed: int, folder: Path) -> str:
    return f"answered: {np.ones(1 << 30).sum()}"


def leaves_a_process(seed: int, folder: Path) -> str:
    subprocess.Popen(["sleep", "60"])
    return "answered"


def has_no_word(seed: int, folder: Path) -> str:
    return "perhaps"


@pytest.mark.parametrize(
    ("function", "outcome", "cause"),
    [
        (answers, outcomes.ANSWERED, ""),
        (refuses, outcomes.REFUSED, "at m.onnx"),
        (fails, outcomes.TRACEBACK, "ValueError: no. 7000000"),
        (is_wrong, outcomes.WRONG, "AssertionError: not what it should be"),
        (says_much, outcomes.WRONG, "AssertionError: "),
        (dies, outcomes.KILLED, "signal SIGKILL"),
        (waits, outcomes.HANG, "seconds"),
        (computes, outcomes.HANG, "seconds"),
        (takes_its_time, outcomes.ANSWERED, ""),
        (grows, outcomes.TRACEBACK, "MemoryError"),
        (leaves_a_process, outcomes.WRONG, "it leaves 1 processes behind"),
        (has_no_word, outcomes.WRONG, "the case gave the outcome 'perhaps'"),
    ],
)
def test_every_outcome_is_told_apart(
    tmp_path: Path, function: CaseClass, outcome: str, cause: str
) -> None:
    campaign = Campaign({"one": CaseClass(function, 1, seconds=1, room=1 << 30)}, 7, tmp_path)
    campaign.run(Limits(60, cases=1, workers=1))
    assert campaign.results == {("one", outcome): 1}
    kept = [each for each in tmp_path.iterdir() if each.is_dir()]
    if outcome in outcomes.SOUND:
        assert (campaign.findings, kept) == ([], [])
        return
    (found,) = campaign.findings
    assert cause in found.cause
    assert found.kept == kept[0]
    assert (kept[0] / "outcome.txt").read_text().startswith(outcome)


def test_a_cause_is_told_once_with_cases_that_show_it(tmp_path: Path) -> None:
    row = CaseClass(fails, 1)
    campaign = Campaign({"one": row, "two": CaseClass(answers, 1)}, 0, tmp_path)
    campaign.run(Limits(60, cases=4))
    (first, second) = causes(campaign.findings)[0].splitlines()
    assert first.startswith("4 x traceback: ")
    assert second.strip() == "--case one:0, one:1, one:2"
    assert [line.split()[:4] for line in table(campaign)][1:] == [
        ["one", "4", "0", "0"],
        ["two", "4", "4", "0"],
        ["all", "8", "4", "0"],
    ]


def test_the_class_that_is_behind_the_others_comes_next(tmp_path: Path) -> None:
    rows = {"a": CaseClass(answers, 1), "b": CaseClass(answers, 3), "c": CaseClass(answers, 1)}
    campaign = Campaign(rows, 2, tmp_path)
    campaign.spent.update({"a": 3, "b": 5, "c": 2})
    cases = campaign.cases(Limits(60), time.monotonic() + 60)
    assert next(cases) == ("b", 2_000_000)
    campaign.spent["b"] += 5
    assert next(cases) == ("c", 2_000_000)
