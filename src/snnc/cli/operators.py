"""Operators: what a model may be made of."""

from __future__ import annotations

from textwrap import wrap

from snnc import api
from snnc.cli.messages import reports_problems
from snnc.cli.options import Json
from snnc.cli.results import print_json, print_lines


def operators(as_json: Json = False) -> None:
    """List the ONNX operators that a model may have."""
    from snnc.runtime.output.tables.terminal import width_of_stdout

    with reports_problems(as_json=as_json):
        known = api.operators()
    if as_json:
        print_json(known)
        return
    width = width_of_stdout()
    print_lines(wrap(", ".join(known["anywhere"]), width, break_on_hyphens=False))
    print_lines(["", f"at the end, where they are dropped: {', '.join(known['at_the_end'])}"])
