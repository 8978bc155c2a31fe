"""One pytest session that many children share: each takes over one mutant, and runs some tests."""

from __future__ import annotations

import ast
import gc
import inspect
import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeAlias

import pytest

SOURCES = Path("src/snnc").absolute()
SCRATCH = Path(f".mutants/tmp/{os.getpid()}").absolute()
MEMORY = 8 << 30
"""Bytes that a mutant may ask for."""
LIMIT = 5
"""Seconds of a processor that a mutant has in any case; whoever needs more is found out."""
EXAMPLES = 60
ERROR, NONE = 254, 255
"""How a child ends that fails, and one that finds nothing; otherwise with the place of a test."""
MOST_TESTS = 250
COMPREHENSION = re.compile(r"<(list|set|dict)comp>|<genexpr>")
Items: TypeAlias = Mapping[str, pytest.Item]
Place: TypeAlias = tuple[str, int]
"""Name and first line of a function."""


class Session:
    """A plugin: once the tests are collected, `work` has them by their ids, and pytest is done."""

    def __init__(self, work: Callable[[Items], None]) -> None:
        self.work = work

    def pytest_collection(self) -> None:
        """Few examples, always the same, and no time spent on making them small."""
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", deadline=None, derandomize=True, phases=phases, max_examples=EXAMPLES
        )
        settings.load_profile("mutants")

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Fewer examples where a test asks for many."""
        from hypothesis import settings

        test = getattr(item, "obj", None)
        found = getattr(test, "_hypothesis_internal_use_settings", None)
        if found is not None:
            few = settings(found, max_examples=min(found.max_examples, EXAMPLES))
            test._hypothesis_internal_use_settings = few

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.work({item.nodeid: item for item in session.items})
        return True


def collected(files: Iterable[str], marks: str, work: Callable[[Items], None]) -> None:
    """Do some work in a process that has collected the tests of some files."""
    options = ["-q", "-m", marks, "-p", "no:cacheprovider", "-p", "no:xdist"]
    options += ["--basetemp", str(SCRATCH)]
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.parent.mkdir(parents=True, exist_ok=True)
    pytest.main([*options, *files], plugins=[Session(work)])


def first_failure(items: Sequence[pytest.Item]) -> int | None:
    """Run tests until one fails; its place."""
    from _pytest.runner import runtestprotocol

    for place, (item, after) in enumerate(zip(items, [*items[1:], None], strict=True)):
        if any(each.failed for each in runtestprotocol(item, nextitem=after, log=False)):
            return place
    return None


def outcome(work: Callable[[], int | None], limit: float) -> int | str | None:
    """What a child returns; "time" or "crash" if it does not; "error" if it raises."""
    pid = os.fork()
    if not pid:
        _as_child(work, limit)
    _, status = os.waitpid(pid, 0)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    if os.WIFSIGNALED(status):
        late = os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL)
        return "time" if late else "crash"
    code = os.WEXITSTATUS(status)
    return None if code == NONE else "error" if code == ERROR else code


def _as_child(work: Callable[[], int | None], limit: float) -> None:
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 1))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(20 * int(limit))
    status = ERROR
    try:
        found = work()
        status = NONE if found is None else found
    finally:
        os._exit(status)


def swappable(path: Path, source: str, tree: ast.Module) -> Mapping[Place, CodeType] | None:
    """The functions that a mutant changes, by their places; None if not they alone can be changed.

    So it is where two lambdas stand in one line, or where a mutant captures other variables.
    """
    name = str(SOURCES / path)
    old, new = _codes(compile(source, name, "exec")), _codes(compile(tree, name, "exec"))
    changed = {place: codes for place, codes in new.items() if codes != old.get(place)}
    for place, codes in changed.items():
        if len(codes) > 1 or codes[0].co_freevars != old[place][0].co_freevars:
            return None
    return {place: codes[0] for place, codes in changed.items()}


def _codes(code: CodeType) -> dict[Place, list[CodeType]]:
    """All functions in a module's code; comprehensions belong to the function they stand in."""
    found: dict[Place, list[CodeType]] = {}
    waiting = [code]
    while waiting:
        each = waiting.pop()
        if each.co_flags & inspect.CO_OPTIMIZED and not COMPREHENSION.match(each.co_name):
            found.setdefault((each.co_name, each.co_firstlineno), []).append(each)
        waiting += [c for c in each.co_consts if isinstance(c, CodeType)]
    return found


def _place(code: CodeType) -> Place:
    return code.co_name, code.co_firstlineno


def imported(path: Path, tree: ast.Module) -> None:
    """Let a module that is not imported yet be the mutated one."""
    name, original = str(SOURCES / path), SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> CodeType | None:
        if self.path != name:
            return original(self, fullname)
        return compile(tree, name, "exec")

    SourceFileLoader.get_code = get_code
    assert not any(each.startswith("snnc") for each in sys.modules)


class Imported:
    """The functions of all modules that are imported."""

    def __init__(self) -> None:
        self.by_file: dict[str, list[FunctionType]] = {}
        for each in gc.get_objects():
            if isinstance(each, FunctionType):
                self.by_file.setdefault(each.__code__.co_filename, []).append(each)
        # a child that collects garbage copies all memory
        gc.freeze()
        gc.disable()

    def swap(self, path: Path, codes: Mapping[Place, CodeType]) -> None:
        """Let functions of a module run other code."""
        live = self.by_file[str(SOURCES / path)]
        found = [each for each in live if _place(each.__code__) in codes]
        for each in found:
            each.__code__ = codes[_place(each.__code__)]
        if not found:
            raise RuntimeError("there is no such function")


def run_fresh(path: Path, tree: ast.Module, marks: str, tests: Sequence[str]) -> int | None:
    """Import everything, one module mutated, and run tests."""
    imported(path, tree)
    found: list[int | None] = [0]

    def work(items: Items) -> None:
        found[0] = first_failure([items[each] for each in tests])

    files = dict.fromkeys(each.split("::")[0] for each in tests)
    collected(files, marks, work)
    return found[0]


def measured(files: Sequence[str], marks: str, sources: Sequence[Path]) -> dict[str, Any]:
    """Seconds of each test that passes, and the tests that run each line; "" is the imports."""
    import coverage

    meter = coverage.Coverage(data_file=None, include=[str(s.resolve()) for s in sources])
    seconds: dict[str, float] = {}

    def work(items: Items) -> None:
        meter.switch_context("")
        for item in items.values():
            meter.switch_context(item.nodeid)
            start = time.process_time()
            if first_failure([item]) is None:
                seconds[item.nodeid] = round(time.process_time() - start, 4)
            meter.switch_context("")

    meter.start()
    collected(files, marks, work)
    meter.stop()
    data = meter.get_data()
    lines = {str(source): data.contexts_by_lineno(str(source.resolve())) for source in sources}
    return {"seconds": seconds, "lines": lines}
