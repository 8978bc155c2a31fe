"""Links of the repository as they are on the site, where docs/ is the root."""

from __future__ import annotations

import pytest
from docs.site.pages import with_links


@pytest.mark.parametrize(
    ("page", "link", "expected"),
    [
        ("README.md", "docs/codes/README.md", "codes/README.md"),
        ("README.md", "CHANGELOG.md", "CHANGELOG.md"),
        ("README.md", "docs/design.md#lava", "design.md#lava"),
        ("codes/README.md", "rate.md", "rate.md"),
        ("codes/rate.md", "../arithmetic.md", "../arithmetic.md"),
        ("codes/rate.md", "../../CONTRIBUTING.md", "../CONTRIBUTING.md"),
        ("tests/fuzz/README.md", "../../docs/design.md", "../../design.md"),
        ("tutorial.md", "notebooks/a.ipynb", "notebooks/a.md"),
        ("tutorial.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("tutorial.md", "#here", "#here"),
    ],
)
def test_links(page: str, link: str, expected: str) -> None:
    assert with_links(f"a [b]({link}) c", page) == f"a [b]({expected}) c"
