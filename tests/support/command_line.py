"""The program, run in this process."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from snnc.cli import app


def snnc(*words: object, **env: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(app, list(map(str, words)), env=env, prog_name="snnc")
