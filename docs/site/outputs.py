"""What README and docs show is what the commands print: `python -m docs.site.outputs`.

A page holds blocks between two comments:

    <!-- output hello, quick, torch -->
    ```console
    $ python -m examples.hello
    ...
    ```
    <!-- end -->

The lines behind `$` are run one after the other, and everything else in the block is replaced by
what they print. The words behind the name say how:

- quick: it always prints the same, within seconds: a test holds page and command together.
  All others are slow, and carry the date and the machine that printed them.
- torch, lava: what it needs.
- in FOLDER: where it runs, seen from the repository; otherwise in one with examples/ and tests/.
- fails: it shows a refusal.
- saves FILE PATH: a file that it leaves is kept in the repository.

`<!-- file examples/tutorial.py -->` and `<!-- end -->` hold a file of the repository between them.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
WIDTH = 100
"""Columns of the terminal."""
BLOCK = re.compile(
    r"(?P<head><!-- (?P<kind>output|file) (?P<words>[^>]*) -->\n)"
    r"(?P<body>```.*?\n```\n)(?P<stamp>\n?\*Printed.*?\*\n)?(?P<end><!-- end -->)",
    re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A place in a page, and what belongs there."""

    page: Path
    head: str
    words: tuple[str, ...]
    body: str
    text: str
    """The whole, comments included."""

    @property
    def name(self) -> str:
        """What `--only` calls it."""
        return self.words[0]

    @property
    def is_file(self) -> bool:
        """Shows a file, not what a command prints."""
        return self.head.startswith("<!-- file ")

    @property
    def is_quick(self) -> bool:
        """Prints the same every time, within seconds."""
        return self.is_file or "quick" in self.words

    @property
    def commands(self) -> list[str]:
        """What it runs; a line that ends in a backslash goes on in the next."""
        return re.findall(r"^\$ ((?:.*\\\n)*.*)$", self.body, re.MULTILINE)

    def option(self, name: str) -> list[str]:
        """The words behind `name`."""
        found = (each.split() for each in self.words[1:])
        return next((rest for first, *rest in found if first == name), [])


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page, from the top to the bottom."""
    found = []
    for each in BLOCK.finditer(page.read_text(encoding="utf-8")):
        words = tuple(word.strip() for word in each["words"].split(","))
        found.append(Block(page, each["head"], words, each["body"], each[0]))
    return found


def pages() -> list[Path]:
    """README and everything in docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def fresh_body(block: Block) -> str:
    """What the block should show between its fences, run now.

    Raises:
        RuntimeError: where a command ends otherwise than the block says, or has no folder.
    """
    if block.is_file:
        return f"```python\n{(ROOT / block.name).read_text(encoding='utf-8')}```\n"
    with _folder(block) as folder:
        shown = [f"$ {each}\n{_printed(each, folder, block)}" for each in block.commands]
        if saved := block.option("saves"):
            shutil.copy(folder / saved[0], ROOT / saved[1])
    return "```console\n" + "".join(shown) + "```\n"


def rewrite(block: Block) -> bool:
    """Run a block and write it into its page; whether the page changed."""
    where = machine()
    body = fresh_body(block)
    if block.is_quick and body == block.body:
        return False
    stamp = "" if block.is_quick else f"\n*Printed {date.today()}: {where}.*\n"
    text = f"{block.head}{body}{stamp}<!-- end -->"
    page = block.page.read_text(encoding="utf-8")
    block.page.write_text(page.replace(block.text, text), encoding="utf-8")
    return True


def machine() -> str:
    """What a time depends on, now."""
    names = re.findall(r"^model name\s*: (.*)$", _text_of(Path("/proc/cpuinfo")), re.MULTILINE)
    processor = names[0].strip() if names else platform.processor() or platform.machine()
    cores = os.cpu_count() or 1
    busy = ", busy with other work" if os.getloadavg()[0] > cores / 2 else ""
    return f"{processor}, {cores} cores{busy}, Python {platform.python_version()}"


def _text_of(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


@contextmanager
def _folder(block: Block) -> Iterator[Path]:
    if where := block.option("in"):
        if not (ROOT / where[0]).is_dir():
            raise RuntimeError(
                f"{where[0]}: no such folder; an earlier block of the page leaves it"
            )
        yield ROOT / where[0]
        return
    with TemporaryDirectory() as name:
        for each in ("examples", "tests"):
            (Path(name) / each).symlink_to(ROOT / each)
        yield Path(name)


def _printed(command: str, folder: Path, block: Block) -> str:
    """The lines of a command; of snnc those on stderr too, which are for people."""
    programs = f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"
    sources = f"{ROOT}:{ROOT / 'src'}"
    environment = {**os.environ, "COLUMNS": str(WIDTH), "PATH": programs, "PYTHONPATH": sources}
    done = subprocess.run(
        command,
        shell=True,
        executable="/bin/bash",
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if command.startswith("snnc ") else subprocess.PIPE,
        text=True,
    )
    if bool(done.returncode) != ("fails" in block.words):
        raise RuntimeError(f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    lines = (line.rstrip() for line in done.stdout.splitlines())
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Run the blocks that are asked for, and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="names of blocks, with commas between them")
    parser.add_argument("--quick", action="store_true", help="those that a test compares too")
    options = parser.parse_args()
    names = [each for each in options.only.split(",") if each]
    blocks = [block for page in pages() for block in blocks_of(page)]
    if unknown := set(names) - {each.name for each in blocks}:
        sys.exit(f"no block is called {', '.join(sorted(unknown))}; there are: {_names(blocks)}")
    for block in blocks:
        if (block.name in names or not names) and (block.is_quick or not options.quick):
            print(f"{block.page.relative_to(ROOT)}: {block.name} ...", flush=True)
            print("  rewritten" if rewrite(block) else "  as it was", flush=True)


def _names(blocks: list[Block]) -> str:
    return ", ".join(each.name for each in blocks)


if __name__ == "__main__":
    main()
