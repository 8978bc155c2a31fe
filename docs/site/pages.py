"""What the site shows besides the pages in docs/: README, other documents, notebooks.

MkDocs calls the functions that begin with `on_`. On the site the folder docs/ is the root, so a
link is followed in the repository and then written as it is on the site: one link works in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import dirname, join, normpath, relpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import File, Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS = "docs"
OUTSIDE = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "tests/fuzz/README.md")
"""Documents outside of docs/."""
LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)#:\s]+)(?P<after>[)#])")
"""A relative link of Markdown, perhaps to a heading."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents and the notebooks."""
    from mkdocs.structure.files import File

    for each in OUTSIDE:
        files.append(File.generated(config, each, abs_src_path=str(ROOT / each)))
    for each in [each for each in files if each.src_uri.endswith(".ipynb")]:
        files.remove(each)
        for found in _notebook(each, config):
            files.append(found)
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Let the links of the repository be those of the site."""
    return with_links(markdown, page.file.src_uri)


def with_links(markdown: str, page: str) -> str:
    """A page with its relative links as they are on the site.

    Args:
        markdown: the text, with links as they are in the repository.
        page: its place on the site, as `codes/README.md`.
    """
    here = dirname(page if page in OUTSIDE else join(DOCS, page))

    def on_site(link: re.Match[str]) -> str:
        target = normpath(join(here, link["target"]))
        place = relpath(target, DOCS) if target.startswith(f"{DOCS}/") else target
        place = re.sub(r"\.ipynb$", ".md", place)
        return f"{link['before']}{relpath(place, dirname(page) or '.')}{link['after']}"

    return LINK.sub(on_site, markdown)


def _notebook(file: File, config: MkDocsConfig) -> Iterator[File]:
    """The page of a notebook, and its pictures beside it."""
    from mkdocs.structure.files import File
    from nbconvert import MarkdownExporter

    text, resources = MarkdownExporter().from_filename(file.abs_src_path)
    name = Path(file.src_uri).stem
    for picture, content in resources["outputs"].items():
        place = f"{dirname(file.src_uri)}/{name}_{picture}"
        text = text.replace(f"({picture})", f"({name}_{picture})")
        yield File.generated(config, place, content=content)
    yield File.generated(config, str(Path(file.src_uri).with_suffix(".md")), content=text)
