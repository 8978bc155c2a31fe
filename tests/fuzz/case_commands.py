"""A command line in some weather: it ends as documented, and leaves what it should."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import snnc
from snnc.compiler.errors import SnncError
from tests.fuzz import checks, scratch
from tests.fuzz.command_lines import any_line, commands, outputs_of
from tests.fuzz.draws import Rng, of
from tests.fuzz.outcomes import KILLED, TRACEBACK, FindingError
from tests.fuzz.processes import STREAMS, Ended, Weather, run

SECONDS = 100
UNFAIR = STREAMS[1:]
DONE, FAILED, USAGE, MISMATCH, UNREAD = 0, 1, 2, 3, 141
UNSAID = ("Traceback (most recent call last)", "Warning:", "Exception ignored", "Segmentation")
"""What no user can do anything with."""


def case(seed: int, folder: Path) -> str:
    """Run the command line of a seed."""
    rng = np.random.default_rng(seed)
    words, weather = any_line(rng), any_weather(rng)
    scratch.fill(folder)
    (folder.parent / "line.txt").write_text(f"{words!a}\n{weather}\n")
    before = checks.state_of(folder)
    ended = run(words, weather, SECONDS)
    after, temporary = checks.state_of(folder), checks.state_of(folder.parent / "tmp")
    (folder.parent / "said.txt").write_text(f"{ended.status}\n{ended.stdout!a}\n{ended.stderr!a}\n")
    check_words(ended, weather, words)
    assert not temporary, f"temporary files are left: {sorted(temporary)}"
    check_files(words, weather, ended, before, after)
    said = next(iter(ended.stderr.splitlines()), "")
    return f"refused: {said}" if ended.status in (FAILED, USAGE) else f"answered: {ended.status}"


def any_weather(rng: Rng) -> Weather:
    """Mostly fair."""
    forked = bool(rng.integers(25))
    encoding = of(("utf-8",) * 6 + ("ascii", "latin-1"), rng)
    form = rng.integers(24)
    if form == 0:
        return Weather(of(UNFAIR, rng), "piped", encoding, forked=forked)
    if form == 1:
        return Weather("piped", of(UNFAIR, rng), encoding, forked=forked)
    if form == 2:
        return Weather(encoding=encoding, memory=int(10 ** rng.uniform(5, 9)))
    if form == 3 and rng.integers(3) == 0:
        return Weather(encoding=encoding, memory=int(rng.integers(40, 3000)) << 20, forked=False)
    return Weather(encoding=encoding, forked=forked)


def check_words(ended: Ended, weather: Weather, words: list[str]) -> None:
    """The status is one of those that the manual has, and there is a message where it says so."""
    said = f"{ended.stdout}\n{ended.stderr}"
    if ended.status < 0:
        raise FindingError(KILLED, f"{said}\nsignal {-ended.status}: {words[:1]}")
    for each in UNSAID:
        if each in said:
            raise FindingError(TRACEBACK, f"{said}\n{_last(said)}")
    allowed = {DONE, FAILED, USAGE, MISMATCH} | ({UNREAD} if weather.stdout == "unread" else set())
    assert ended.status in allowed, f"{said}\nexit status {ended.status}: {_last(said)}"
    for sign in said:
        assert sign == "\n" or sign.isprintable(), f"{said!a}\n{sign!a} is printed"
    # without a word the program shows its help, on stdout
    heard = bool(words) and weather.stderr == "piped" and weather.stdout != "unread"
    if heard and ended.status in (FAILED, USAGE):
        assert ended.stderr.strip(), f"{ended.stdout}\nexit status {ended.status} without a word"
        if ended.status == FAILED:
            assert "help: " in ended.stderr, f"{said}\nno mend: {_last(said)}"
    done = ended.status in (DONE, MISMATCH) and weather.stdout == "piped"
    if done and "--json" in words and not {"--help", "--version"}.intersection(words):
        json.loads(ended.stdout)


def _last(text: str) -> str:
    return text.strip().rpartition("\n")[2][:200]


def check_files(
    words: list[str], weather: Weather, ended: Ended, before: dict[str, str], after: dict[str, str]
) -> None:
    """Nothing was written but what was asked for; what was is whole."""
    outputs = outputs_of(words)
    inputs = {*words[1:]} - outputs if ended.status in (DONE, MISMATCH) else set()
    written = ended.status in (DONE, MISMATCH) or not weather.is_fair
    checks.only_new(before, after, outputs - inputs if written else set())
    if words[:1] != ["compile"]:
        return
    for name in outputs & after.keys():
        if before.get(name) != after[name]:
            try:
                snnc.load(name)
            except SnncError as error:
                raise AssertionError(f"a file that is not whole: {error}") from error


def prepare() -> None:
    """Have in memory what every command needs."""
    commands()
    scratch.contents()
