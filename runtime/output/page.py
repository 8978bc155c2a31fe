"""A result as a page for the browser, which needs nothing else; a report has pages of its own."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader

from snnc.backends.files import write_bytes
from snnc.runtime.presented import Presentation


def fragment_of(shown: Presentation) -> str:
    """A result as a notebook shows it."""
    return _environment().get_template("fragment.html").render(shown=shown)


def write_presentation(path: Path, shown: Presentation) -> None:
    """Write a result as a page.

    Raises:
        SnncError: for a path that cannot be written.
    """
    page = _environment().get_template("result.html").render(shown=shown)
    write_bytes(path, page.encode("utf-8", "backslashreplace"), option="html")


def _environment() -> Environment:
    return Environment(loader=PackageLoader("snnc.runtime.output"), autoescape=True)
