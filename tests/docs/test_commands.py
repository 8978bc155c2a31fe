"""Commands that pages name exist, and take the options that they are given there."""

from __future__ import annotations

import re

from docs.site.outputs import ROOT, pages

from snnc.cli.commands import COMMANDS, command

COMMAND = re.compile(r"(?:^\$ |`)snnc ([a-z]+)((?:[^`\n]|\\\n)*)", re.MULTILINE)
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-z]\b)")


def test_pages_name_commands_and_options_that_are_there() -> None:
    verbs = {name: command(name) for name in COMMANDS}
    wrong = []
    for page in pages():
        for verb, words in COMMAND.findall(page.read_text(encoding="utf-8")):
            # what is joined by a pipe is another program's
            options = OPTION.findall(re.split(r"[|>#]", words)[0])
            if verb not in verbs:
                wrong.append(f"{page.relative_to(ROOT)}: snnc {verb}")
                continue
            known = {name for each in verbs[verb].params for name in each.opts}
            unknown = sorted({*options} - known - {"--help", "-h"})
            wrong += [f"{page.relative_to(ROOT)}: snnc {verb} {each}" for each in unknown]
    assert not wrong


def test_pages_name_programs_that_are_there() -> None:
    wrong = []
    for page in pages():
        for name in re.findall(
            r"python -m ([a-z_0-9.]*[a-z_0-9])", page.read_text(encoding="utf-8")
        ):
            place = ROOT.joinpath(*name.split("."))
            if name.split(".")[0] in {"examples", "benchmarks", "docs", "tests"} and not (
                place.with_suffix(".py").is_file() or (place / "__main__.py").is_file()
            ):
                wrong.append(f"{page.relative_to(ROOT)}: {name}")
    assert not wrong
