"""What README and docs show is what the commands print."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.site import outputs
from docs.site.outputs import Block, blocks_of, fresh_body, pages, rewrite

SHOWN = [block for page in pages() for block in blocks_of(page)]
PAGE = """before
<!-- output one, {words} -->
```console
$ echo a; \\
    echo "b  "
stale
$ echo c
```
<!-- end -->
between
<!-- file some.py -->
```python
```
<!-- end -->
after
"""


def cases() -> list[object]:
    """The quick blocks, each with the marks of what it needs."""
    marks = {"torch": pytest.mark.torch, "lava": pytest.mark.lava}
    return [
        pytest.param(
            each, id=each.name, marks=[marks[word] for word in each.words if word in marks]
        )
        for each in SHOWN
        if each.is_quick
    ]


@pytest.mark.parametrize("block", cases())
def test_pages_show_what_is_printed(block: Block) -> None:
    assert block.body == fresh_body(block), "python -m docs.site.outputs --quick writes it anew"


def test_names_are_those_of_one_block() -> None:
    names = [each.name for each in SHOWN]
    assert len(names) == len(set(names)) > 0


def test_every_mark_is_read() -> None:
    """A misspelt end would leave a block that is never printed again."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        assert text.count("\n<!-- end -->") == len(blocks_of(page))


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(outputs, "ROOT", tmp_path)
    (tmp_path / "some.py").write_text("x = 1\n")
    return tmp_path / "page.md"


def test_a_page_is_rewritten_between_its_marks(page: Path) -> None:
    page.write_text(PAGE.format(words="quick"))
    changed = [rewrite(each) for each in blocks_of(page)]
    assert changed == [True, True]
    text = page.read_text()
    assert '$ echo a; \\\n    echo "b  "\na\nb\n$ echo c\nc\n```\n<!-- end -->\nbetween' in text
    assert "```python\nx = 1\n```\n<!-- end -->\nafter\n" in text
    changed = [rewrite(each) for each in blocks_of(page)]
    assert changed == [False, False]
    assert page.read_text() == text


def test_what_is_slow_has_one_date(page: Path) -> None:
    page.write_text(PAGE.format(words="in ."))
    for _ in range(2):
        assert rewrite(blocks_of(page)[0])
        assert page.read_text().count(f"\n\n*Printed {outputs.date.today()}: ") == 1


def test_a_failure_is_no_output(page: Path) -> None:
    page.write_text(PAGE.format(words="quick").replace("echo c", "false"))
    with pytest.raises(RuntimeError, match="false: exit status 1"):
        rewrite(blocks_of(page)[0])
    page.write_text(PAGE.format(words="quick, fails"))
    with pytest.raises(RuntimeError, match="exit status 0"):
        rewrite(blocks_of(page)[0])


def test_a_folder_that_is_not_there_is_named(page: Path) -> None:
    page.write_text(PAGE.format(words="in out/none"))
    with pytest.raises(RuntimeError, match="out/none: no such folder"):
        rewrite(blocks_of(page)[0])
